import type { Clock } from '../base/clock.ts';
import { toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Pod } from '../kube/types.ts';
import { isTerminalPhase } from '../status/phase.ts';
import type { ProbeView } from '../status/types.ts';
import type { ContainerEvent, KillDemand, ProbeMeter, ProbePorts } from './ports.ts';
import { type ProbeOutcome, runProbe } from './run.ts';
import { createSchedule } from './schedule.ts';
import { afterResult, initialState } from './state.ts';
import {
  type ContainerRun,
  mayRun,
  publishedRun,
  type TrackedPod,
  type TrackedProbe,
  trackPod,
  viewOf,
} from './tracked.ts';

export interface ProbeEngineDeps {
  clock: Clock;
  random: Random;
  ports: ProbePorts;
  log: Log;
  event: ContainerEvent;
  meter?: ProbeMeter;
  /** What the status of this Pod is made of has changed. */
  onChange(uid: string): void;
  onLivenessFailure(failure: KillDemand): void;
  /** Tells whether a container is not to be probed yet, because its postStart hook has not succeeded. */
  isHeld(uid: string, container: string): boolean;
  /** How many probes may run at once. */
  maxInFlight: number;
}

/** Runs the probes of all Pods. It looks at published status alone, so a restart of the process changes nothing. */
export interface ProbeEngine {
  /** Starts, goes on with or stops the probes of a Pod, as its spec and its published status say. */
  sync(pod: Pod): void;
  /** Looks at a Pod's probes again, because something that held them has ended. */
  resume(uid: string): void;
  forget(uid: string): void;
  /** What the probes hold of each container, for the Pod's status. */
  view(uid: string): Record<string, ProbeView>;
  close(): void;
}

/** A probe that could not be run is tried again at once; then its error says nothing. Source: Kubernetes prober.go. */
const maxTries = 3;
/** How long a due probe waits when too many are running. */
const crowdedMs = 100;

function livenessFailure({ pod }: TrackedPod, { uid, kind, container, probe }: TrackedProbe): KillDemand {
  const restarts = (container.restartPolicy ?? pod.spec.restartPolicy) !== 'Never';
  const text = `Container ${container.name} failed ${kind.toLowerCase()} probe`;
  return {
    uid,
    container: container.name,
    message: restarts ? `${text}, will be restarted` : text,
    graceSeconds: probe.terminationGracePeriodSeconds,
  };
}

/** Makes a probe engine with one schedule for the probes of all Pods. */
export function createProbeEngine(deps: ProbeEngineDeps): ProbeEngine {
  const { clock, random, ports } = deps;
  const pods = new Map<string, TrackedPod>();
  const beganAtMs = clock.now();
  const schedule = createSchedule<TrackedProbe>(clock, (tracked) => {
    runDue(tracked).catch((thrown) => {
      deps.log.error('probe failed by a bug', { uid: tracked.uid, err: toAppError(thrown) });
      schedule.set(tracked, clock.monotonic() + tracked.times.periodMs);
    });
  });
  let inFlight = 0;

  function isAdopted(run: ContainerRun): boolean {
    return run.startedMs !== undefined && run.startedMs < beganAtMs;
  }

  /** Sets when a probe runs first: after its delay; spread over its period where the container ran before we did. */
  function firstDue(tracked: TrackedProbe, run: ContainerRun): number {
    const { initialDelayMs, periodMs } = tracked.times;
    const now = clock.now();
    const delayMs = Math.min(initialDelayMs, Math.max(0, (run.startedMs ?? now) + initialDelayMs - now));
    return clock.monotonic() + delayMs + (isAdopted(run) ? random() * periodMs : 0);
  }

  function isDue(entry: TrackedPod, tracked: TrackedProbe): boolean {
    return mayRun(entry, tracked, ports) && !deps.isHeld(tracked.uid, tracked.container.name);
  }

  function settle(entry: TrackedPod, tracked: TrackedProbe): void {
    if (tracked.busy) return;
    if (!isDue(entry, tracked)) schedule.clear(tracked);
    else if (tracked.dueAt === undefined && tracked.run) schedule.set(tracked, firstDue(tracked, tracked.run));
  }

  async function runWithRetries(tracked: TrackedProbe, pod: Pod): Promise<ProbeOutcome | undefined> {
    const { container, probe, times } = tracked;
    const target = { pod, container, probe, timeoutMs: times.timeoutMs, monotonic: () => clock.monotonic() };
    let message = '';
    for (let tries = 0; tries < maxTries; tries += 1) {
      try {
        return await runProbe(ports, target);
      } catch (thrown) {
        message = thrown instanceof Error ? thrown.message : String(thrown);
      }
    }
    tell(tracked, pod, 'Unhealthy', `${tracked.kind} probe errored and resulted in unknown state: ${message}`);
    return undefined;
  }

  function tell(tracked: TrackedProbe, pod: Pod, reason: string, message: string): void {
    deps.event(pod, tracked.container.name, 'Warning', reason, message);
  }

  async function runDue(tracked: TrackedProbe): Promise<void> {
    const entry = pods.get(tracked.uid);
    if (!entry || !isDue(entry, tracked)) return;
    const begun = clock.monotonic();
    if (inFlight >= deps.maxInFlight) return schedule.set(tracked, begun + crowdedMs);
    const runKey = tracked.run?.key;
    tracked.busy = true;
    inFlight += 1;
    const outcome = await runWithRetries(tracked, entry.pod);
    inFlight -= 1;
    tracked.busy = false;
    if (pods.get(tracked.uid) !== entry) return;
    if (tracked.run?.key !== runKey) return settle(entry, tracked);
    if (outcome) {
      const { kind, container } = tracked;
      const result = outcome.result === 'failure' ? 'failed' : 'successful';
      deps.meter?.ran(entry.pod, container.name, kind, result, clock.monotonic() - begun);
      take(entry, tracked, outcome);
    }
    if (!isDue(entry, tracked)) return;
    const { periodMs } = tracked.times;
    const missed = Math.floor((clock.monotonic() - begun) / periodMs);
    schedule.set(tracked, begun + (missed + 1) * periodMs);
  }

  function take(entry: TrackedPod, tracked: TrackedProbe, outcome: ProbeOutcome): void {
    const { kind, times } = tracked;
    if (outcome.result === 'failure') tell(tracked, entry.pod, 'Unhealthy', `${kind} probe failed: ${outcome.output}`);
    if (outcome.result === 'warning')
      tell(tracked, entry.pod, 'ProbeWarning', `${kind} probe warning: ${outcome.output}`);
    const before = tracked.state.verdict;
    const result = outcome.result === 'failure' ? 'failure' : 'success';
    const { state, decided } = afterResult(tracked.state, kind, result, times);
    tracked.state = state;
    if (decided === undefined) return;
    if (kind === 'Startup') for (const other of entry.probes) settle(entry, other);
    if (kind !== 'Liveness' && state.verdict !== before) deps.onChange(tracked.uid);
    if (kind !== 'Readiness' && decided === 'failure') deps.onLivenessFailure(livenessFailure(entry, tracked));
  }

  function drop(uid: string): void {
    const entry = pods.get(uid);
    pods.delete(uid);
    if (entry) deps.meter?.ended(entry.pod);
  }

  return {
    sync(pod) {
      const { uid } = pod.metadata;
      if (isTerminalPhase(pod.status?.phase)) return drop(uid);
      const entry = pods.get(uid) ?? trackPod(pod);
      if (entry.probes.length === 0) return;
      entry.pod = pod;
      pods.set(uid, entry);
      for (const tracked of entry.probes) {
        const run = publishedRun(pod, tracked.container.name);
        if (run?.key === tracked.run?.key) continue;
        tracked.run = run;
        tracked.state = initialState(tracked.kind, run !== undefined && isAdopted(run));
        schedule.clear(tracked);
      }
      for (const tracked of entry.probes) settle(entry, tracked);
    },
    resume(uid) {
      const entry = pods.get(uid);
      for (const tracked of entry?.probes ?? []) if (entry) settle(entry, tracked);
    },
    forget: drop,
    view(uid) {
      const entry = pods.get(uid);
      return entry ? viewOf(entry, ports) : {};
    },
    close() {
      for (const uid of pods.keys()) drop(uid);
      schedule.close();
    },
  };
}
