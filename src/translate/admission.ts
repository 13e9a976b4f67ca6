import type { Problem } from '../base/problem.ts';
import { parseQuantity, type Quantity, wholeQuantity } from '../base/quantity.ts';
import type { Pod } from '../kube/types.ts';
import { meetsNodeAffinity, type SelectableNode } from './node-affinity.ts';
import { type Amounts, podRequests, shownAmount } from './pod-resources.ts';
import { outOf, podReason } from './reasons.ts';
import { isWellShaped, own, withoutNulls } from './shape.ts';

/** What admission may look at. */
export interface AdmissionFacts {
  /** As last written or read; selectors are not compared before there is one. */
  node: { metadata: { name: string; labels?: Record<string, string> } } | undefined;
  /** Kubernetes quantities by resource name. */
  allocatable: Readonly<Record<string, string>>;
  /** The Pods bound to the node; the Pod itself among them does not count. */
  others: Iterable<Pod>;
  daemonSetPods: DaemonSetPolicy;
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

function isEnded(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

function arrival(pod: Pod): string {
  return `${pod.metadata.creationTimestamp ?? ''}/${pod.metadata.uid}`;
}

/** A Pod counts once it was accepted, or when it came first: two that wait must not refuse each other. */
function countsBefore(other: Pod, pod: Pod): boolean {
  if (other.metadata.uid === pod.metadata.uid || isEnded(other)) return false;
  const wasAccepted = other.status?.startTime !== undefined && other.status.startTime !== null;
  return wasAccepted || arrival(other) < arrival(pod);
}

type RequestsOf = (pod: Pod) => Amounts;

function checkResources(pod: Pod, facts: AdmissionFacts, requestsOf: RequestsOf): Problem[] {
  const wanted: [string, Quantity][] = [['pods', wholeQuantity(1)], ...Object.entries(requestsOf(pod))];
  const used = new Map(wanted.map(([resource]) => [resource, 0n]));
  for (const other of facts.others) {
    if (!countsBefore(other, pod)) continue;
    const amounts: Amounts = { ...requestsOf(other), pods: wholeQuantity(1) };
    for (const [resource, sum] of used) used.set(resource, sum + (own(amounts, resource) ?? 0n));
  }
  return wanted.flatMap(([resource, requested]) => {
    // What the node does not know at all is the table's business: a resource that zun cannot give.
    const capacity = parseQuantity(own(facts.allocatable, resource));
    const taken = used.get(resource) ?? 0n;
    if (capacity === undefined || requested <= 0n || requested + taken <= capacity) return [];
    const [ask, before, all] = [requested, taken, capacity].map((amount) => shownAmount(resource, amount));
    const message = `Node didn't have enough resource: ${resource}, requested: ${ask}, used: ${before}, capacity: ${all}`;
    return [refuse('spec.containers', outOf(resource), message)];
  });
}

/**
 * Decides, once for each Pod, whether the node may take it: the policy for DaemonSets, operating system, node selector and
 * required affinity, room for its requests next to those in use. Reasons and messages are the kubelet's. Fields that cannot
 * be honoured are not looked at here: `translatePod` refuses those.
 * Source: k8s.io/kubernetes/pkg/kubelet/lifecycle/predicate.go.
 */
export function admit(pod: Pod, facts: AdmissionFacts, requestsOf: RequestsOf = podRequests): Problem[] {
  const clean = withoutNulls(pod);
  if (!isWellShaped(clean)) return [];
  const daemonSet = daemonSetProblem(clean, facts.daemonSetPods);
  if (daemonSet) return [daemonSet];
  const { metadata } = facts.node ?? {};
  const place = metadata ? checkPlace(clean, { name: metadata.name, labels: metadata.labels ?? {} }) : [];
  return [...place, ...checkResources(clean, facts, requestsOf)];
}

/** Makes an `admit` that remembers what each Pod object asks for: with many Pods at once the sums are what costs. */
export function createAdmission(): (pod: Pod, facts: AdmissionFacts) => Problem[] {
  const known = new WeakMap<Pod, Amounts>();
  const requestsOf = (pod: Pod): Amounts => {
    const before = known.get(pod);
    if (before) return before;
    const made = podRequests(pod);
    known.set(pod, made);
    return made;
  };
  return (pod, facts) => admit(pod, facts, requestsOf);
}

/** Tells whether a Pod of a DaemonSet is here only because it tolerates every taint, not because it names ours. */
export function isEverywhereDaemonSetPod(pod: Pod): boolean {
  const owners = pod.metadata.ownerReferences ?? [];
  const isDaemonSet = owners.some(({ kind, controller }) => kind === 'DaemonSet' && controller === true);
  const tolerations = pod.spec.tolerations ?? [];
  return isDaemonSet && tolerations.some(({ key, operator }) => !key && operator === 'Exists');
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
