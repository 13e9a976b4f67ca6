import { ApiFailure } from '../failures.ts';
import { at, isDeleting, type KubeObject, numberOf } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { activePods, createOwnedPod, indexOwnedPods, isOver, isReady } from './owned-pods.ts';

const replicaSets = resourceNamed('replicasets', 'apps');
const pods = resourceNamed('pods');
const component = 'replicaset-controller';

/**
 * Keeps the number of Pods of each ReplicaSet. It adopts no foreign Pods and knows no minReadySeconds. Unlike the real one it
 * waits longer and longer before it replaces Pods that failed, so that a Pod which every node rejects makes no storm.
 */
export function startReplicaSets(plane: ControlPlane): void {
  const { store } = plane;
  const owned = indexOwnedPods(plane, (owner) => mark(owner));
  const mark = plane.queue(reconcile);
  const pausedUntil = new Map<string, number>();

  plane.observe(({ storage, type, object }) => {
    if (storage !== replicaSets.storage) return;
    if (type === 'DELETED') pausedUntil.delete(object.metadata.uid);
    else mark(object.metadata.uid);
  });

  function reconcile(uid: string): void {
    const found = store.byUid(uid);
    if (found?.storage !== replicaSets.storage) return;
    const set = found.object;
    const all = owned.of(uid);
    const active = activePods(all);
    const wanted = numberOf(at(set, 'spec', 'replicas'));
    if (!isDeleting(set)) {
      if (active.length < wanted) grow(set, wanted - active.length, all);
      else if (active.length > wanted) shrink(set, active, active.length - wanted);
    }
    writeStatus(uid);
  }

  function grow(set: KubeObject, missing: number, all: KubeObject[]): void {
    const { uid } = set.metadata;
    const failed = all.filter((pod) => asPod(pod).status?.phase === 'Failed').length;
    const now = plane.clock.monotonic();
    const until = pausedUntil.get(uid);
    if (failed > 0 && until === undefined) pause(uid, Math.min(60_000, 1000 * 2 ** Math.min(failed, 10)));
    if ((pausedUntil.get(uid) ?? 0) > now) return;
    pausedUntil.delete(uid);
    for (let made = 0; made < missing; made++) {
      try {
        const pod = createOwnedPod(plane, set);
        plane.event(set, component, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        plane.event(set, component, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
        pause(uid, 5_000);
        return;
      }
    }
  }

  function pause(uid: string, ms: number): void {
    pausedUntil.set(uid, plane.clock.monotonic() + ms);
    plane.clock.after(ms + 1, () => mark(uid));
  }

  /** Those that are not ready go first, then the youngest. */
  function shrink(set: KubeObject, active: KubeObject[], surplus: number): void {
    const rank = (pod: KubeObject) => (isReady(asPod(pod)) ? 1 : 0);
    const ordered = [...active].sort(
      (a, b) =>
        rank(a) - rank(b) || Date.parse(b.metadata.creationTimestamp) - Date.parse(a.metadata.creationTimestamp),
    );
    for (const pod of ordered.slice(0, surplus)) {
      plane.remove(pod, pods);
      plane.event(set, component, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    }
  }

  function writeStatus(uid: string): void {
    const set = store.byUid(uid)?.object;
    if (!set) return;
    const active = activePods(owned.of(uid));
    const ready = active.filter((pod) => isReady(asPod(pod))).length;
    const going = owned.of(uid).filter((pod) => isDeleting(pod) && !isOver(asPod(pod))).length;
    plane.change(
      set,
      replicaSets,
      (copy) => {
        copy['status'] = {
          replicas: active.length,
          ...(active.length > 0 && { fullyLabeledReplicas: active.length }),
          ...(ready > 0 && { readyReplicas: ready, availableReplicas: ready }),
          ...(going > 0 && { terminatingReplicas: going }),
          observedGeneration: numberOf(copy.metadata['generation']),
        };
      },
      'status',
    );
  }
}
