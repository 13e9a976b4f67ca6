import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ContainerStatus, Pod } from '../kube/types.ts';
import { isRefusal } from './log-options.ts';
import { execTarget, type PodSources } from './pod-container.ts';
import type { ContainerRuntime, ContainerStats, ContainerTarget } from './runtime.ts';

/** One measurement of one running container. */
export interface ContainerSample {
  pod: Pod;
  status: ContainerStatus;
  target: ContainerTarget;
  stats: ContainerStats;
  /** Wall-clock ms at which it was measured. */
  measuredMs: number;
  /** Processor use between this and the measurement before, in billionths of a processor. */
  nanoCores?: bigint;
}

/** Everything measured. */
export interface StatsSnapshot {
  samples: ContainerSample[];
  /** Running containers without a measurement, by Pod UID: such a Pod has no sum. */
  incomplete: ReadonlySet<string>;
  /** Processor time of all containers since the start of this process: it never gets less when one goes. */
  nodeCpuNanoseconds: bigint;
  /** True when the last sweep failed for some container. */
  hasError: boolean;
}

/** Measurements with one sweep for however many readers. */
export interface StatsCache {
  /** Answers from memory, and starts a sweep when the last is older than ten seconds; only the very first waits. */
  read(): Promise<StatsSnapshot>;
}

export interface StatsOptions {
  sources: PodSources;
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
}

const sweepEveryMs = 10_000;
const sweepLimitMs = 60_000;
const firstWaitMs = 5_000;
const keepMs = 120_000;
const parallel = 4;

interface CacheState {
  samples: Map<string, ContainerSample>;
  incomplete: Set<string>;
  nodeCpu: bigint;
  hasError: boolean;
  sweptMs: number | undefined;
  running: Promise<void> | undefined;
}

/** Makes the cache. Nobody reads, nothing is asked: Zun takes a second or two for each container. */
export function createStatsCache(options: StatsOptions): StatsCache {
  const { clock } = options;
  const state: CacheState = {
    samples: new Map(),
    incomplete: new Set(),
    nodeCpu: 0n,
    hasError: false,
    sweptMs: undefined,
    running: undefined,
  };
  function startSweep(): void {
    const isDue = state.sweptMs === undefined || clock.monotonic() - state.sweptMs >= sweepEveryMs;
    if (state.running || !isDue) return;
    state.sweptMs = clock.monotonic();
    const late = new AbortController();
    const cancel = clock.after(sweepLimitMs, () => late.abort(new Error('the sweep took too long')));
    state.running = sweep(options, state, late.signal)
      .catch((error: unknown) => options.log.warn('measuring containers failed', { err: error }))
      .finally(() => {
        cancel();
        state.running = undefined;
      });
  }
  return {
    async read() {
      const isFirst = state.sweptMs === undefined;
      startSweep();
      if (isFirst && state.running) {
        const { promise, resolve } = Promise.withResolvers<void>();
        const cancel = clock.after(firstWaitMs, resolve);
        await Promise.race([state.running, promise]);
        cancel();
      }
      return {
        samples: [...state.samples.values()],
        incomplete: new Set(state.incomplete),
        nodeCpuNanoseconds: state.nodeCpu,
        hasError: state.hasError,
      };
    },
  };
}

interface Task {
  pod: Pod;
  status: ContainerStatus;
  target: ContainerTarget;
}

function runningContainers(sources: PodSources): Task[] {
  const tasks: Task[] = [];
  for (const pod of sources.pods.all()) {
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    for (const status of statuses) {
      if (!status.state?.running) continue;
      const target = execTarget(sources, pod, status.name);
      if (!isRefusal(target)) tasks.push({ pod, status, target });
    }
  }
  return tasks;
}

async function sweep(options: StatsOptions, state: CacheState, signal: AbortSignal): Promise<void> {
  const tasks = runningContainers(options.sources);
  const present = new Set(tasks.map((task) => task.target.container));
  for (const key of state.samples.keys()) if (!present.has(key)) state.samples.delete(key);
  const incomplete = new Set<string>();
  let hasError = false;
  const queue = [...tasks];
  const work = async (): Promise<void> => {
    for (let task = queue.shift(); task && !signal.aborted; task = queue.shift()) {
      try {
        await options.runtime.ensureServed(task.target, signal);
        takeSample(state, task, {
          stats: await options.runtime.stats(task.target, signal),
          nowMs: options.clock.now(),
        });
      } catch (error) {
        const isKnown = dropStale(state, task, options.clock.now());
        if (!isKnown) incomplete.add(task.pod.metadata.uid);
        hasError = true;
        options.log.debug('measuring a container failed', { container: task.target.container, err: error });
      }
    }
  };
  await Promise.all(Array.from({ length: parallel }, work));
  for (const task of queue) if (!state.samples.has(task.target.container)) incomplete.add(task.pod.metadata.uid);
  state.incomplete = incomplete;
  state.hasError = hasError;
}

function takeSample(state: CacheState, task: Task, measured: { stats: ContainerStats; nowMs: number }): void {
  const before = state.samples.get(task.target.container);
  const { stats, nowMs } = measured;
  const cpu = stats.cpuNanoseconds;
  const cpuBefore = before?.stats.cpuNanoseconds ?? 0n;
  const used = cpu === undefined || cpu < cpuBefore ? 0n : cpu - cpuBefore;
  state.nodeCpu += used;
  const elapsedMs = before ? nowMs - before.measuredMs : 0;
  const nanoCores = cpu !== undefined && elapsedMs > 0 ? (used * 1000n) / BigInt(Math.round(elapsedMs)) : undefined;
  state.samples.set(task.target.container, {
    ...task,
    stats,
    measuredMs: nowMs,
    ...(nanoCores !== undefined && { nanoCores }),
  });
}

/** Keeps an old measurement for two minutes; tells whether there is one. */
function dropStale(state: CacheState, task: Task, nowMs: number): boolean {
  const sample = state.samples.get(task.target.container);
  if (sample && nowMs - sample.measuredMs > keepMs) state.samples.delete(task.target.container);
  return state.samples.has(task.target.container);
}
