import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import { readLimited } from './files.ts';

/** What proves who we are: a header, or a certificate that came from the same place. */
export interface Credential {
  authorization: string | undefined;
  cert?: string;
  key?: string;
}

/** Where credentials come from. */
export interface CredentialSource {
  get(): Promise<Credential>;
  /** What was got so far is no good any more. */
  forget(): void;
}

/** How long a file or a refused credential is taken for current. */
export const rereadMs = 60_000;
/** How often refused credentials are renewed at most, so that a revoked account starts no storm of plugins. */
const renewAtMostEveryMs = 5_000;
/** Credentials are renewed this long before they end. */
const expiryMarginMs = 10_000;
const maxTokenBytes = 1024 * 1024;

/** Makes the source of credentials that do not change. */
export function fixedSource(authorization: string | undefined): CredentialSource {
  return { get: () => Promise.resolve({ authorization }), forget() {} };
}

/** Makes an Authorization header of a token. Errors: `unauthorized` (`auth.bad-token`). */
export function bearer(token: string, where: string): string {
  const trimmed = token.trim();
  if (/^[\x21-\x7e]+$/.test(trimmed)) return `Bearer ${trimmed}`;
  throw new AppError({
    kind: 'unauthorized',
    code: 'auth.bad-token',
    message: `reading the token in ${where}: it is empty or not a token`,
  });
}

/** Makes the source for a token in a file, which somebody else renews: read at most once a minute; the last good one counts. */
export function tokenFileSource(file: string, clock: Clock): CredentialSource {
  let readAtMs = Number.NEGATIVE_INFINITY;
  let last: string | undefined;
  return {
    async get() {
      if (last !== undefined && clock.monotonic() - readAtMs < rereadMs) return { authorization: last };
      try {
        const text = await readLimited(file, maxTokenBytes, `reading token file ${file}`);
        last = bearer(text ?? '', file);
        readAtMs = clock.monotonic();
      } catch (thrown) {
        if (last === undefined) throw thrown;
        readAtMs = clock.monotonic();
      }
      return { authorization: last };
    },
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

/** A credential that ends at a time of the wall clock; undefined: never. */
export interface ExpiringCredential extends Credential {
  expiresAtMs: number | undefined;
}

/** Makes the source for credentials that are costly to get: one call at a time, kept until shortly before they end. */
export function expiringSource(fetch: () => Promise<ExpiringCredential>, clock: Clock): CredentialSource {
  let current: ExpiringCredential | undefined;
  let pending: Promise<ExpiringCredential> | undefined;
  let fetchedAtMs = Number.NEGATIVE_INFINITY;

  function isGood(marginMs: number): boolean {
    return current !== undefined && clock.now() < (current.expiresAtMs ?? Number.POSITIVE_INFINITY) - marginMs;
  }
  async function renew(): Promise<ExpiringCredential> {
    try {
      current = await fetch();
      return current;
    } catch (thrown) {
      // The old one is good for a few more seconds, and the next call tries again.
      if (current && isGood(0)) return current;
      throw thrown;
    } finally {
      fetchedAtMs = clock.monotonic();
      pending = undefined;
    }
  }
  return {
    get() {
      // A plugin may answer what it gave before until that has really ended: no reason to run it at every call.
      const isFresh = clock.monotonic() - fetchedAtMs < renewAtMostEveryMs;
      if (current && isGood(isFresh ? 0 : expiryMarginMs)) return Promise.resolve(current);
      pending ??= renew();
      return pending;
    },
    forget() {
      if (clock.monotonic() - fetchedAtMs >= renewAtMostEveryMs) current = undefined;
    },
  };
}
