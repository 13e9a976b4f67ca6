import type { KubeClient } from './client-types.ts';

/** Who somebody is, as the API server says. */
export interface ReviewedUser {
  username: string;
  uid?: string;
  groups: string[];
  extra?: Record<string, string[]>;
}

interface TokenReviewAnswer {
  status?: {
    authenticated?: boolean;
    user?: { username?: string; uid?: string; groups?: string[]; extra?: Record<string, string[]> };
  };
}

/** Asks the API server who a token is and what a user may do. Source: Kubernetes authentication and authorization v1. */
export interface Reviews {
  /** Undefined when the token is nobody's. */
  tokenReview(token: string): Promise<ReviewedUser | undefined>;
  subjectAccessReview(spec: object): Promise<boolean>;
}

/** Makes the reviews. They change nothing, so they are repeated like reads. */
export function createReviews(client: KubeClient): Reviews {
  return {
    async tokenReview(token) {
      const body = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } };
      const call = { attempt: 'reviewing a bearer token', repeatable: true };
      const { status } = await client.create<TokenReviewAnswer>(
        '/apis/authentication.k8s.io/v1/tokenreviews',
        body,
        call,
      );
      const user = status?.user;
      if (status?.authenticated !== true || !user?.username) return undefined;
      return {
        username: user.username,
        groups: user.groups ?? [],
        ...(user.uid !== undefined && { uid: user.uid }),
        ...(user.extra !== undefined && { extra: user.extra }),
      };
    },
    async subjectAccessReview(spec) {
      const body = { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', spec };
      const call = { attempt: 'reviewing a right on the node', repeatable: true };
      const path = '/apis/authorization.k8s.io/v1/subjectaccessreviews';
      const answer = await client.create<{ status?: { allowed?: boolean } }>(path, body, call);
      return answer.status?.allowed === true;
    },
  };
}

/** Reads the authorities of client certificates that the API server publishes; undefined when it publishes none. */
export async function readClientCa(client: KubeClient, key: string, signal: AbortSignal): Promise<string | undefined> {
  const path = '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication';
  const attempt = 'reading the client authorities of the API server';
  const found = await client.get<{ data?: Record<string, string> }>(path, { attempt, signal });
  return found.data?.[key];
}
