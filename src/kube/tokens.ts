import type { Clock } from '../base/clock.ts';
import type { KubeClient } from './client-types.ts';
import type { Pod } from './types.ts';

/** Gets service account tokens bound to Pods. */
export interface TokenReader {
  /**
   * An empty audience is the API server's own.
   * Errors: those of `KubeClient`; `not-found` when the service account does not exist, `conflict` when the Pod is gone.
   */
  get(pod: Pod, serviceAccount: string, audience: string, expirationSeconds: number): Promise<string>;
  forgetPod(uid: string): void;
}

interface StoredToken {
  token: string;
  /** Monotonic ms from which on a new one is asked for. */
  renewAtMs: number;
}

/** Kubelets ask for a new token when a fifth of its life is left, and in any case after a day. */
const renewShare = 0.8;
const longestMs = 24 * 3_600_000;

/**
 * Makes the reader. A token is kept until four fifths of its life are over. Each is bound to its Pod, so that it is void as soon as the
 * Pod is gone.
 * Source: pkg/kubelet/token/token_manager.go; kubernetes.io/docs/reference/kubernetes-api/authentication-resources/token-request-v1.
 */
export function createTokenReader(client: Pick<KubeClient, 'create'>, clock: Clock): TokenReader {
  const byPod = new Map<string, Map<string, Promise<StoredToken>>>();

  async function ask(pod: Pod, account: string, audience: string, expirationSeconds: number): Promise<StoredToken> {
    const { namespace, name, uid } = pod.metadata;
    const askedAtMs = clock.monotonic();
    const body = {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: audience === '' ? [] : [audience],
        expirationSeconds,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name, uid },
      },
    };
    const { status } = await client.create<{ status: { token: string; expirationTimestamp: string } }>(
      `/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`,
      body,
      { repeatable: true, attempt: `requesting a token of service account ${namespace}/${account} for pod ${name}` },
    );
    const lifeMs = Date.parse(status.expirationTimestamp) - clock.now();
    return { token: status.token, renewAtMs: askedAtMs + Math.min(longestMs, lifeMs * renewShare) };
  }

  return {
    async get(pod, serviceAccount, audience, expirationSeconds) {
      const tokens = byPod.get(pod.metadata.uid) ?? new Map<string, Promise<StoredToken>>();
      byPod.set(pod.metadata.uid, tokens);
      const key = JSON.stringify([serviceAccount, audience, expirationSeconds]);
      const known = await tokens.get(key)?.catch(() => undefined);
      if (known && clock.monotonic() < known.renewAtMs) return known.token;
      const asked = ask(pod, serviceAccount, audience, expirationSeconds);
      tokens.set(key, asked);
      return (await asked).token;
    },
    forgetPod: (uid) => byPod.delete(uid),
  };
}
