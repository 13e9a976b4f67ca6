import { type Clock, sleep } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { KubeClient } from '../kube/client-types.ts';

/**
 * Reads the identity of the cluster: the UID of kube-system, which lives as long as the cluster. Waits for an API server
 * that is down. Errors: `agent.cluster-id` when it may not be read.
 */
export async function readClusterId(kube: KubeClient, log: Log, clock: Clock, signal: AbortSignal): Promise<string> {
  for (;;) {
    try {
      const found = await kube.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system', {
        attempt: 'reading the UID of the namespace kube-system',
        signal,
      });
      return found.metadata.uid;
    } catch (thrown) {
      if (!(thrown instanceof AppError) || thrown.kind !== 'retryable') {
        const reason = thrown instanceof Error ? thrown.message : String(thrown);
        throw new AppError({
          kind: 'forbidden',
          code: 'agent.cluster-id',
          message: `${reason}; allow "get" on it, or name the cluster by --cluster-id`,
          cause: thrown,
        });
      }
      signal.throwIfAborted();
      log.warn('the API server does not answer; waiting for it', { code: thrown.code, err: thrown.message });
      await sleep(clock, 2000, signal);
    }
  }
}
