import type { Node } from '../../../kube/types.ts';
import { type KubeObject, memberOf, objectsOf, textOf, timestamp } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { covers } from './node-fit.ts';

const nodes = resourceNamed('nodes');
const pods = resourceNamed('pods');
const graceMs = 50_000;
const checkEveryMs = 5_000;
const quarantineMs = 40_000;

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';
const unschedulable = 'node.kubernetes.io/unschedulable';

type Taint = { key: string; value?: string; effect: string; timeAdded?: string };

/**
 * Watches over nodes as kube-controller-manager does: a node whose lease and status stand still for 50 s becomes Unknown and
 * its Pods not ready; conditions become taints; Pods that do not tolerate them are deleted in time; Pods of a node that is gone
 * are failed and removed.
 */
export function startNodeLifecycle(plane: ControlPlane): void {
  const { store, clock } = plane;
  const heard = new Map<string, { mark: string; at: number }>();
  const missing = new Map<string, number>();
  const checkTaints = plane.queue(setTaints);
  const now = () => clock.now();

  plane.observe(({ storage, type, object }) => {
    if (storage !== 'nodes') return;
    if (type === 'DELETED') heard.delete(object.metadata.name);
    else checkTaints(object.metadata.name);
  });
  plane.every(checkEveryMs, () => {
    for (const node of store.list('nodes')) checkHeartbeat(node);
    evict();
    collectPods();
  });

  function checkHeartbeat(node: KubeObject): void {
    const { name } = node.metadata;
    const lease = store.get('coordination.k8s.io/leases', 'kube-node-lease', name);
    const ready = conditionOf(node, 'Ready');
    const mark = `${textOf(memberOf({ ...lease }, 'spec')['renewTime'])} ${ready?.lastHeartbeatTime ?? ''}`;
    const last = heard.get(name);
    if (last?.mark !== mark) heard.set(name, { mark, at: clock.monotonic() });
    else if (clock.monotonic() - last.at > graceMs && ready?.status !== 'Unknown') markUnknown(node);
  }

  function markUnknown(node: KubeObject): void {
    const changed = plane.change(
      node,
      nodes,
      (copy) => {
        const status = memberOf(copy, 'status');
        const others = objectsOf(status['conditions']).filter((one) => !watched.includes(textOf(one['type'])));
        const unknown = watched.map((type) => {
          const before = conditionOf(node, type);
          return {
            type,
            status: 'Unknown',
            lastHeartbeatTime: before?.lastHeartbeatTime ?? timestamp(now()),
            lastTransitionTime: timestamp(now()),
            reason: before ? 'NodeStatusUnknown' : 'NodeStatusNeverUpdated',
            message: before ? 'Kubelet stopped posting node status.' : 'Kubelet never posted node status.',
          };
        });
        status['conditions'] = [...others, ...unknown];
      },
      'status',
    );
    if (!changed) return;
    plane.event(
      node,
      'node-controller',
      'Normal',
      'NodeNotReady',
      `Node ${node.metadata.name} status is now: NodeNotReady`,
    );
    for (const pod of podsOn(node.metadata.name)) markNotReady(pod);
  }

  function markNotReady(pod: KubeObject): void {
    plane.change(
      pod,
      pods,
      (copy) => {
        for (const condition of objectsOf(memberOf(copy, 'status')['conditions'])) {
          if (condition['type'] !== 'Ready' || condition['status'] === 'False') continue;
          condition['status'] = 'False';
          condition['lastTransitionTime'] = timestamp(now());
        }
      },
      'status',
    );
  }

  function setTaints(name: string): void {
    const object = store.get('nodes', '', name);
    if (!object) return;
    const ready = conditionOf(object, 'Ready')?.status ?? 'Unknown';
    const wanted: Taint[] = [];
    const badKey = ready === 'False' ? notReady : ready === 'Unknown' ? unreachable : undefined;
    // A node that never reported keeps the taint of its creation.
    const key = conditionOf(object, 'Ready') ? badKey : notReady;
    if (key) wanted.push({ key, effect: 'NoSchedule' });
    if (key && conditionOf(object, 'Ready')) wanted.push({ key, effect: 'NoExecute' });
    if (nodeOf(object).spec?.unschedulable) wanted.push({ key: unschedulable, effect: 'NoSchedule' });
    const mine = [notReady, unreachable, unschedulable];
    const before: Taint[] = nodeOf(object).spec?.taints ?? [];
    const isSame = (a: Taint) => (b: Taint) => a.key === b.key && a.effect === b.effect;
    const kept = before.filter((taint) => !mine.includes(taint.key) || wanted.some(isSame(taint)));
    const added = wanted.filter((taint) => !before.some(isSame(taint)));
    if (kept.length === before.length && added.length === 0) return;
    const timed = added.map((taint) => ({ ...taint, timeAdded: timestamp(now()) }));
    plane.change(object, nodes, (copy) => {
      memberOf(copy, 'spec')['taints'] = [...kept, ...timed].map((taint) => ({ ...taint }));
    });
  }

  /** Deletes Pods that do not tolerate a NoExecute taint, or not for so long. */
  function evict(): void {
    for (const object of store.list('nodes')) {
      const taints: Taint[] = (nodeOf(object).spec?.taints ?? []).filter((taint) => taint.effect === 'NoExecute');
      if (taints.length === 0) continue;
      for (const pod of podsOn(object.metadata.name)) if (taints.some((taint) => isOver(pod, taint))) evictPod(pod);
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

  function podsOn(name: string): KubeObject[] {
    return store
      .list('pods')
      .filter((pod) => asPod(pod).spec.nodeName === name && pod.metadata['deletionTimestamp'] === undefined);
  }
}

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

function nodeOf(object: KubeObject): Node {
  // The registry keeps only well-formed nodes; all parts that are used are optional.
  return object as unknown as Node;
}

function conditionOf(object: KubeObject, type: string): { status: string; lastHeartbeatTime?: string } | undefined {
  return nodeOf(object).status?.conditions?.find((one) => one.type === type);
}
