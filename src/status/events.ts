import type { ContainerStatus, Pod, PodStatus } from '../kube/types.ts';
import { resizeCondition } from './conditions.ts';
import { hasStarted, isTerminalPhase, statusOf } from './phase.ts';
import { containerReason, podReason } from './reasons.ts';

/** An Event that a change of status deserves. */
export interface StatusEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  /** The container it is about, where it is one. */
  fieldPath?: string;
}

interface Named {
  name: string;
  fieldPath: string;
  before: ContainerStatus | undefined;
  after: ContainerStatus;
}

function pairs(before: PodStatus | undefined, after: PodStatus): Named[] {
  const pair = (field: string, old: ContainerStatus[] | undefined, now: ContainerStatus[] | undefined): Named[] =>
    (now ?? []).map((status) => ({
      name: status.name,
      fieldPath: `spec.${field}{${status.name}}`,
      before: statusOf(old, status.name),
      after: status,
    }));
  return [
    ...pair('initContainers', before?.initContainerStatuses, after.initContainerStatuses),
    ...pair('containers', before?.containerStatuses, after.containerStatuses),
  ];
}

/** Tells whether a container is known to have run; the kubelet's stand-in for an unknown end is no proof. */
function ran(status: ContainerStatus | undefined): boolean {
  const isUnknown = status?.state?.terminated?.reason === containerReason.unknown && !status.lastState?.terminated;
  return hasStarted(status) && !isUnknown;
}

/**
 * The one Event of a start. A kubelet sends Pulling, Pulled, Created and Started for each container; Zun shows none of
 * the first three and starts all containers in one task, so the fact that stands is that the Pod's containers started.
 */
function started(all: Named[], before: PodStatus | undefined, after: PodStatus): StatusEvent[] {
  const mains = after.containerStatuses ?? [];
  const wasStarted = mains.every(({ name }) => ran(statusOf(before?.containerStatuses, name)));
  if (wasStarted || !mains.every(ran)) return [];
  const [only] = mains;
  const fieldPath = mains.length === 1 && only ? all.find(({ name }) => name === only.name)?.fieldPath : undefined;
  const names = mains.map(({ name }) => name).join(', ');
  const message = mains.length === 1 ? `Started container ${names}` : `Started containers ${names}`;
  return [{ type: 'Normal', reason: 'Started', message, ...(fieldPath === undefined ? {} : { fieldPath }) }];
}

function restarted({ name, fieldPath, before, after }: Named): StatusEvent[] {
  const isNewRun = before && after.restartCount > before.restartCount && after.state?.running;
  return isNewRun ? [{ type: 'Normal', reason: 'Started', message: `Started container ${name}`, fieldPath }] : [];
}

function backedOff({ name, fieldPath, before, after }: Named, pod: Pod): StatusEvent[] {
  const isCrashing = (status: ContainerStatus | undefined) =>
    status?.state?.waiting?.reason === containerReason.crashLoop;
  if (!isCrashing(after) || isCrashing(before)) return [];
  const { name: podName, namespace, uid } = pod.metadata;
  const message = `Back-off restarting failed container ${name} in pod ${podName}_${namespace}(${uid})`;
  return [{ type: 'Warning', reason: 'BackOff', message, fieldPath }];
}

/** A debug container that cannot be added says so once. */
function refusedDebug(before: PodStatus | undefined, after: PodStatus): StatusEvent[] {
  return (after.ephemeralContainerStatuses ?? []).flatMap(({ name, state }) => {
    const isTold = statusOf(before?.ephemeralContainerStatuses, name) !== undefined;
    if (isTold || !state?.waiting) return [];
    const message = `Error: ${state.waiting.message ?? 'it cannot be added'}`;
    return [{ type: 'Warning', reason: 'Failed', message, fieldPath: `spec.ephemeralContainers{${name}}` }];
  });
}

/** A resize that comes to nothing says so once. */
function refusedResize(before: PodStatus | undefined, after: PodStatus): StatusEvent[] {
  const toldIn = (status: PodStatus | undefined) =>
    status?.conditions?.find(({ type }) => type === resizeCondition)?.message;
  const message = toldIn(after);
  if (message === undefined || message === toldIn(before)) return [];
  return [{ type: 'Warning', reason: 'ResizeInfeasible', message }];
}

/** A capsule that failed under a Pod. Rejections, deadlines and lost capsules get their Event from the step that decides them. */
function failed(before: PodStatus | undefined, after: PodStatus): StatusEvent[] {
  const isOurs = after.reason === podReason.capsuleError || after.reason === podReason.outOfResources;
  if (!isOurs || isTerminalPhase(before?.phase) || after.phase !== 'Failed') return [];
  return [{ type: 'Warning', reason: after.reason ?? '', message: after.message ?? '' }];
}

/**
 * Computes the Events that a change of status deserves: at most one for a Pod that starts, and one for each restart,
 * back-off or failure of its capsule. An end that somebody asked for makes none: the Pod's own deletion tells it.
 * Source: Kubernetes pkg/kubelet/events/event.go for reasons and texts.
 */
export function statusEvents(before: PodStatus | undefined, after: PodStatus, pod: Pod): StatusEvent[] {
  const all = pairs(before, after);
  return [
    ...started(all, before, after),
    ...all.flatMap((named) => restarted(named)),
    ...all.flatMap((named) => backedOff(named, pod)),
    ...refusedDebug(before, after),
    ...refusedResize(before, after),
    ...failed(before, after),
  ];
}
