import type { Container, ContainerStatus, Pod, PodStatus } from '../kube/types.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';
import { capsuleFailure } from './capsule-failure.ts';
import { type ContainerInput, containerStatus, initialWaiting, waitingStatus } from './container.ts';
import { endedStatus, observe } from './container-state.ts';
import { capsuleMembers } from './members.ts';
import { hasStarted, isTerminalPhase, statusOf } from './phase.ts';
import { containerReason } from './reasons.ts';
import { isSidecar } from './restart-policy.ts';
import type { Situation, StatusContext } from './types.ts';

/** The statuses of all containers. Absent lists mean that the Pod shows none (it was rejected). */
export interface Containers {
  containerStatuses?: ContainerStatus[];
  initContainerStatuses?: ContainerStatus[];
  ephemeralContainerStatuses?: ContainerStatus[];
}

/** Makes the status of each container; main ones sorted by name as the kubelet does, the others in the spec's order. */
function eachContainer(
  { pod, members, context }: { pod: Pod; members: Map<string, ZunContainer>; context: StatusContext },
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
    restarts: context.restarts[container.name] ?? 0,
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
export function endContainers(containers: Containers, nowMs: number, endWaiting: boolean): Containers {
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
  return eachContainer({ pod, members: new Map(), context }, (input) => {
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
  const containers = eachContainer({ pod, members: capsuleMembers(pod, capsule), context }, (input) =>
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
  const members = last ? capsuleMembers(pod, last) : new Map<string, ZunContainer>();
  const waiting = initialWaiting(pod);
  const known = eachContainer({ pod, members, context }, (input) => {
    if (input.previous?.state?.terminated) return input.previous;
    const exited = last && input.member && observe(input.member, last.backend, input.isInit, context.nowMs);
    if (last && exited?.kind === 'exited') return containerStatus(input, last, context);
    return input.previous?.state ? input.previous : waitingStatus(input, waiting, context);
  });
  return endContainers(known, context.nowMs, isInitDone(pod, known));
}

/** Computes the statuses of all containers of a Pod; those of a Pod that is over, or never accepted, stay as they are. */
export function situationContainers(pod: Pod, situation: Situation, context: StatusContext): Containers {
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
