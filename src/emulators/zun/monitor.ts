import type { Clock } from '../../base/clock.ts';
import { ownerLabel } from '../../base/identity.ts';

/** A moment at which a Pod had more than one live capsule or container. */
export interface DoubleCapsule {
  podUid: string;
  uuids: string[];
  /** Wall time in milliseconds. */
  at: number;
}

/** Watches for what must never be. */
export interface Monitor {
  /** A row that something runs for, or will, has these labels. May be told again. */
  appeared(uuid: string, labels: Record<string, string> | null): void;
  vanished(uuid: string): void;
  doubles(): DoubleCapsule[];
  /** How many Pods have a live capsule now. */
  livePods(): number;
  reset(): void;
}

/** Makes a monitor that has seen nothing. */
export function createMonitor(clock: Clock): Monitor {
  const uuidsByPod = new Map<string, Set<string>>();
  const podByUuid = new Map<string, string>();
  let doubles: DoubleCapsule[] = [];
  return {
    appeared(uuid, labels) {
      const podUid = labels?.[ownerLabel.uid];
      if (!podUid || podByUuid.has(uuid)) return;
      podByUuid.set(uuid, podUid);
      const uuids = uuidsByPod.get(podUid) ?? new Set<string>();
      uuids.add(uuid);
      uuidsByPod.set(podUid, uuids);
      if (uuids.size > 1) doubles.push({ podUid, uuids: [...uuids], at: clock.now() });
    },
    vanished(uuid) {
      const podUid = podByUuid.get(uuid);
      if (podUid === undefined) return;
      podByUuid.delete(uuid);
      const uuids = uuidsByPod.get(podUid);
      uuids?.delete(uuid);
      if (uuids?.size === 0) uuidsByPod.delete(podUid);
    },
    doubles: () => [...doubles],
    livePods: () => uuidsByPod.size,
    reset() {
      doubles = [];
    },
  };
}
