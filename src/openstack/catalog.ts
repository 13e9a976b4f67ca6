import { AppError } from '../base/errors.ts';
import type { EndpointInterface } from './cloud-config.ts';
import type { Token } from './login.ts';

/** A service of Keystone's catalog. */
export interface CatalogEntry {
  type: string;
  name: string;
  endpoints: { interface: string; region: string; url: string }[];
}

/** Which service, and how its endpoint is chosen. */
export interface EndpointQuery {
  /** Every name of the service's type, the official one first. */
  types: readonly string[];
  region?: string;
  interface: EndpointInterface;
  overrides: Record<string, string>;
}

/**
 * Finds a service's URL without a trailing slash: an override by any name of its type wins, then the catalog.
 * Errors: `keystone.no-endpoint`, listing what the catalog has.
 */
export function findEndpoint(token: Token, query: EndpointQuery): string {
  for (const type of query.types) {
    const override = query.overrides[type];
    if (override) return override.replace(/\/+$/, '');
  }
  const entries = query.types.flatMap((type) => token.catalog.filter((entry) => entry.type === type));
  const fits = (endpoint: CatalogEntry['endpoints'][number]) =>
    endpoint.interface.replace(/URL$/, '') === query.interface &&
    (query.region === undefined || endpoint.region === query.region);
  const found = entries.flatMap((entry) => entry.endpoints).find(fits);
  if (found && URL.canParse(found.url)) return found.url.replace(/\/+$/, '');
  const where = `${query.interface}${query.region === undefined ? '' : ` in region ${query.region}`}`;
  const there =
    entries.length > 0
      ? entries.flatMap((entry) => entry.endpoints.map((each) => `${entry.type} ${each.interface} ${each.region}`))
      : token.catalog.map((entry) => entry.type);
  const key = `${(query.types.at(-1) ?? '').replaceAll('-', '_')}_endpoint_override`;
  throw noEndpoint(
    found
      ? `finding ${query.types[0]}: the catalog's URL cannot be understood`
      : `finding ${query.types.join(' or ')}: no ${where} endpoint in project ${token.projectName || token.projectId}'s catalog, which has ${there.slice(0, 30).join(', ') || 'nothing'}; set region_name, interface or ${key}`,
  );
}

/** `retryable`, because an operator mends a catalog without us: Pods stay as they are until then. */
function noEndpoint(message: string): AppError {
  return new AppError({ kind: 'retryable', code: 'keystone.no-endpoint', message });
}
