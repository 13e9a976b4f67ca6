import { containerIdScheme } from '../base/identity.ts';
import type { Container, ContainerState, ContainerStatus, Pod } from '../kube/types.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';
import { isLaterRun, type Observed, observe, type Terminated, unknownTermination } from './container-state.ts';
import { hasStarted } from './phase.ts';
import { containerReason, lostBeforeRestartMessage } from './reasons.ts';
import { isInitRestartable, isRestartable, isSidecar } from './restart-policy.ts';
import { kubeTime, kubeTimeMs } from './time.ts';
import type { ProbeView, StatusContext } from './types.ts';

/** One container of a Pod with all that its status is made of. */
export interface ContainerInput {
  pod: Pod;
  container: Container;
  isInit: boolean;
  previous: ContainerStatus | undefined;
  member: ZunContainer | undefined;
  /** The count that the restarts which the node made lead to; shown when the run that they led to is seen. */
  restarts: number;
}

type Waiting = NonNullable<ContainerState['waiting']>;
type Run = Pick<ContainerStatus, 'state' | 'lastState' | 'restartCount'>;

/** The state of a container that has not been tried yet. Source: Kubernetes pkg/kubelet/kubelet_pods.go. */
export function initialWaiting(pod: Pod): Waiting {
  const hasInit = (pod.spec.initContainers ?? []).length > 0;
  return { reason: hasInit ? containerReason.initializing : containerReason.creating };
}

/**
 * Tells whether a published termination may be followed by another run. The API server refuses the whole status
 * otherwise. Source: Kubernetes pkg/apis/core/validation (`ValidateContainerStateTransition`).
 */
function mayRunAgain({ pod, container, isInit }: ContainerInput, terminated: Terminated): boolean {
  const rule = isInit ? isInitRestartable : isRestartable;
  return rule(pod, container, terminated.exitCode);
}

/** The last run's termination: as published, else unknown for a run that was published; nothing when none ever started. */
function lastTermination(previous: ContainerStatus | undefined, endMs: number): Terminated | undefined {
  if (previous?.state?.terminated) return previous.state.terminated;
  if (previous?.state?.running) return unknownTermination(previous, endMs, lostBeforeRestartMessage);
  return previous?.lastState?.terminated;
}

function asLastState(terminated: Terminated | undefined): ContainerState {
  return terminated ? { terminated } : {};
}

function runningRun(input: ContainerInput, observed: Observed & { kind: 'running' }, sameContainer: boolean): Run {
  const { previous, restarts } = input;
  const restartCount = previous?.restartCount ?? 0;
  const startedAt = previous?.state?.running?.startedAt;
  const isDemanded = restarts > restartCount;
  if (sameContainer && previous?.state?.running && !isLaterRun(observed.earliestMs, startedAt, isDemanded)) {
    const since = startedAt ?? kubeTime(observed.sinceMs);
    return { state: { running: { startedAt: since } }, lastState: previous.lastState ?? {}, restartCount };
  }
  const last = lastTermination(previous, observed.sinceMs);
  const sinceMs = Math.max(observed.sinceMs, kubeTimeMs(last?.finishedAt) ?? observed.sinceMs);
  return {
    state: { running: { startedAt: kubeTime(sinceMs) } },
    lastState: asLastState(last),
    restartCount: Math.max(restartCount + (last ? 1 : 0), restarts),
  };
}

function exitedRun(input: ContainerInput, observed: Observed & { kind: 'exited' }, sameContainer: boolean): Run {
  const { previous, member } = input;
  const restartCount = previous?.restartCount ?? 0;
  const published = previous?.state?.terminated;
  const isSameExit =
    sameContainer &&
    published?.exitCode === observed.exitCode &&
    !isLaterRun(observed.earliestMs, published.finishedAt, false);
  if (published && isSameExit)
    return { state: { terminated: published }, lastState: previous?.lastState ?? {}, restartCount };
  const isNewRun = sameContainer ? published !== undefined : hasStarted(previous);
  const last = isNewRun ? lastTermination(previous, observed.atMs) : previous?.lastState?.terminated;
  const runningSince = sameContainer ? previous?.state?.running?.startedAt : undefined;
  const fromMs = kubeTimeMs(runningSince) ?? (isNewRun ? kubeTimeMs(last?.finishedAt) : undefined);
  const startedMs = fromMs ?? observed.startFloorMs;
  const terminated: Terminated = {
    exitCode: observed.exitCode,
    reason: observed.reason,
    ...(observed.message === undefined ? {} : { message: observed.message }),
    startedAt: kubeTime(Math.min(startedMs, observed.atMs)),
    finishedAt: kubeTime(observed.atMs),
    ...(member ? { containerID: `${containerIdScheme}${member.uuid}` } : {}),
  };
  return {
    state: { terminated },
    lastState: asLastState(last),
    restartCount: isNewRun ? Math.max(restartCount + 1, input.restarts) : restartCount,
  };
}

/** The container is away for a moment: what ran before moves to the last state. */
function waitingRun(input: ContainerInput, waiting: Waiting, last: Terminated | undefined): Run {
  const { previous } = input;
  return { state: { waiting }, lastState: asLastState(last), restartCount: previous?.restartCount ?? 0 };
}

function restartingRun(input: ContainerInput, atMs: number): Run {
  const { pod, container, previous, member } = input;
  const { name, namespace, uid } = pod.metadata;
  const message = `back-off restarting failed container=${container.name} pod=${name}_${namespace}(${uid})`;
  const ended = previous?.containerID || !member ? previous : { containerID: containerIdOf(member) };
  const last =
    lastTermination(previous, atMs) ??
    unknownTermination(ended, atMs, 'zun reports that the container restarts, but not how it ended');
  return waitingRun(input, { reason: containerReason.crashLoop, message }, last);
}

/** Keeps what was published. */
function keptRun(input: ContainerInput): Run {
  const { pod, previous } = input;
  const known = previous?.state && (previous.state.running ?? previous.state.terminated ?? previous.state.waiting);
  const state = known && previous.state ? previous.state : { waiting: initialWaiting(pod) };
  return { state, lastState: previous?.lastState ?? {}, restartCount: previous?.restartCount ?? 0 };
}

function containerIdOf(member: ZunContainer): string {
  return `${containerIdScheme}${member.uuid}`;
}

function nextRun(input: ContainerInput, observed: Observed, nowMs: number): Run {
  const { pod, previous, member } = input;
  const sameContainer = member !== undefined && previous?.containerID === containerIdOf(member);
  const published = previous?.state?.terminated;
  if (published && !mayRunAgain(input, published)) return keptRun(input);
  switch (observed.kind) {
    case 'running':
      return runningRun(input, observed, sameContainer);
    case 'exited':
      return exitedRun(input, observed, sameContainer);
    case 'restarting':
      return restartingRun(input, observed.atMs);
    case 'waiting': {
      const waiting = hasStarted(previous) ? { reason: containerReason.creating } : initialWaiting(pod);
      return waitingRun(input, waiting, lastTermination(previous, nowMs));
    }
    case 'unsure':
      return keptRun(input);
    default:
      observed satisfies never;
      return keptRun(input);
  }
}

/** What is ready and started by the kubelet's rules, where the probe engine's word counts first. */
function readiness(input: ContainerInput, run: Run, view: ProbeView, observed: Observed) {
  const { container, isInit, previous } = input;
  const since = run.state?.running?.startedAt;
  const isRunning = run.state?.running !== undefined;
  const isSameRun = isRunning && previous?.state?.running?.startedAt === since;
  const started =
    isRunning && (view.started ?? (container.startupProbe ? isSameRun && previous?.started === true : true));
  if (isInit && !isSidecar(container)) return { ready: run.state?.terminated?.exitCode === 0, started };
  const probed = view.ready ?? (container.readinessProbe ? isSameRun && previous?.ready === true : true);
  const isServing = observed.kind === 'running' ? !observed.paused : observed.kind === 'unsure' && observed.keepsReady;
  return { ready: started && isServing && probed, started };
}

/** Puts a status together; fields of others in the published one stay. */
function assembleStatus(
  input: ContainerInput,
  run: Run,
  rest: { ready: boolean; started: boolean; containerID: string | undefined },
): ContainerStatus {
  const { container, previous, member } = input;
  const { containerID: _, ...foreign } = previous ?? {};
  return {
    ...foreign,
    name: container.name,
    image: member?.image ?? container.image ?? previous?.image ?? '',
    imageID: previous?.imageID ?? '',
    ...run,
    ready: rest.ready,
    started: rest.started,
    ...(rest.containerID === undefined ? {} : { containerID: rest.containerID }),
  };
}

/**
 * Computes the status of a container whose capsule exists. Zun tells a state but no history, so the published status is
 * the memory: times do not move, restart counts do not drop, a final termination stays.
 * Source: Kubernetes pkg/kubelet/kubelet_pods.go (`convertToAPIContainerStatuses`), docs/zun.md.
 */
export function containerStatus(input: ContainerInput, capsule: Capsule, context: StatusContext): ContainerStatus {
  const { container, member, previous, isInit } = input;
  const observed: Observed = member
    ? observe(member, capsule.backend, isInit && !isSidecar(container), context.nowMs)
    : { kind: 'unsure', keepsReady: false };
  const run = nextRun(input, observed, context.nowMs);
  const isKept = previous?.state?.terminated !== undefined && run.state?.terminated === previous.state.terminated;
  const isSeen =
    !isKept && (observed.kind === 'running' || observed.kind === 'exited' || observed.kind === 'restarting');
  const publishedId = hasStarted(previous) ? previous?.containerID : undefined;
  const containerID = member && isSeen ? containerIdOf(member) : publishedId;
  const given = context.probes[container.name] ?? {};
  const view = given.containerID === undefined || given.containerID === containerID ? given : {};
  return assembleStatus(input, run, {
    ...readiness(input, run, view, observed),
    containerID,
  });
}

/** Computes the status of a container that no capsule holds yet, or for the moment. */
export function waitingStatus(input: ContainerInput, waiting: Waiting, context: StatusContext): ContainerStatus {
  const { previous, container } = input;
  const published = previous?.state?.terminated;
  const isFinal = published !== undefined && !mayRunAgain(input, published);
  const run = isFinal ? keptRun(input) : waitingRun(input, waiting, lastTermination(previous, context.nowMs));
  const isDone = input.isInit && !isSidecar(container) && run.state?.terminated?.exitCode === 0;
  return assembleStatus(input, run, {
    ready: isDone,
    started: false,
    containerID: hasStarted(previous) ? previous?.containerID : undefined,
  });
}
