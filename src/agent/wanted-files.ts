import type { Pod } from '../kube/types.ts';
import type { WatchfulInputSource } from '../sync/inputs.ts';
import { translatePod } from '../translate/pod.ts';
import { podReferences } from '../translate/references.ts';
import type { TranslateOptions } from '../translate/types.ts';
import type { WantedFile } from './file-refresh.ts';

/**
 * Makes the source of the files that a standalone container should hold now. A file that is mounted by subPath is left out:
 * Kubernetes never refreshes those. Nor does it the hosts file and the resolver's.
 */
export function createWantedFiles(inputs: WatchfulInputSource, options: TranslateOptions) {
  return async (pod: Pod): Promise<WantedFile[] | undefined> => {
    const found = await inputs.fetch(pod, podReferences(pod, options));
    inputs.forget(pod.metadata.uid);
    const { request } = translatePod(pod, found, options);
    if (request?.backend !== 'container') return undefined;
    const folders = (pod.spec.containers[0]?.volumeMounts ?? [])
      .filter(({ subPath, subPathExpr }) => !subPath && !subPathExpr)
      .map(({ mountPath }) => `${mountPath.replace(/\/+$/, '')}/`);
    return (request.container.mounts ?? []).flatMap((mount) => {
      if (mount.type !== 'bind' || !folders.some((folder) => mount.destination.startsWith(folder))) return [];
      return [{ destination: mount.destination, content: Buffer.from(mount.source, 'base64') }];
    });
  };
}
