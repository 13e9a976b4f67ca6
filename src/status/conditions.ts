import type { ContainerStatus, Pod, PodCondition, PodStatus } from '../kube/types.ts';
import { hasStarted, type Phase, statusOf } from './phase.ts';
import { conditionReason } from './reasons.ts';
import { isSidecar } from './restart-policy.ts';
import { kubeTime, kubeTimeMs } from './time.ts';

/** The condition that says whether exits and restarts after the start can be seen; False on capsules of stock Zun. */
export const liveStatusCondition = 'zunlet.io/LiveStatus';

/** The kubelet's condition of a resize that is not done; absent where there is none. Source: Kubernetes KEP-1287. */
export const resizeCondition = 'PodResizePending';

/** A condition before its times are known. */
export type Finding = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>;

/** What the conditions are computed from. */
export interface ConditionInput {
  pod: Pod;
  phase: Phase;
  containerStatuses: ContainerStatus[] | undefined;
  initContainerStatuses: ContainerStatus[] | undefined;
  /** Conditions of others, for the readiness gates. */
  published: PodCondition[];
  /** True while a capsule with an address exists. */
  hasSandbox: boolean;
}

function list(names: string[]): string {
  return `[${names.join(' ')}]`;
}

/** Says which containers are not known and which are not yet what they should be. */
function complaint(unknown: string[], lacking: string[], word: string): string | undefined {
  const parts = [
    ...(unknown.length > 0 ? [`containers with unknown status: ${list(unknown)}`] : []),
    ...(lacking.length > 0 ? [`containers with ${word} status: ${list(lacking)}`] : []),
  ];
  return parts.length > 0 ? parts.join(', ') : undefined;
}

/** All regular init containers are done and all sidecars have started. Source: Kubernetes pkg/kubelet/status/generate.go. */
function initialized(input: ConditionInput): Finding {
  const type = 'Initialized';
  const { pod, phase } = input;
  const unknown: string[] = [];
  const incomplete: string[] = [];
  for (const container of pod.spec.initContainers ?? []) {
    const status = statusOf(input.initContainerStatuses, container.name);
    if (!status) unknown.push(container.name);
    else if (isSidecar(container) ? status.started !== true : !status.ready) incomplete.push(container.name);
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'True', reason: conditionReason.completed };
  if ((input.containerStatuses ?? []).some(hasStarted)) return { type, status: 'True' };
  const message = complaint(unknown, incomplete, 'incomplete');
  return message === undefined
    ? { type, status: 'True' }
    : { type, status: 'False', reason: conditionReason.notInitialized, message };
}

/** All main containers and sidecars are ready. A Pod that is over is never ready. */
function containersReady(input: ConditionInput): Finding {
  const type = 'ContainersReady';
  const { pod, phase } = input;
  if (phase === 'Failed') return { type, status: 'False', reason: conditionReason.failed };
  if (phase === 'Succeeded') return { type, status: 'False', reason: conditionReason.completed };
  if (!input.containerStatuses) return { type, status: 'False', reason: conditionReason.unknownStatuses };
  const unknown: string[] = [];
  const unready: string[] = [];
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const all = [...(input.initContainerStatuses ?? []), ...input.containerStatuses];
  for (const { name } of [...sidecars, ...pod.spec.containers]) {
    const status = statusOf(all, name);
    if (!status) unknown.push(name);
    else if (!status.ready) unready.push(name);
  }
  const message = complaint(unknown, unready, 'unready');
  return message === undefined
    ? { type, status: 'True' }
    : { type, status: 'False', reason: conditionReason.notReady, message };
}

/** The containers are ready and so are all conditions that the Pod names as readiness gates. */
function ready(input: ConditionInput, containers: Finding): Finding {
  const type = 'Ready';
  if (containers.status !== 'True') return { ...containers, type };
  const messages: string[] = [];
  for (const { conditionType } of input.pod.spec.readinessGates ?? []) {
    const gate = input.published.find((condition) => condition.type === conditionType);
    if (!gate)
      messages.push(`corresponding condition of pod readiness gate ${JSON.stringify(conditionType)} does not exist.`);
    else if (gate.status !== 'True') {
      messages.push(
        `the status of pod readiness gate ${JSON.stringify(conditionType)} is not "True", but ${gate.status}`,
      );
    }
  }
  if (messages.length === 0) return { type, status: 'True' };
  return { type, status: 'False', reason: conditionReason.gatesNotReady, message: messages.join(', ') };
}

/** Computes the conditions that a kubelet owns. */
export function kubeletConditions(input: ConditionInput): Finding[] {
  const containers = containersReady(input);
  return [
    { type: 'PodReadyToStartContainers', status: input.hasSandbox ? 'True' : 'False' },
    initialized(input),
    ready(input, containers),
    containers,
    { type: 'PodScheduled', status: 'True' },
  ];
}

/**
 * Puts findings over the published conditions: those of others stay, the transition time moves only when the status
 * flips. `observedGeneration` goes on each of ours.
 */
export function withFindings(
  published: PodCondition[],
  findings: Finding[],
  nowMs: number,
  observedGeneration: number | undefined,
): NonNullable<PodStatus['conditions']> {
  const found = new Map(findings.map((finding) => [finding.type, finding]));
  const dated = (finding: Finding, old: PodCondition | undefined): PodCondition => {
    const oldMs = old?.status === finding.status ? kubeTimeMs(old.lastTransitionTime) : undefined;
    return {
      ...finding,
      lastTransitionTime: kubeTime(oldMs ?? nowMs),
      ...(observedGeneration === undefined ? {} : { observedGeneration }),
    };
  };
  const kept = published.map((old) => {
    const finding = found.get(old.type);
    found.delete(old.type);
    return finding ? dated(finding, old) : old;
  });
  return [...kept, ...[...found.values()].map((finding) => dated(finding, undefined))];
}
