import type { Problem } from '../base/problem.ts';
import { parseQuantity, type Quantity, wholeQuantity } from '../base/quantity.ts';
import type { Pod } from '../kube/types.ts';
import { meetsNodeAffinity, type SelectableNode } from './node-affinity.ts';
import { type Amounts, podRequests, shownAmount } from './pod-resources.ts';
import { outOf, podReason } from './reasons.ts';
import { isRecord, own } from './records.ts';
import { isWellShaped, withoutNulls } from './shape.ts';

/** The node as admission sees it. */
export interface NodeFacts extends SelectableNode {
  /** Kubernetes quantities by resource name. */
  allocatable: Readonly<Record<string, string>>;
}

/** What the Pods that were accepted and have not ended take together. */
export interface UsedResources {
  pods: number;
  amounts: Readonly<Amounts>;
}

/** What to do with Pods of DaemonSets that go to every node without asking what it is. */
export type DaemonSetPolicy = 'ignore' | 'reject' | 'run';

const osLabel = 'kubernetes.io/os';
const nodeOs = 'linux';

function refuse(path: string, reason: string, message: string): Problem {
  return { path, code: `admission.${reason.toLowerCase()}`, message, heals: false, reason };
}

function checkPlace(pod: Pod, node: SelectableNode): Problem[] {
  const problems: Problem[] = [];
  const { os, nodeSelector } = pod.spec;
  if (os && os.name !== nodeOs) {
    problems.push(refuse('spec.os.name', podReason.os, "Failed to admit pod as the OS field doesn't match node OS"));
  }
  const wanted = own(nodeSelector, osLabel);
  if (wanted !== undefined && wanted !== (node.labels[osLabel] ?? nodeOs)) {
    const message = `Failed to admit pod as the \`${osLabel}\` label doesn't match node label`;
    problems.push(refuse(`spec.nodeSelector["${osLabel}"]`, podReason.osLabel, message));
  } else if (!meetsNodeAffinity(pod, node)) {
    const message = "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
    const path = pod.spec.affinity ? 'spec.affinity.nodeAffinity' : 'spec.nodeSelector';
    problems.push(refuse(path, podReason.nodeAffinity, message));
  }
  return problems;
}

function checkResources(pod: Pod, node: NodeFacts, used: UsedResources): Problem[] {
  const wanted: [resource: string, requested: Quantity, taken: Quantity][] = [
    ['pods', wholeQuantity(1), wholeQuantity(used.pods)],
    ...Object.entries(podRequests(pod)).map(([resource, requested]): [string, Quantity, Quantity] => {
      return [resource, requested, own(used.amounts, resource) ?? 0n];
    }),
  ];
  return wanted.flatMap(([resource, requested, taken]) => {
    // What the node does not know at all is the table's business: a resource that zun cannot give.
    const capacity = parseQuantity(own(node.allocatable, resource));
    if (capacity === undefined || requested <= 0n || requested + taken <= capacity) return [];
    const [ask, before, all] = [requested, taken, capacity].map((amount) => shownAmount(resource, amount));
    const message = `Node didn't have enough resource: ${resource}, requested: ${ask}, used: ${before}, capacity: ${all}`;
    return [refuse('spec.containers', outOf(resource), message)];
  });
}

/**
 * Decides, once for each Pod, whether the node may take it: operating system, node selector and required affinity, room for
 * its requests next to those in use. Reasons and messages are the kubelet's. Fields that cannot be honoured are not looked at
 * here: `translatePod` refuses those.
 * Source: k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go.
 */
export function admit(pod: Pod, node: NodeFacts, used: UsedResources): Problem[] {
  const clean = withoutNulls(pod);
  if (!isWellShaped(clean)) return [];
  return [...checkPlace(clean, node), ...checkResources(clean, node, used)];
}

/** Tells whether a Pod of a DaemonSet is here only because it tolerates every taint, not because it names ours. */
function isEverywhereDaemonSetPod(pod: Pod): boolean {
  const { ownerReferences } = pod.metadata;
  const { tolerations } = pod.spec;
  const owners: unknown[] = Array.isArray(ownerReferences) ? ownerReferences : [];
  const isDaemonSet = owners.some(
    (owner) => isRecord(owner) && owner['kind'] === 'DaemonSet' && owner['controller'] === true,
  );
  const tolerated: unknown[] = Array.isArray(tolerations) ? tolerations : [];
  const toleratesAll = (one: unknown) => isRecord(one) && !one['key'] && one['operator'] === 'Exists';
  return isDaemonSet && tolerated.some(toleratesAll);
}

/**
 * Applies the policy for DaemonSets that land on every node (kube-proxy, network and storage agents): `ignore` leaves the Pod
 * Pending with a reason, so that nothing churns; `reject` fails it, and the DaemonSet makes another; `run` lets it through.
 */
export function daemonSetProblem(pod: Pod, policy: DaemonSetPolicy): Problem | undefined {
  if (policy === 'run' || !isEverywhereDaemonSetPod(pod)) return undefined;
  return {
    path: 'spec.tolerations',
    code: 'admission.daemon-set',
    message:
      'this node runs no Pods of DaemonSets that tolerate every taint; keep them away by node affinity, or name the taint virtual-kubelet.io/provider in the tolerations of those that are meant for it',
    heals: policy === 'ignore',
    reason: policy === 'ignore' ? podReason.daemonSet : podReason.unsupported,
  };
}
