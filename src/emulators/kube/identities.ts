import { unauthorized } from './failures.ts';
import type { User } from './strategy.ts';

/** What a request shows of itself. */
export interface Credentials {
  /** The `Authorization` header. */
  authorization: string | undefined;
  /** The subject of a client certificate that the emulator's authority signed. */
  certificate: { commonName: string; organizations: string[] } | undefined;
}

/** Who may call. Everyone who is known may do everything; `control` scripts refusals. */
export interface Identities {
  /** Errors: 401. */
  authenticate(credentials: Credentials): User;
  /** Makes a token for a user, valid until it is revoked or `expiresAt` (wall time, ms) has passed. */
  issue(user: User, expiresAt?: number): string;
  revoke(token: string): void;
  /** Who a token belongs to; undefined when it is not valid. */
  userOf(token: string): User | undefined;
}

export interface IdentityOptions {
  now(): number;
  newToken(): string;
  /** Calls without credentials are those of the administrator. */
  allowsAnonymous: boolean;
}

export const administrator: User = { name: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] };

/** Makes the identities of one cluster. */
export function createIdentities(options: IdentityOptions): Identities {
  const tokens = new Map<string, { user: User; expiresAt: number }>();

  function userOf(token: string): User | undefined {
    const entry = tokens.get(token);
    return entry && entry.expiresAt > options.now() ? entry.user : undefined;
  }

  return {
    authenticate({ authorization, certificate }) {
      const token = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1];
      if (token !== undefined) {
        const user = userOf(token.trim());
        if (!user) throw unauthorized();
        return user;
      }
      if (certificate) {
        return { name: certificate.commonName, groups: [...certificate.organizations, 'system:authenticated'] };
      }
      if (!options.allowsAnonymous) throw unauthorized();
      return administrator;
    },
    issue(user, expiresAt = Number.POSITIVE_INFINITY) {
      const token = options.newToken();
      tokens.set(token, { user, expiresAt });
      return token;
    },
    revoke: (token) => void tokens.delete(token),
    userOf,
  };
}
