import type { Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { ranIn } from '../status/phase.ts';

/**
 * Tells whether Zun gave up before any container ran. Where one ran, a second start would run it twice: the runtime keeps
 * containers of a failed capsule (docs/zun.md §2.10), so that Pod fails instead.
 */
export function startFailed(pod: Pod, capsule: Capsule): boolean {
  if (capsule.status !== 'Error') return false;
  // A container that vanished from its host shows Error, too; its Pod's status remembers that it ran.
  if (ranIn(pod.status?.containerStatuses, capsule)) return false;
  return [...capsule.init_containers, ...capsule.containers].every(
    ({ status, status_detail }) =>
      (status === 'Creating' || status === 'Error') && !status_detail?.startsWith('Exited'),
  );
}

/** Says why a start failed, in the kubelet's reasons. */
export function failedStart(capsule: Capsule): Problem {
  const text = capsule.status_reason?.trim() || 'zun gave no reason';
  const image = /image/i.test(text);
  return {
    path: '',
    code: image ? 'capsule.image' : 'capsule.error',
    message: `zun could not start the capsule: ${text.slice(0, 500)}`,
    heals: true,
    reason: image ? 'ErrImagePull' : 'CreatePodSandboxError',
  };
}
