import type { Container, ContainerStatus, Pod, PodCondition, PodStatus } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { onePerFamily, podAddresses } from './addresses.ts';
import { anyRan, capsuleFailure } from './capsule-failure.ts';
import { type Finding, kubeletConditions, liveStatusCondition, withFindings } from './conditions.ts';
import { type ContainerInput, containerStatus, initialWaiting, waitingStatus } from './container.ts';
import { endedStatus, observe } from './container-state.ts';
import { capsuleMembers } from './members.ts';
import { capsuleCondition, capsuleNamedBy, capsuleNameText } from './named-capsule.ts';
import { hasStarted, isTerminalPhase, type Phase, podPhase, statusOf } from './phase.ts';
import { conditionReason, containerReason } from './reasons.ts';
import { isSidecar } from './restart-policy.ts';
import { kubeTime } from './time.ts';
import type { Situation, StatusContext } from './types.ts';

/** The statuses of all containers. Absent lists mean that the Pod shows none (it was rejected). */
interface Containers {
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  ephemeralContainerStatuses?: ContainerStatus[];
}

/** Phase, reason and message, which change together. */
interface Outcome {
  phase: Phase;
  reason?: string;
  message?: string;
}

/** Makes the status of each container; main ones sorted by name as the kubelet does, the others in the spec's order. */
function eachContainer(
  pod: Pod,
  members: Map<string, ContainerInput['member']>,
  make: (input: ContainerInput) => ContainerStatus,
): Containers {
  const status = pod.status;
  const inputFor = (
    container: Container,
    isInit: boolean,
    published: ContainerStatus[] | undefined,
  ): ContainerInput => ({
    pod,
    container,
    isInit,
    previous: statusOf(published, container.name),
    member: members.get(container.name),
  });
  const mains = pod.spec.containers.map((container) => make(inputFor(container, false, status?.containerStatuses)));
  const inits = (pod.spec.initContainers ?? []).map((container) =>
    make(inputFor(container, true, status?.initContainerStatuses)),
  );
  return {
    containerStatuses: mains.sort((a, b) => (a.name < b.name ? -1 : 1)),
    ...(inits.length > 0 ? { initContainerStatuses: inits } : {}),
    ...ephemeralStatuses(pod),
  };
}

/** Zun cannot add a container to a capsule, so a debug container waits forever and says why. */
function ephemeralStatuses(pod: Pod): Pick<Containers, 'ephemeralContainerStatuses'> {
  const containers = pod.spec.ephemeralContainers ?? [];
  if (containers.length === 0) return {};
  const message = 'zun cannot add a container to a running capsule';
  return {
    ephemeralContainerStatuses: containers.map(
      ({ name, image }): ContainerStatus =>
        statusOf(pod.status?.ephemeralContainerStatuses, name) ?? {
          name,
          image: image ?? '',
          imageID: '',
          state: { waiting: { reason: containerReason.createError, message } },
          lastState: {},
          ready: false,
          started: false,
          restartCount: 0,
        },
    ),
  };
}

function publishedContainers(status: PodStatus | undefined): Containers {
  return {
    ...(status?.containerStatuses ? { containerStatuses: status.containerStatuses } : {}),
    ...(status?.initContainerStatuses ? { initContainerStatuses: status.initContainerStatuses } : {}),
    ...(status?.ephemeralContainerStatuses ? { ephemeralContainerStatuses: status.ephemeralContainerStatuses } : {}),
  };
}

/**
 * Ends the containers of a Pod that is over. One that never started stays as it waited, unless `endWaiting` says that
 * the Pod had come as far as its main containers.
 * Source: Kubernetes pkg/kubelet/status/status_manager.go (`TerminatePod`).
 */
function endContainers(containers: Containers, nowMs: number, endWaiting: boolean): Containers {
  const end = (status: ContainerStatus, always: boolean) =>
    status.state?.running || hasStarted(status) || always
      ? endedStatus(status, nowMs)
      : { ...status, ready: false, started: false };
  const { containerStatuses, initContainerStatuses } = containers;
  return {
    ...containers,
    ...(containerStatuses ? { containerStatuses: containerStatuses.map((status) => end(status, endWaiting)) } : {}),
    ...(initContainerStatuses
      ? {
          initContainerStatuses: initContainerStatuses.map((status) => ({
            ...end(status, false),
            ready: status.ready && status.state?.terminated?.exitCode === 0,
          })),
        }
      : {}),
  };
}

function isInitDone(pod: Pod, containers: Containers): boolean {
  return (pod.spec.initContainers ?? []).every((container) => {
    const status = statusOf(containers.initContainerStatuses, container.name);
    return isSidecar(container) ? hasStarted(status) : status?.state?.terminated?.exitCode === 0;
  });
}

function waitingContainers(pod: Pod, situation: Situation & { kind: 'waiting' }, context: StatusContext): Containers {
  const problemOf = (name: string) =>
    situation.problems.find((problem) => problem.container === name) ??
    situation.problems.find((problem) => problem.container === undefined);
  return eachContainer(pod, new Map(), (input) => {
    const problem = problemOf(input.container.name);
    const waiting = problem
      ? { reason: problem.reason ?? containerReason.createError, message: problem.message }
      : hasStarted(input.previous)
        ? { reason: containerReason.creating }
        : initialWaiting(pod);
    return waitingStatus(input, waiting, context);
  });
}

/** The containers as the capsule shows them; in a capsule that failed, those that did not start say why. */
function presentContainers(pod: Pod, capsule: Capsule, terminating: boolean, context: StatusContext): Containers {
  const containers = eachContainer(pod, capsuleMembers(pod, capsule), (input) =>
    containerStatus(input, capsule, context),
  );
  if (capsule.status !== 'Error' || terminating) return containers;
  const { waitingReason, message } = capsuleFailure(capsule);
  const waiting = [...(containers.initContainerStatuses ?? []), ...(containers.containerStatuses ?? [])].filter(
    (status) => status.state?.waiting,
  );
  const named = waiting.filter(({ image }) => image !== '' && message.includes(image));
  const blamed = new Set((named.length > 0 ? named : waiting).map(({ name }) => name));
  const blame = (status: ContainerStatus): ContainerStatus =>
    blamed.has(status.name) ? { ...status, state: { waiting: { reason: waitingReason, message } } } : status;
  return {
    ...containers,
    ...(containers.containerStatuses ? { containerStatuses: containers.containerStatuses.map(blame) } : {}),
    ...(containers.initContainerStatuses ? { initContainerStatuses: containers.initContainerStatuses.map(blame) } : {}),
  };
}

/** What the containers had come to before their capsule went: exits that were seen count, everything else is unknown. */
function lastContainers(pod: Pod, last: Capsule | undefined, context: StatusContext): Containers {
  const members = last ? capsuleMembers(pod, last) : new Map<string, ContainerInput['member']>();
  const waiting = initialWaiting(pod);
  const known = eachContainer(pod, members, (input) => {
    if (input.previous?.state?.terminated) return input.previous;
    const exited = last && input.member && observe(input.member, last.backend, input.isInit, context.nowMs);
    if (last && exited?.kind === 'exited') return containerStatus(input, last, context);
    return input.previous?.state ? input.previous : waitingStatus(input, waiting, context);
  });
  return endContainers(known, context.nowMs, isInitDone(pod, known));
}

function situationContainers(pod: Pod, situation: Situation, context: StatusContext): Containers {
  if (isTerminalPhase(pod.status?.phase)) return publishedContainers(pod.status);
  switch (situation.kind) {
    case 'waiting':
      return waitingContainers(pod, situation, context);
    case 'present':
      return presentContainers(pod, situation.capsule, situation.terminating, context);
    case 'rejected':
      return publishedContainers(pod.status);
    case 'lost':
    case 'finished':
    case 'failed':
      return lastContainers(pod, situation.last, context);
    default:
      return situation satisfies never;
  }
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
    const ran = anyRan(capsule) || (containers.containerStatuses ?? []).some(hasStarted);
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
    const named = capsuleNamedBy(pod.status);
    if (!named || !published) return [];
    const message = published.message ?? capsuleNameText(named);
    return [{ type: capsuleCondition, status: 'False', reason: 'CapsuleGone', message }];
  }
  const { capsule } = situation;
  const name: Finding = {
    type: capsuleCondition,
    status: 'True',
    reason: 'CapsuleExists',
    message: capsuleNameText(capsule),
  };
  if (capsule.backend !== 'capsule' || context.capsuleStatusIsLive) return [name];
  const message =
    'Zun reports the containers of a capsule as they were when it started: later exits, restarts and exit codes are not seen';
  return [name, { type: liveStatusCondition, status: 'False', reason: conditionReason.statusFrozen, message }];
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
    ...disruption(situation, outcome, published, !isTerminalPhase(pod.status?.phase)),
  ];
  return {
    ...kept,
    ...outcome,
    ...addresses,
    ...containers,
    startTime: pod.status?.startTime ?? kubeTime(context.nowMs),
    ...(observedGeneration === undefined ? {} : { observedGeneration }),
    conditions: withFindings(published, findings, context.nowMs, observedGeneration),
  };
}
