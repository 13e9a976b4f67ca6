import { type KubeObject, memberOf, objectsOf, textOf, timestamp } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { covers } from './node-fit.ts';
import { livePodsOn, nodeOf, type Taint } from './nodes.ts';

const pods = resourceNamed('pods');
const checkEveryMs = 5_000;
const quarantineMs = 40_000;

/**
 * Deletes Pods that do not tolerate a taint of their node, or not for so long, and fails and removes the Pods of nodes that have
 * been gone for a while.
 */
export function startPodEviction(plane: ControlPlane): void {
  const { store, clock } = plane;
  const missing = new Map<string, number>();
  const now = () => clock.now();

  plane.every(checkEveryMs, () => {
    evict();
    collectPods();
  });

  /** Deletes Pods that do not tolerate a NoExecute taint, or not for so long. */
  function evict(): void {
    for (const object of store.list('nodes')) {
      const taints: Taint[] = (nodeOf(object).spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
      if (taints.length === 0) continue;
      for (const pod of livePodsOn(store, object.metadata.name))
        if (taints.some((taint) => isOver(pod, taint))) evictPod(pod);
    }
  }

  function isOver(object: KubeObject, taint: Taint): boolean {
    const fitting = (asPod(object).spec.tolerations ?? []).filter((one) => covers(one, taint));
    if (fitting.length === 0) return true;
    const seconds = fitting.map((one) => one.tolerationSeconds ?? Number.POSITIVE_INFINITY);
    const since = Date.parse(taint.timeAdded ?? '') || now();
    return now() - since > Math.min(...seconds) * 1000;
  }

  function evictPod(pod: KubeObject): void {
    const message = 'Taint manager: deleting due to NoExecute taint';
    disrupt(pod, 'DeletionByTaintManager', message);
    plane.event(
      pod,
      'taint-eviction-controller',
      'Normal',
      'TaintManagerEviction',
      `Marking for deletion Pod ${textOf(pod.metadata['namespace'])}/${pod.metadata.name}`,
    );
    plane.remove(pod, pods);
  }

  function disrupt(pod: KubeObject, reason: string, message: string, phase?: 'Failed'): void {
    plane.change(
      pod,
      pods,
      (copy) => {
        const status = memberOf(copy, 'status');
        if (phase) status['phase'] = phase;
        const others = objectsOf(status['conditions']).filter((one) => one['type'] !== 'DisruptionTarget');
        const condition = {
          type: 'DisruptionTarget',
          status: 'True',
          lastProbeTime: null,
          lastTransitionTime: timestamp(now()),
          reason,
          message,
        };
        status['conditions'] = [...others, condition];
      },
      'status',
    );
  }

  /** Removes the Pods of nodes that have been gone for a while. */
  function collectPods(): void {
    for (const pod of store.list('pods')) {
      const name = asPod(pod).spec.nodeName;
      if (!name || store.get('nodes', '', name)) continue;
      const since = missing.get(name);
      if (since === undefined) missing.set(name, clock.monotonic());
      else if (clock.monotonic() - since > quarantineMs) {
        const phase = asPod(pod).status?.phase;
        if (phase !== 'Succeeded' && phase !== 'Failed')
          disrupt(pod, 'DeletionByPodGC', 'PodGC: node no longer exists', 'Failed');
        plane.remove(pod, pods, { gracePeriodSeconds: 0 });
      }
    }
    for (const name of missing.keys()) if (store.get('nodes', '', name)) missing.delete(name);
  }
}
