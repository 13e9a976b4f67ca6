import { randomBytes } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import type { Project, User } from './identity.ts';

/** A token and what it was given for. */
export interface Token {
  id: string;
  methods: string[];
  user: User;
  /** Absent: unscoped. */
  project?: Project;
  roles: string[];
  /** Milliseconds since 1970. */
  issuedAt: number;
  expiresAt: number;
  auditId: string;
  /** The id of the application credential it came from. */
  applicationCredential?: string;
}

/** What a service learns when it has a token checked. */
export interface TokenInfo {
  userId: string;
  projectId: string | undefined;
  roles: string[];
  expiresAt: number;
}

export interface TokenStore {
  issue(grant: Omit<Token, 'id' | 'issuedAt' | 'expiresAt' | 'auditId'> & { expiresAt?: number }): Token;
  /** Undefined when unknown, expired, revoked, or when its user or project is disabled by now. */
  find(id: string | undefined): Token | undefined;
  revoke(id: string): boolean;
  revokeAll(): number;
  /** Makes every token expire at most `ms` from now. */
  shorten(ms: number): void;
  /** Sets how long new tokens live. */
  setLife(ms: number): void;
  size(): number;
}

/** Makes an empty token store. */
export function createTokenStore(clock: Clock, firstLifeMs: number): TokenStore {
  const tokens = new Map<string, Token>();
  let lifeMs = firstLifeMs;

  function dropExpired(): void {
    const now = clock.now();
    for (const [id, token] of tokens) if (token.expiresAt <= now) tokens.delete(id);
  }

  return {
    issue(grant) {
      if (tokens.size % 1000 === 999) dropExpired();
      const issuedAt = clock.now();
      const token: Token = {
        ...grant,
        id: `gAAAAA${randomBytes(90).toString('base64url')}`,
        auditId: randomBytes(16).toString('base64url'),
        issuedAt,
        expiresAt: Math.min(grant.expiresAt ?? Number.POSITIVE_INFINITY, issuedAt + lifeMs),
      };
      tokens.set(token.id, token);
      return token;
    },
    find(id) {
      const token = id === undefined ? undefined : tokens.get(id);
      if (!token || token.expiresAt <= clock.now()) return undefined;
      return token.user.enabled && token.project?.enabled !== false ? token : undefined;
    },
    revoke: (id) => tokens.delete(id),
    revokeAll() {
      const count = tokens.size;
      tokens.clear();
      return count;
    },
    shorten(ms) {
      const limit = clock.now() + ms;
      for (const token of tokens.values()) token.expiresAt = Math.min(token.expiresAt, limit);
    },
    setLife(ms) {
      lifeMs = ms;
    },
    size: () => tokens.size,
  };
}
