import type { AppError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { TlsIdentity } from '../http/transport.ts';
import { type CloudAuth, cloudAuth } from './cloud-auth.ts';
import { type CloudValue, cloudError, isRecord } from './cloud-files.ts';
import {
  type AuthValues,
  authKeys,
  authSchema,
  cloudKeys,
  cloudSchema,
  foreignKeys,
  settingKeys,
} from './cloud-schema.ts';
import { type CloudSources, expandHome, type Found, findCloud, normalise } from './cloud-search.ts';

/** Which endpoint of the catalog is used. */
export type EndpointInterface = 'public' | 'internal' | 'admin';

/** Everything needed to talk to one cloud. Holds secrets: never print it. */
export interface Cloud {
  /** The name in clouds.yaml; `envvars` when it comes from variables. */
  name: string;
  /** Where it was read, for messages: file names or `OS_* variables`. */
  source: string;
  auth: CloudAuth;
  region?: string;
  interface: EndpointInterface;
  /** URL by service type, written with `-`: `container`, `block-storage`. */
  endpointOverrides: Record<string, string>;
  tls: TlsIdentity;
  /** Things that were read but do not do what their author may think. */
  warnings: string[];
}

/** The name under which the `OS_*` variables appear, as in openstacksdk. */
const environmentCloud = 'envvars';

/**
 * Reads one cloud the way openstacksdk does: `OS_CLOUD` or the argument names it; else the `OS_*` variables where
 * `OS_AUTH_URL` is among them; else the only cloud in the first `clouds.yaml` found (`OS_CLIENT_CONFIG_FILE`, working
 * directory, `~/.config/openstack`, `/etc/openstack`). `secure.yaml` is merged over it, a profile of
 * `clouds-public.yaml` under it.
 * Errors: `cloud.missing`, `cloud.unknown`, `cloud.ambiguous`, `cloud.malformed`, `cloud.invalid`, `cloud.unreadable`.
 * Source: openstacksdk, openstack/config/loader.py.
 */
export async function loadCloud(sources: CloudSources, cloud?: string): Promise<Cloud> {
  const { env } = sources;
  const wanted = cloud || env['OS_CLOUD'];
  const fromEnv = environmentValues(env);
  const useEnv = wanted === environmentCloud || (!wanted && env['OS_AUTH_URL']);
  const found = useEnv ? environmentFound(fromEnv) : await findCloud(sources, wanted, Object.keys(fromEnv.auth));
  const warnings: string[] = [];
  if (!useEnv) {
    const ignored = Object.keys(fromEnv.auth).map((key) => `OS_${key.toUpperCase()}`);
    if (ignored.length > 0)
      warnings.push(`${ignored.join(', ')} ignored: the cloud ${found.name} of ${found.files[0]?.path} is used`);
    Object.assign(found.values, fromEnv.settings);
  }
  return await readCloud(found, sources, warnings);
}

async function readCloud(found: Found, sources: CloudSources, warnings: string[]): Promise<Cloud> {
  const fail = (keys: string[], message: string) =>
    cloudError('cloud.invalid', `${found.where(keys)}, cloud ${found.name}, ${keys.join('.')}: ${message}`);
  checkKeys(found, fail);
  const merged = withRegion(found.values);
  const top = cloudSchema.safeParse({ interface: merged['endpoint_type'], ...merged });
  if (!top.success) throw schemaProblem(top.error.issues, [], fail);
  const values = top.data;
  const auth = authValues(found, fail);
  if (values.insecure === true) warnings.push('insecure is not obeyed: write verify: false to accept any certificate');
  const result: Cloud = {
    name: found.name,
    source: found.files.length > 0 ? found.files.map((file) => file.path).join(', ') : 'OS_* variables',
    auth: cloudAuth(values.auth_type, auth, (key, message) => fail(['auth', key], message), fail),
    interface: values.interface,
    endpointOverrides: endpointOverrides(values, fail),
    tls: await tlsIdentity(values, sources, fail),
    warnings,
  };
  if (values.region_name !== undefined) result.region = values.region_name;
  return result;
}

type Fail = (keys: string[], message: string) => AppError;

function schemaProblem(issues: { path: PropertyKey[]; message: string }[], prefix: string[], fail: Fail): AppError {
  const issue = issues[0];
  return fail([...prefix, ...(issue?.path.map(String) ?? [])], issue?.message ?? 'cannot be understood');
}

function checkKeys(found: Found, fail: Fail) {
  const known = [...cloudKeys, ...authKeys];
  for (const key of Object.keys(found.values)) {
    if (
      (known as string[]).includes(key) ||
      foreignKeys.includes(key) ||
      /_(endpoint|api_version|service_type|service_name|override|microversion|interface|region_name)$/.test(key)
    )
      continue;
    const meant = nearest(key, known);
    if (meant) throw fail([key], `unknown key, did you mean ${meant}`);
  }
}

/** Options of `auth` may also stand beside it; there they win, as in openstacksdk. */
function authValues(found: Found, fail: Fail): AuthValues {
  const raw = found.values['auth'] ?? {};
  if (!isRecord(raw)) throw fail(['auth'], 'must be a map');
  for (const key of Object.keys(raw)) {
    if ((authKeys as readonly string[]).includes(key)) continue;
    const meant = nearest(key, authKeys);
    throw fail(
      ['auth', key],
      meant ? `unknown key, did you mean ${meant}` : `unknown key, known are ${authKeys.join(', ')}`,
    );
  }
  const beside = Object.fromEntries(
    Object.entries(found.values).filter(([key]) => (authKeys as readonly string[]).includes(key)),
  );
  const parsed = authSchema.safeParse({ ...raw, ...beside });
  if (!parsed.success) throw schemaProblem(parsed.error.issues, ['auth'], fail);
  return parsed.data;
}

type Values = ReturnType<typeof cloudSchema.parse>;

/** `regions` may carry values of their own; without `region_name` the first one is used. */
function withRegion(cloud: Record<string, CloudValue>): Record<string, CloudValue> {
  const regions = Array.isArray(cloud['regions']) ? cloud['regions'] : [];
  const nameOf = (region: CloudValue | undefined) => (isRecord(region) ? region['name'] : region);
  const name = cloud['region_name'] || nameOf(regions[0]);
  if (typeof name !== 'string') return cloud;
  const entry = regions.find((region) => isRecord(region) && region['name'] === name);
  const own = isRecord(entry) && isRecord(entry['values']) ? normalise(entry['values']) : {};
  return { ...cloud, ...own, region_name: name };
}

function endpointOverrides(values: Values, fail: Fail): Record<string, string> {
  const overrides: Record<string, string> = {};
  for (const [key, value] of Object.entries(values)) {
    const service = /^(.+?)_endpoint(?:_override)?$/.exec(key)?.[1];
    if (!service || value === null || value === '') continue;
    if (typeof value !== 'string' || !isHttpUrl(value)) throw fail([key], 'must be an http or https URL');
    overrides[service.replaceAll('_', '-')] = value;
  }
  return overrides;
}

function isHttpUrl(value: string): boolean {
  return URL.canParse(value) && /^https?:$/.test(new URL(value).protocol);
}

async function tlsIdentity(values: Values, sources: CloudSources, fail: Fail): Promise<TlsIdentity> {
  const pem = async (key: 'cacert' | 'cert' | 'key', marker: RegExp) => {
    const path = values[key];
    if (path === undefined) return undefined;
    const content = await sources.readFile(expandHome(path, sources.env));
    if (content === undefined) throw fail([key], `the file ${path} does not exist`);
    if (!marker.test(content)) throw fail([key], `the file ${path} holds no PEM of that kind`);
    return content;
  };
  const [ca, cert, key] = await Promise.all([
    pem('cacert', /-----BEGIN (TRUSTED )?CERTIFICATE-----/),
    pem('cert', /-----BEGIN CERTIFICATE-----/),
    pem('key', /-----BEGIN [A-Z ]*PRIVATE KEY-----/),
  ]);
  return {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(values.verify === false && { insecure: true }),
  };
}

interface EnvironmentValues {
  auth: Record<string, string>;
  settings: Record<string, string>;
}

function environmentValues(env: CloudSources['env']): EnvironmentValues {
  const values: EnvironmentValues = { auth: {}, settings: {} };
  for (const [name, value] of Object.entries(env)) {
    if (!name.startsWith('OS_') || !value || name === 'OS_CLOUD') continue;
    const key = name.slice(3).toLowerCase();
    if ((authKeys as readonly string[]).includes(key)) values.auth[key] = value;
    else if (key === 'auth_type' || key === 'identity_api_version') values.auth[key] = value;
    else if (settingKeys.includes(key) || /_endpoint_override$/.test(key)) values.settings[key] = value;
  }
  return values;
}

function environmentFound(from: EnvironmentValues): Found {
  const { auth_type: authType, identity_api_version: version, ...auth } = from.auth;
  return {
    name: environmentCloud,
    values: {
      ...from.settings,
      auth,
      ...(authType !== undefined && { auth_type: authType }),
      ...(version !== undefined && { identity_api_version: version }),
    },
    files: [],
    where: (keys) => `variable OS_${(keys.at(-1) ?? '').toUpperCase()}`,
  };
}
