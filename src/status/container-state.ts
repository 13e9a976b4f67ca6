import type { ContainerState, ContainerStatus } from '../kube/types.ts';
import type { BackendName, ZunContainer } from '../openstack/types.ts';
import { containerReason, lostMessage, unknownExitCode } from './reasons.ts';
import { parseStatusDetail } from './status-detail.ts';
import { kubeTime, kubeTimeMs, zunTimeMs } from './time.ts';

export type Terminated = NonNullable<ContainerState['terminated']>;

/** How far two clocks and a slow answer may part before a difference counts as another run. */
const sameRunToleranceMs = 30_000;
/** The same where the node itself asked for a restart, so that another run is what must come. */
const demandedRunToleranceMs = 2_000;

interface ExitedObservation {
  kind: 'exited';
  exitCode: number;
  reason: string;
  message?: string;
  /** Best guess of the end. */
  atMs: number;
  /** It cannot have ended before; undefined where nothing tells. */
  earliestMs: number | undefined;
  /** It cannot have started before. */
  startFloorMs: number;
}

/** What Zun says of one container, in the words of Kubernetes but without history. */
export type Observed =
  | { kind: 'waiting' }
  /** `sinceMs`: best guess; `earliestMs`: it cannot have started before. Undefined where nothing tells. */
  | { kind: 'running'; paused: boolean; sinceMs: number; earliestMs: number | undefined }
  | { kind: 'restarting'; atMs: number }
  | ExitedObservation
  /** Zun does not say what state it is in; what was published stays. */
  | { kind: 'unsure'; keepsReady: boolean };

/**
 * The time of something in a container's life: not before its row was made. Times stay on Zun's clock, even where that
 * runs ahead of ours, so that they can be compared with each other later.
 */
function inLife(member: ZunContainer, ms: number): number {
  return Math.max(zunTimeMs(member.created_at) ?? ms, ms);
}

function observeStopped(member: ZunContainer, backend: BackendName, isInit: boolean, nowMs: number): Observed {
  const writtenMs = zunTimeMs(member.updated_at);
  const detail = parseStatusDetail(member.status_detail);
  // A list shows a standalone container's new status with its old detail; the next single read brings the exit code.
  if (detail?.kind !== 'exited' && backend === 'container') return { kind: 'unsure', keepsReady: false };
  const age = detail?.kind === 'exited' ? detail : undefined;
  const atMs = inLife(member, (writtenMs ?? nowMs) - (age?.ageMs ?? 0));
  const times = {
    kind: 'exited' as const,
    atMs,
    earliestMs: age && writtenMs !== undefined ? writtenMs - age.ageMs - age.unitMs : undefined,
    startFloorMs: Math.min(zunTimeMs(member.created_at) ?? atMs, atMs),
  };
  if (age) {
    const { exitCode, withError } = age;
    const message = withError && member.status_reason ? { message: member.status_reason } : {};
    return { ...times, exitCode, reason: exitReason(exitCode, withError), ...message };
  }
  if (isInit) {
    const message = 'zun reports no exit code for this container; it stopped and the next one was started';
    return { ...times, exitCode: 0, reason: containerReason.completed, message };
  }
  const message = 'zun reports that the container stopped, but not how';
  return { ...times, exitCode: unknownExitCode, reason: containerReason.unknown, message };
}

function exitReason(exitCode: number, withError: boolean): string {
  if (withError) return containerReason.cannotRun;
  return exitCode === 0 ? containerReason.completed : containerReason.error;
}

function observeRunning(member: ZunContainer, nowMs: number): Observed {
  const writtenMs = zunTimeMs(member.updated_at);
  const detail = parseStatusDetail(member.status_detail);
  const up = detail?.kind === 'up' ? detail : undefined;
  // The detail was true when the row was last written. While a task runs, the row is written for other reasons.
  const isEvidence = up !== undefined && writtenMs !== undefined && !member.task_state;
  return {
    kind: 'running',
    paused: member.status === 'Paused',
    sinceMs: inLife(member, (writtenMs ?? nowMs) - (up?.ageMs ?? 0)),
    earliestMs: isEvidence ? writtenMs - up.ageMs - up.unitMs : undefined,
  };
}

/** Reads what Zun says of a container. Source: docs/zun.md (status and status_detail). */
export function observe(member: ZunContainer, backend: BackendName, isInit: boolean, nowMs: number): Observed {
  switch (member.status) {
    case 'Creating':
    case 'Created':
    case 'Rebuilding':
      return { kind: 'waiting' };
    case 'Running':
    case 'Paused':
      return observeRunning(member, nowMs);
    case 'Restarting':
      return { kind: 'restarting', atMs: inLife(member, zunTimeMs(member.updated_at) ?? nowMs) };
    case 'Stopped':
    case 'Dead':
      return observeStopped(member, backend, isInit, nowMs);
    case 'Deleting':
    case 'Deleted':
      return { kind: 'unsure', keepsReady: true };
    case 'Unknown':
    case 'Error':
      return { kind: 'unsure', keepsReady: false };
    default:
      member.status satisfies never;
      return { kind: 'unsure', keepsReady: false };
  }
}

/** Makes the termination of a run whose end nobody saw. Its known parts come from what was published of the run. */
export function unknownTermination(
  previous: Pick<ContainerStatus, 'state' | 'containerID'> | undefined,
  endMs: number,
  message: string,
): Terminated {
  const startedAt = previous?.state?.running?.startedAt;
  return {
    exitCode: unknownExitCode,
    reason: containerReason.unknown,
    message,
    ...(startedAt === undefined ? {} : { startedAt }),
    finishedAt: kubeTime(Math.max(endMs, kubeTimeMs(startedAt) ?? endMs)),
    ...(previous?.containerID === undefined ? {} : { containerID: previous.containerID }),
  };
}

/** Turns a status into that of a container whose Pod is over: its last known end, else an unknown one. */
export function endedStatus(status: ContainerStatus, nowMs: number): ContainerStatus {
  const { state, lastState } = status;
  if (state?.terminated) return { ...status, ready: false, started: false };
  const earlier = state?.running ? undefined : lastState?.terminated;
  const terminated = earlier ?? unknownTermination(status, nowMs, lostMessage);
  return { ...status, state: { terminated }, ...(earlier ? { lastState: {} } : {}), ready: false, started: false };
}

/**
 * Tells whether an event that cannot be older than `earliestMs` is another one than that published at `publishedAt`.
 * `isDemanded`: the node asked for a restart that no status shows yet.
 */
export function isLaterRun(
  earliestMs: number | undefined,
  publishedAt: string | undefined,
  isDemanded: boolean,
): boolean {
  const publishedMs = kubeTimeMs(publishedAt);
  const toleranceMs = isDemanded ? demandedRunToleranceMs : sameRunToleranceMs;
  return earliestMs !== undefined && publishedMs !== undefined && earliestMs > publishedMs + toleranceMs;
}
