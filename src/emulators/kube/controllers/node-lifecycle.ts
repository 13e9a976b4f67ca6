import { type KubeObject, memberOf, objectsOf, textOf, timestamp } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { livePodsOn, nodeOf, type Taint } from './nodes.ts';

const nodes = resourceNamed('nodes');
const pods = resourceNamed('pods');
const graceMs = 50_000;
const checkEveryMs = 5_000;

const notReady = 'node.kubernetes.io/not-ready';
const unreachable = 'node.kubernetes.io/unreachable';
const unschedulable = 'node.kubernetes.io/unschedulable';

/**
 * Watches over nodes as kube-controller-manager does: a node whose lease and status stand still for 50 s becomes Unknown and
 * its Pods not ready; conditions become taints.
 */
export function startNodeLifecycle(plane: ControlPlane): void {
  const { store, clock } = plane;
  const heard = new Map<string, { mark: string; at: number }>();
  const checkTaints = plane.queue(setTaints);
  const now = () => clock.now();

  plane.observe(({ storage, type, object }) => {
    if (storage !== 'nodes') return;
    if (type === 'DELETED') heard.delete(object.metadata.name);
    else checkTaints(object.metadata.name);
  });
  plane.every(checkEveryMs, () => {
    for (const node of store.list('nodes')) checkHeartbeat(node);
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
    for (const pod of livePodsOn(store, node.metadata.name)) markNotReady(pod);
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
}

const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

function conditionOf(object: KubeObject, type: string): { status: string; lastHeartbeatTime?: string } | undefined {
  return nodeOf(object).status?.conditions?.find((one) => one.type === type);
}
