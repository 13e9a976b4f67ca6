import type { Pod, PodCondition, PodStatus } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { onePerFamily, podAddresses } from './addresses.ts';
import { anyRan, capsuleFailure } from './capsule-failure.ts';
import { type Finding, kubeletConditions, liveStatusCondition, resizeCondition, withFindings } from './conditions.ts';
import { type Containers, endContainers, situationContainers } from './containers.ts';
import { capsuleCondition, capsuleNamedBy, capsuleNameText } from './named-capsule.ts';
import { hasStarted, isTerminalPhase, type Phase, podPhase, ranIn } from './phase.ts';
import { conditionReason } from './reasons.ts';
import { kubeTime } from './time.ts';
import type { Situation, StatusContext } from './types.ts';

/** Phase, reason and message, which change together. */
interface Outcome {
  phase: Phase;
  reason?: string;
  message?: string;
}

/** Tells whether the capsule may still have a running container, so that a terminal phase would come too early. */
function couldStillRun(capsule: Capsule): boolean {
  return [...capsule.init_containers, ...capsule.containers].some(
    ({ status }) => status !== 'Stopped' && status !== 'Dead' && status !== 'Error' && status !== 'Deleted',
  );
}

function publishedOutcome(status: PodStatus | undefined, phase: Phase): Outcome {
  return {
    phase,
    ...(status?.reason ? { reason: status.reason } : {}),
    ...(status?.message ? { message: status.message } : {}),
  };
}

function publishedPhase(pod: Pod): Phase {
  return pod.status?.phase === 'Running' ? 'Running' : 'Pending';
}

function presentOutcome(pod: Pod, capsule: Capsule, terminating: boolean, containers: Containers): Outcome {
  const published = publishedPhase(pod);
  if (terminating) return publishedOutcome(pod.status, published);
  if (capsule.status === 'Error') {
    const { reason, message } = capsuleFailure(capsule);
    const ran = anyRan(capsule) || ranIn(containers.containerStatuses, capsule);
    return ran ? { phase: 'Failed', reason, message } : { phase: published };
  }
  const phase = podPhase(pod, containers, false);
  if (!isTerminalPhase(phase) || !couldStillRun(capsule)) return { phase };
  return { phase: published };
}

/**
 * Decides the phase. One that is terminal stays for good, with its reason and message.
 * Source: Kubernetes pkg/kubelet/status/status_manager.go (`mergePodStatus`).
 */
function outcomeOf(pod: Pod, situation: Situation, containers: Containers): Outcome {
  const published = pod.status?.phase;
  if (isTerminalPhase(published)) return publishedOutcome(pod.status, published);
  switch (situation.kind) {
    case 'waiting': {
      const phase = podPhase(pod, containers, false);
      return { phase: isTerminalPhase(phase) ? publishedPhase(pod) : phase };
    }
    case 'rejected': {
      const { reason, message } = situation;
      return { phase: 'Failed', reason, message: `Pod was rejected: ${message}` };
    }
    case 'present':
      return presentOutcome(pod, situation.capsule, situation.terminating, containers);
    case 'lost':
    case 'finished': {
      if (podPhase(pod, containers, true) === 'Succeeded') return { phase: 'Succeeded' };
      return situation.kind === 'finished'
        ? { phase: 'Failed' }
        : { phase: 'Failed', reason: situation.reason, message: situation.message };
    }
    case 'failed':
      return { phase: 'Failed', reason: situation.reason, message: situation.message };
    default:
      return situation satisfies never;
  }
}

/** The conditions of our own: which capsule it is, and whether its later life can be seen. */
function ownConditions(pod: Pod, situation: Situation, context: StatusContext): Finding[] {
  const published = pod.status?.conditions?.find(({ type }) => type === capsuleCondition);
  if (situation.kind !== 'present') {
    const letGo = situation.kind === 'waiting' ? situation.letGo : undefined;
    const named = letGo ?? capsuleNamedBy(pod.status);
    if (!named) return [];
    const ran = (pod.status?.containerStatuses ?? []).some(hasStarted);
    const waitingReason = ran ? conditionReason.replaced : conditionReason.startFailed;
    const reason = situation.kind === 'waiting' ? waitingReason : conditionReason.capsuleGone;
    const message = letGo ? capsuleNameText(letGo) : (published?.message ?? capsuleNameText(named));
    return [{ type: capsuleCondition, status: 'False', reason, message }];
  }
  const { capsule } = situation;
  const name: Finding = {
    type: capsuleCondition,
    status: 'True',
    reason: conditionReason.capsuleExists,
    message: capsuleNameText(capsule),
  };
  if (capsule.backend !== 'capsule' || context.capsuleStatusIsLive) return [name];
  const message =
    'Zun reports the containers of a capsule as they were when it started: later exits, restarts and exit codes are not seen';
  return [name, { type: liveStatusCondition, status: 'False', reason: conditionReason.statusFrozen, message }];
}

/** A resize that the capsule does not follow never will be. An end keeps what was last said. */
function resize(context: StatusContext, isOver: boolean): Finding[] {
  const message = context.unappliedResize;
  if (message === undefined || isOver) return [];
  return [{ type: resizeCondition, status: 'True', reason: conditionReason.infeasible, message }];
}

/** A capsule that vanished was ended by its backend: Jobs may treat that as a disruption. Others' words stay. */
function disruption(situation: Situation, outcome: Outcome, published: PodCondition[], isNew: boolean): Finding[] {
  const isTold = published.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True');
  if (situation.kind !== 'lost' || outcome.phase !== 'Failed' || isTold || !isNew) return [];
  const { message } = situation;
  return [{ type: 'DisruptionTarget', status: 'True', reason: conditionReason.terminatedByNode, message }];
}

/** The generation that the status speaks of: never smaller than published, and not moved by the deletion alone. */
function generationOf(pod: Pod, situation: Situation): number | undefined {
  const published = pod.status?.observedGeneration;
  const generation = pod.metadata.generation;
  if (generation === undefined) return published;
  const isOnItsWayOut = situation.kind === 'present' && situation.terminating && published !== undefined;
  return isOnItsWayOut ? published : Math.max(generation, published ?? 0);
}

function addressFields(pod: Pod, situation: Situation, context: StatusContext): Partial<PodStatus> {
  const published = (pod.status?.podIPs ?? []).map(({ ip }) => ip);
  const isOver = isTerminalPhase(pod.status?.phase);
  const seen = situation.kind === 'present' && !isOver ? podAddresses(situation.capsule.addresses, published) : [];
  const podIPs = seen.length > 0 ? seen : onePerFamily(published);
  const hostIPs = onePerFamily(context.hostIPs);
  return {
    ...(hostIPs[0] === undefined ? {} : { hostIP: hostIPs[0], hostIPs: hostIPs.map((ip) => ({ ip })) }),
    ...(podIPs[0] === undefined ? {} : { podIP: podIPs[0], podIPs: podIPs.map((ip) => ({ ip })) }),
  };
}

/**
 * Computes the whole status of a Pod from where it stands. Fields and conditions of others in the published status stay.
 * Calling it again with the result published and nothing new changes nothing.
 * Source: Kubernetes pkg/kubelet/kubelet_pods.go (`generateAPIPodStatus`).
 */
export function podStatus(pod: Pod, situation: Situation, context: StatusContext): PodStatus {
  const { reason: _, message: __, ...kept } = pod.status ?? {};
  const shown = situationContainers(pod, situation, context);
  const outcome = outcomeOf(pod, situation, shown);
  const containers = isTerminalPhase(outcome.phase) ? endContainers(shown, context.nowMs, false) : shown;
  const published = pod.status?.conditions ?? [];
  const observedGeneration = generationOf(pod, situation);
  const addresses = addressFields(pod, situation, context);
  const isOver = isTerminalPhase(outcome.phase);
  const hasSandbox =
    situation.kind === 'present' &&
    !isOver &&
    (addresses.podIP !== undefined || (containers.containerStatuses ?? []).some(({ state }) => state?.running));
  const findings = [
    ...kubeletConditions({
      pod,
      phase: outcome.phase,
      containerStatuses: containers.containerStatuses,
      initContainerStatuses: containers.initContainerStatuses,
      published,
      hasSandbox,
    }),
    ...ownConditions(pod, situation, context),
    ...resize(context, isOver),
    ...disruption(situation, outcome, published, !isTerminalPhase(pod.status?.phase)),
  ];
  const isResizeSettled = !isOver && context.unappliedResize === undefined;
  const standing = isResizeSettled ? published.filter(({ type }) => type !== resizeCondition) : published;
  return {
    ...kept,
    ...outcome,
    ...addresses,
    ...containers,
    startTime: pod.status?.startTime ?? kubeTime(context.nowMs),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions: withFindings(standing, findings, context.nowMs, observedGeneration),
  };
}
