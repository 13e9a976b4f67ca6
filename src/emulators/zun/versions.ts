import { BareError, ZunError } from './errors.ts';

export const minVersion = '1.1';
/** The newest minor that the emulator knows. */
export const newestMinor = 40;

/** The minor number of a microversion 1.x. */
export type Minor = number;

/**
 * Reads `OpenStack-API-Version` (docs/zun.md §1.4). Errors: 406 as `ZunError` for what cannot be read; for a version out of
 * range `BareError` with Zun's bug, a 406 without it.
 */
export function negotiateVersion(header: string | undefined, isFaithful: boolean, maxMinor: Minor): Minor {
  if (header === undefined) return 1;
  const [word, version = '', ...rest] = header.trim().split(/\s+/);
  if (word !== 'container' || rest.length > 0)
    throw notAcceptable('Invalid service type for OpenStack-API-Version header');
  if (version === 'latest') return maxMinor;
  const match = /^(\d+)\.(\d+)$/.exec(version);
  if (!match) throw notAcceptable('Invalid value for OpenStack-API-Version header');
  const minor = Number(match[2]);
  if (match[1] === '1' && minor >= 1 && minor <= maxMinor) return minor;
  if (isFaithful) throw new BareError(version);
  throw new ZunError(
    406,
    'microversion-unsupported',
    `Version ${version} is not supported by the API. Minimum is ${minVersion} and maximum is 1.${maxMinor}.`,
  );
}

/** The headers on every answer of v1. */
export function versionHeaders(minor: Minor, maxMinor: Minor): Record<string, string> {
  return {
    'openstack-api-minimum-version': `container ${minVersion}`,
    'openstack-api-maximum-version': `container 1.${maxMinor}`,
    'openstack-api-version': `container 1.${minor}`,
    vary: 'OpenStack-API-Version',
  };
}

/** Refuses a call at a version in which it did not exist yet. */
export function requireMinor(minor: Minor, since: Minor): void {
  if (minor >= since) return;
  throw notAcceptable(`Version 1.${minor} was requested but the requested API is not supported for this version.`);
}

function notAcceptable(detail: string): ZunError {
  return new ZunError(406, '', 'Not Acceptable', detail);
}
