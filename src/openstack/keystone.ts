import type { Clock } from '../base/clock.ts';
import { type AppError, isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Transport } from '../http/transport.ts';
import { abortable } from './abort.ts';
import type { CloudAuth } from './cloud-auth.ts';
import { logIn, type Token } from './login.ts';

/** Gets tokens and keeps one valid. */
export interface Keystone {
  /**
   * A token with at least a quarter of its life, or 15 minutes, left. One login at a time; an old token is handed out
   * while Keystone is out of reach and the token still lives.
   * Errors: those of `logIn`.
   */
  token(signal?: AbortSignal): Promise<Token>;
  /** Forgets a token that a service refused, so that the next call logs in again. */
  refuse(tokenId: string): void;
  /** Where logins go, for messages. */
  readonly url: string;
}

export interface KeystoneOptions {
  auth: CloudAuth;
  /** Reads the credentials anew after they were refused: they may have been rotated. */
  reload?: () => Promise<CloudAuth>;
  /** Makes or finds the transport to an origin. */
  transport(origin: string): Transport;
  clock: Clock;
  log: Log;
  userAgent: string;
  /** Time limit of a login. Default 30 s. */
  timeoutMs?: number;
}

/** After a refused login nobody asks again for so long: a wrong password must not lock the account. */
const refusedPauseMs = 10_000;
/** After a renewal that found nobody, the old token serves for so long. */
const renewalPauseMs = 10_000;

/** Makes a Keystone v3 client. It keeps one token in memory and logs in when that is needed, never by itself. */
export function createKeystone(options: KeystoneOptions): Keystone {
  const { clock, log } = options;
  const logInWith = createLogin(options);
  let current: Token | undefined;
  let login: Promise<Token> | undefined;
  let refused: { error: AppError; until: number } | undefined;

  async function renew(): Promise<Token> {
    if (refused && clock.monotonic() < refused.until) throw refused.error;
    try {
      const token = await logInWith();
      refused = undefined;
      current = token;
      const expiresAt = new Date(token.expiresAtMs).toISOString();
      log.debug('keystone token issued', { project: token.projectId, expiresAt });
      return token;
    } catch (error) {
      if (isKind(error, 'unauthorized', 'forbidden')) refused = { error, until: clock.monotonic() + refusedPauseMs };
      throw error;
    }
  }

  function renewOnce(): Promise<Token> {
    login ??= renew().finally(() => {
      login = undefined;
    });
    return login;
  }

  return {
    url: options.auth.url,
    async token(signal) {
      if (current && clock.monotonic() < current.renewAt) return current;
      const old = current;
      try {
        return await abortable(renewOnce(), signal, 'logging in');
      } catch (error) {
        const now = clock.monotonic();
        const isUsable = old !== undefined && old === current && now < old.expiresAt;
        if (!isUsable || !isKind(error, 'retryable') || signal?.aborted) throw error;
        log.warn('keystone token not renewed, the old one is used', { err: error, code: error.code });
        current = { ...old, renewAt: Math.min(old.expiresAt, now + renewalPauseMs) };
        return current;
      }
    },
    refuse(tokenId) {
      if (current?.id === tokenId) current = undefined;
    },
  };
}

/** Logs in, and once more with other credentials where those at hand are refused and have changed meanwhile. */
function createLogin(options: KeystoneOptions): () => Promise<Token> {
  let auth = options.auth;
  const once = () => logIn({ ...options, auth, timeoutMs: options.timeoutMs ?? 30_000 });
  return async () => {
    try {
      return await once();
    } catch (error) {
      if (!options.reload || !isKind(error, 'unauthorized', 'forbidden')) throw error;
      const fresh = await options.reload().catch((problem: unknown) => {
        options.log.warn('openstack credentials not read anew', { err: problem });
        return auth;
      });
      if (JSON.stringify(fresh) === JSON.stringify(auth)) throw error;
      options.log.info('openstack credentials changed');
      auth = fresh;
      return await once();
    }
  };
}
