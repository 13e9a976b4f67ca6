import { parseQuantity, type Quantity, wholeQuantity } from '../../../base/quantity.ts';
import type { Node, Pod } from '../../../kube/types.ts';
import { type KubeObject, memberOf, objectsOf, timestamp } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import { bindPod } from '../special-calls.ts';
import { keyOf } from '../store.ts';
import type { ControlPlane } from './control-plane.ts';
import { fits, matchesNode, tolerates } from './node-fit.ts';

interface Usage {
  node: string;
  cpu: Quantity;
  memory: Quantity;
}

const pods = resourceNamed('pods');
const component = 'default-scheduler';

/**
 * Binds Pods to nodes: taints, node selector, required node affinity, cpu, memory and the number of Pods count. It knows no
 * priorities, preemption, Pod affinity, topology spread, ports or volumes.
 */
export function startScheduler(plane: ControlPlane): void {
  const { store } = plane;
  const usages = new Map<string, Usage>();
  const pending = new Set<string>();
  const mark = plane.queue(schedule);

  plane.observe(({ storage, type, object }) => {
    if (storage === 'nodes') for (const key of pending) mark(key);
    if (storage !== 'pods') return;
    const pod = asPod(object);
    const key = keyOf(pod.metadata.namespace, pod.metadata.name);
    const isOver = type === 'DELETED' || isTerminal(pod);
    const freed = count(pod, isOver);
    if (isOver || pod.spec.nodeName || pod.metadata.deletionTimestamp || pod.spec.schedulerName !== component)
      pending.delete(key);
    else if (type === 'ADDED' || !pending.has(key)) {
      pending.add(key);
      mark(key);
    }
    if (freed) for (const waiting of pending) mark(waiting);
  });

  /** Keeps the books of what is used; true when something became free. */
  function count(pod: Pod, isOver: boolean): boolean {
    const { uid } = pod.metadata;
    if (isOver) return usages.delete(uid);
    if (pod.spec.nodeName && !usages.has(uid)) usages.set(uid, { node: pod.spec.nodeName, ...requestsOf(pod) });
    return false;
  }

  function schedule(key: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const object = store.get('pods', namespace, name);
    if (!object || !pending.has(key)) return;
    const pod = asPod(object);
    if (pod.spec.schedulingGates?.length) return;
    const { node, message } = choose(pod);
    if (node === undefined) {
      refuse(object, message);
      return;
    }
    bindPod({ registry: plane.registry, now: () => plane.clock.now() }, { namespace, name, node });
    plane.event(object, component, 'Normal', 'Scheduled', `Successfully assigned ${key} to ${node}`);
  }

  function choose(pod: Pod): { node: string | undefined; message: string } {
    // The registry keeps only well-formed nodes; the parts that are used may be missing all the same.
    const nodes = store.list('nodes') as unknown as Node[];
    const reasons = new Map<string, number>();
    const candidates: { name: string; pods: number }[] = [];
    for (const node of nodes) {
      const used = [...usages.values()].filter((usage) => usage.node === node.metadata.name);
      const why = whyNot(pod, node, used);
      if (why === undefined) candidates.push({ name: node.metadata.name, pods: used.length });
      else reasons.set(why, (reasons.get(why) ?? 0) + 1);
    }
    candidates.sort((a, b) => a.pods - b.pods);
    const counted = [...reasons].map(([why, number]) => `${number} ${why}`).sort();
    const message =
      nodes.length === 0
        ? 'no nodes available to schedule pods'
        : `0/${nodes.length} nodes are available: ${counted.join(', ')}. preemption: 0/${nodes.length} nodes are available: ${nodes.length} Preemption is not helpful for scheduling.`;
    return { node: candidates[0]?.name, message };
  }

  function refuse(object: KubeObject, message: string): void {
    const before = asPod(object).status?.conditions?.find((one) => one.type === 'PodScheduled');
    if (before?.message === message) return;
    plane.change(
      object,
      pods,
      (copy) => {
        const status = memberOf(copy, 'status');
        const others = objectsOf(status['conditions']).filter((one) => one['type'] !== 'PodScheduled');
        const condition = {
          type: 'PodScheduled',
          observedGeneration: copy.metadata['generation'] ?? 1,
          status: 'False',
          lastProbeTime: null,
          lastTransitionTime: before?.lastTransitionTime ?? timestamp(plane.clock.now()),
          reason: 'Unschedulable',
          message,
        };
        status['conditions'] = [...others, condition];
      },
      'status',
    );
    plane.event(object, component, 'Warning', 'FailedScheduling', message);
  }

  for (const object of store.list('pods')) count(asPod(object), isTerminal(asPod(object)));
}

function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function requestsOf(pod: Pod): { cpu: Quantity; memory: Quantity } {
  const sum = (name: string) =>
    pod.spec.containers.reduce(
      (total, one) => total + (parseQuantity(one.resources?.requests?.[name] ?? '0') ?? 0n),
      0n,
    );
  return { cpu: sum('cpu'), memory: sum('memory') };
}

function whyNot(pod: Pod, node: Node, used: Usage[]): string | undefined {
  if (node.spec?.unschedulable) return 'node(s) were unschedulable';
  const untolerated = tolerates(pod, node);
  if (untolerated) return `node(s) had untolerated taint {${untolerated.key}: ${untolerated.value ?? ''}}`;
  if (!matchesNode(pod, node)) return "node(s) didn't match Pod's node affinity/selector";
  const wanted = requestsOf(pod);
  const total = (name: 'cpu' | 'memory') => used.reduce((sum, usage) => sum + usage[name], 0n);
  const { allocatable = {} } = node.status ?? {};
  if (!fits(wholeQuantity(used.length + 1), allocatable['pods'])) return 'Too many pods';
  if (!fits(total('cpu') + wanted.cpu, allocatable['cpu'])) return 'Insufficient cpu';
  return fits(total('memory') + wanted.memory, allocatable['memory']) ? undefined : 'Insufficient memory';
}
