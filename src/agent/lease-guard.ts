import { AppError } from '../base/errors.ts';
import type { CapsuleApi } from '../openstack/types.ts';
import type { PodApi } from '../sync/ports.ts';

/**
 * Refuses what changes capsules while the node's Lease is not held. A process that was frozen wakes up with work to do, and
 * with stores as old as its sleep, before it hears that another one took over. Errors: also `agent.lease-lost`.
 */
export function guardedZun(zun: CapsuleApi, mayWork: () => boolean): CapsuleApi {
  return {
    ...zun,
    create: (...given) => whileHeld(mayWork, 'creating a capsule', () => zun.create(...given)),
    delete: (...given) => whileHeld(mayWork, 'deleting a capsule', () => zun.delete(...given)),
  };
}

/** Refuses what changes Pods while the node's Lease is not held. Errors: also `agent.lease-lost`. */
export function guardedPods(pods: PodApi, mayWork: () => boolean): PodApi {
  return {
    ...pods,
    patchStatus: (...given) => whileHeld(mayWork, 'writing the status of a pod', () => pods.patchStatus(...given)),
    remove: (...given) => whileHeld(mayWork, 'removing a pod', () => pods.remove(...given)),
  };
}

/** Runs a call only while the node's Lease is held. Errors: also `agent.lease-lost`. */
export async function whileHeld<T>(mayWork: () => boolean, what: string, call: () => Promise<T>): Promise<T> {
  if (mayWork()) return call();
  throw new AppError({
    kind: 'retryable',
    code: 'agent.lease-lost',
    message: `${what}: the Lease of the node is not held, so another process may work for it`,
    effect: 'none',
  });
}
