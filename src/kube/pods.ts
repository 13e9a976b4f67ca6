import { AppError, isKind } from '../base/errors.ts';
import type { PodApi } from '../sync/ports.ts';
import type { KubeClient } from './client-types.ts';
import type { Pod } from './types.ts';

/** Makes the calls on Pods. Source: pkg/kubelet/status/status_manager.go. */
export function createPodApi(client: KubeClient): PodApi {
  async function read(namespace: string, name: string, uid: string): Promise<Pod | undefined> {
    try {
      const pod = await client.get<Pod>(podPath(namespace, name), { attempt: `reading pod ${namespace}/${name}` });
      // What is not a Pod must not pass for another Pod: its capsule would be deleted.
      if (typeof pod?.metadata?.uid !== 'string') {
        const message = `reading pod ${namespace}/${name}: the API server answered with something that is none`;
        throw new AppError({ kind: 'retryable', code: 'kube.garbage', message });
      }
      delete pod.metadata.managedFields;
      return pod.metadata.uid === uid ? pod : undefined;
    } catch (thrown) {
      if (isKind(thrown, 'not-found')) return undefined;
      throw thrown;
    }
  }
  return {
    read,
    async patchStatus(pod, status) {
      const { namespace, name, uid } = pod.metadata;
      const body = { metadata: { uid }, status };
      const attempt = `writing the status of pod ${namespace}/${name}`;
      const stored = await client.patch<Pod>(`${podPath(namespace, name)}/status`, body, { attempt });
      delete stored.metadata.managedFields;
      return stored;
    },
    async remove(pod) {
      const { namespace, name, uid } = pod.metadata;
      const attempt = `removing pod ${namespace}/${name}`;
      try {
        await client.delete(podPath(namespace, name), { attempt, uid, gracePeriodSeconds: 0 });
      } catch (thrown) {
        if (isKind(thrown, 'not-found')) return;
        // A failed precondition is success only when it is the UID's.
        if (isKind(thrown, 'conflict') && (await read(namespace, name, uid)) === undefined) return;
        throw thrown;
      }
    },
  };
}

function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/pods/${name}`;
}
