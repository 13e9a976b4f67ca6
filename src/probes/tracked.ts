import type { Container, ContainerStatus, Pod, Probe } from '../kube/types.ts';
import { statusOf } from '../status/phase.ts';
import { isSidecar } from '../status/restart-policy.ts';
import { kubeTimeMs } from '../status/time.ts';
import type { ProbeView } from '../status/types.ts';
import type { ProbePorts } from './ports.ts';
import { isRunnable } from './run.ts';
import type { Scheduled } from './schedule.ts';
import { initialState, type ProbeKind, type ProbeState, type ProbeTimes, probeTimes } from './state.ts';

/** One run of a container as published. */
export interface ContainerRun {
  /** Differs between runs, also where the container keeps its id over a restart. */
  key: string;
  containerID: string;
  startedMs: number | undefined;
}

/** One probe of one container. */
export interface TrackedProbe extends Scheduled {
  uid: string;
  kind: ProbeKind;
  container: Container;
  probe: Probe;
  times: ProbeTimes;
  run: ContainerRun | undefined;
  state: ProbeState;
  busy: boolean;
}

/** A Pod that has probes. */
export interface TrackedPod {
  pod: Pod;
  probes: TrackedProbe[];
}

function publishedStatus(pod: Pod, name: string): ContainerStatus | undefined {
  return statusOf(pod.status?.containerStatuses, name) ?? statusOf(pod.status?.initContainerStatuses, name);
}

/** The run of a container that the Pod's status shows; undefined while it does not run. */
export function publishedRun(pod: Pod, name: string): ContainerRun | undefined {
  const status = publishedStatus(pod, name);
  const running = status?.state?.running;
  if (!running || !status.containerID) return undefined;
  const { containerID } = status;
  return { key: `${containerID} ${running.startedAt ?? ''}`, containerID, startedMs: kubeTimeMs(running.startedAt) };
}

function probesOf(container: Container): [ProbeKind, Probe][] {
  const { startupProbe, livenessProbe, readinessProbe } = container;
  return [
    ...(startupProbe ? [['Startup', startupProbe] satisfies [ProbeKind, Probe]] : []),
    ...(livenessProbe ? [['Liveness', livenessProbe] satisfies [ProbeKind, Probe]] : []),
    ...(readinessProbe ? [['Readiness', readinessProbe] satisfies [ProbeKind, Probe]] : []),
  ];
}

/** Lists the probes of a Pod's main containers and sidecars. */
export function trackPod(pod: Pod): TrackedPod {
  const sidecars = (pod.spec.initContainers ?? []).filter(isSidecar);
  const probes = [...sidecars, ...pod.spec.containers].flatMap((container) =>
    probesOf(container).map(
      ([kind, probe]): TrackedProbe => ({
        uid: pod.metadata.uid,
        kind,
        container,
        probe,
        times: probeTimes(probe),
        run: undefined,
        state: initialState(kind, false),
        busy: false,
        dueAt: undefined,
      }),
    ),
  );
  return { pod, probes };
}

/** Finds out whether a container's start is over: by its startup probe if it has one that can be run, else at once. */
function isStarted({ pod, probes }: TrackedPod, name: string, ports: ProbePorts): boolean {
  const startup = probes.find(({ kind, container }) => kind === 'Startup' && container.name === name);
  if (!startup || !isRunnable(ports, pod, startup.probe)) return true;
  const { verdict } = startup.state;
  return verdict === 'kept' ? publishedStatus(pod, name)?.started === true : verdict === 'success';
}

/**
 * Tells whether a probe is to be run now: while its container runs and is not on hold. The startup probe comes before the
 * others; when the Pod is being deleted only readiness goes on.
 */
export function mayRun(entry: TrackedPod, tracked: TrackedProbe, ports: ProbePorts): boolean {
  const { kind, run, state, container, probe } = tracked;
  if (!run || state.onHold || !isRunnable(ports, entry.pod, probe)) return false;
  if (entry.pod.metadata.deletionTimestamp && kind !== 'Readiness') return false;
  return isStarted(entry, container.name, ports) === (kind !== 'Startup');
}

/**
 * Makes the view that a Pod's status is computed from. A probe that cannot be run counts as if there were none; while
 * nothing was decided after a restart of the process, nothing is said and the published value stays.
 */
export function viewOf({ pod, probes }: TrackedPod, ports: ProbePorts): Record<string, ProbeView> {
  const views: Record<string, ProbeView> = {};
  for (const { kind, run, state, container, probe } of probes) {
    if (!run || kind === 'Liveness') continue;
    const view = views[container.name] ?? { containerID: run.containerID };
    const holds =
      !isRunnable(ports, pod, probe) || (state.verdict === 'kept' ? undefined : state.verdict === 'success');
    if (holds !== undefined) view[kind === 'Startup' ? 'started' : 'ready'] = holds;
    views[container.name] = view;
  }
  return views;
}
