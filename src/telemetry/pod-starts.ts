import type { Pod } from '../kube/types.ts';

/** Watches Pods until all their containers have started once. */
export interface PodStarts {
  /** Hears of a Pod as it is now. */
  seen(pod: Pod): void;
  forget(uid: string): void;
}

/**
 * Makes a watch of starts; `observe` gets the ms from a Pod's creation to its start. A Pod that had started when it was
 * first seen was started by an earlier process and does not count.
 */
export function createPodStarts(now: () => number, observe: (sinceCreationMs: number) => void): PodStarts {
  const waiting = new Map<string, boolean>();
  return {
    seen(pod) {
      const { uid, creationTimestamp } = pod.metadata;
      const isWaiting = waiting.get(uid);
      if (isWaiting === false) return;
      const started = hasStarted(pod);
      waiting.set(uid, !started);
      const createdAt = Date.parse(String(creationTimestamp));
      if (isWaiting && started && Number.isFinite(createdAt)) observe(Math.max(0, now() - createdAt));
    },
    forget: (uid) => void waiting.delete(uid),
  };
}

/** Whether all containers of a Pod run, or have run. */
export function hasStarted({ status }: Pod): boolean {
  const containers = status?.containerStatuses ?? [];
  return containers.length > 0 && containers.every(({ state }) => Boolean(state?.running ?? state?.terminated));
}
