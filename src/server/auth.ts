import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { CertificateVerifier } from './client-certificate.ts';
import { requestAttributes } from './request-attributes.ts';
import { createReviewCache } from './review-cache.ts';

/** Who asks, as Kubernetes describes a user. */
export interface UserInfo {
  username: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

/** The spec of a SubjectAccessReview (authorization.k8s.io/v1). */
export interface AccessReviewSpec {
  user: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
  resourceAttributes: { group: ''; version: 'v1'; resource: 'nodes'; subresource: string; name: string; verb: string };
}

/** The two questions to the API server. */
export interface ReviewApi {
  /** TokenReview without audiences; undefined when the token is nobody's. Errors as `AppError`. */
  tokenReview(token: string): Promise<UserInfo | undefined>;
  subjectAccessReview(spec: AccessReviewSpec): Promise<boolean>;
}

/** What is known of a request before anything else is looked at. */
export interface AuthRequest {
  method: string;
  /** Decoded and clean. */
  path: string;
  socket: TLSSocket;
  /** The value of the header Authorization. */
  authorization: string | undefined;
}

export type AuthDecision =
  | { allowed: true; user: UserInfo }
  | { allowed: false; status: 401 | 403 | 500; body: string };

/** Decides about requests. */
export interface Auth {
  decide(request: AuthRequest): Promise<AuthDecision>;
}

export interface AuthOptions {
  /** Undefined: nobody can be asked, so nobody has a right. */
  reviews: ReviewApi | undefined;
  certificates: CertificateVerifier;
  node: string;
  clock: Clock;
  log: Log;
  /** Whatever runs in a Pod needs the verb `create`, whatever the method. */
  requireCreate: boolean;
}

const lifetimes = { tokenMs: 120_000, badTokenMs: 10_000, allowedMs: 300_000, deniedMs: 30_000 };
const maxEntries = 4096;

/**
 * Authenticates by client certificate, then by bearer token, and authorises every request as the kubelet does:
 * subresources of this node. There is no anonymous user. Source: pkg/kubelet/server/auth.go and server.go (InstallAuth).
 */
export function createAuth(options: AuthOptions): Auth {
  const { clock, log, node, reviews } = options;
  const tokens = createReviewCache<UserInfo | undefined>({
    maxEntries,
    keepMs: (user) => (user ? lifetimes.tokenMs : lifetimes.badTokenMs),
    clock,
  });
  const accesses = createReviewCache<boolean>({
    maxEntries,
    keepMs: (isAllowed) => (isAllowed ? lifetimes.allowedMs : lifetimes.deniedMs),
    clock,
  });

  async function authenticate(request: AuthRequest): Promise<UserInfo | undefined> {
    const byCertificate = options.certificates.user(request.socket);
    if (byCertificate) return byCertificate;
    const token = /^Bearer +(\S+)$/i.exec(request.authorization ?? '')?.[1];
    if (token === undefined || !reviews) return undefined;
    try {
      return await tokens.get(createHash('sha256').update(token).digest('hex'), () => reviews.tokenReview(token));
    } catch (error) {
      log.error('reviewing a bearer token failed', { err: error });
      return undefined;
    }
  }
  async function isAllowed(user: UserInfo, verb: string, subresources: string[]): Promise<boolean> {
    if (!reviews || verb === '') return false;
    for (const subresource of subresources) {
      const spec = accessReview(user, { verb, subresource, node });
      if (await accesses.get(JSON.stringify(spec), () => reviews.subjectAccessReview(spec))) return true;
    }
    return false;
  }
  return {
    async decide(request) {
      const user = await authenticate(request);
      if (!user) return { allowed: false, status: 401, body: 'Unauthorized' };
      const { verbs, subresources } = requestAttributes(request.method, request.path, options.requireCreate);
      for (const verb of verbs) {
        const what = `(user=${user.username}, verb=${verb}, resource=nodes, subresource(s)=[${subresources.join(' ')}])`;
        try {
          if (await isAllowed(user, verb, subresources)) continue;
        } catch (error) {
          log.error('reviewing access failed', { err: error, user: user.username, verb });
          return { allowed: false, status: 500, body: `Authorization error ${what}` };
        }
        return { allowed: false, status: 403, body: `Forbidden ${what}` };
      }
      return { allowed: true, user };
    },
  };
}

function accessReview(user: UserInfo, asked: { verb: string; subresource: string; node: string }): AccessReviewSpec {
  return {
    user: user.username,
    ...(user.uid !== undefined && { uid: user.uid }),
    groups: user.groups,
    ...(user.extra !== undefined && { extra: user.extra }),
    resourceAttributes: {
      group: '',
      version: 'v1',
      resource: 'nodes',
      subresource: asked.subresource,
      name: asked.node,
      verb: asked.verb,
    },
  };
}
