import type { Clock } from '../base/clock.ts';

/** Which keys go first when not all can run at once. */
export type Lane = 'delete' | 'start' | 'refresh';
const lanes: readonly Lane[] = ['delete', 'start', 'refresh'];

/** Runs one function for many keys: never twice at once for one key, many keys in parallel. */
export interface Queue {
  /** Wants a run as soon as possible. While the key runs, it means one more run afterwards. */
  poke(key: string, lane: Lane): void;
  /** Wants a run after `ms`; of several wishes the earliest wins. */
  later(key: string, ms: number, lane: Lane): void;
  /** Starts nothing new until the time has passed; running keys go on. */
  pause(ms: number): void;
  /** Starts nothing new any more and resolves when nothing runs. */
  stop(): Promise<void>;
  counts(): { ready: number; delayed: number; running: number };
}

interface Delayed {
  at: number;
  lane: Lane;
  cancel: () => void;
}

/**
 * Makes a queue. `run` must not throw; what it throws all the same goes to `onBug` and the queue goes on.
 * The model is client-go's work queue: a set, a delay, one run a key.
 */
export function createQueue(options: {
  clock: Clock;
  concurrency: number;
  run: (key: string) => Promise<void>;
  onBug: (key: string, error: unknown) => void;
}): Queue {
  const { clock, concurrency } = options;
  const ready: Record<Lane, Set<string>> = { delete: new Set(), start: new Set(), refresh: new Set() };
  const delayed = new Map<string, Delayed>();
  const running = new Set<string>();
  const again = new Map<string, Lane>();
  let pausedUntil = Number.NEGATIVE_INFINITY;
  let stopped = false;
  let idle: (() => void) | undefined;

  function poke(key: string, lane: Lane): void {
    if (stopped) return;
    if (running.has(key)) {
      again.set(key, sooner(again.get(key), lane));
      return;
    }
    const waiting = delayed.get(key);
    if (waiting) {
      waiting.cancel();
      delayed.delete(key);
    }
    const best = sooner(laneOf(key), waiting ? sooner(waiting.lane, lane) : lane);
    for (const name of lanes) if (name !== best) ready[name].delete(key);
    ready[best].add(key);
    pump();
  }

  function later(key: string, ms: number, lane: Lane): void {
    if (stopped || laneOf(key) !== undefined) return;
    const at = clock.monotonic() + ms;
    const waiting = delayed.get(key);
    if (waiting && waiting.at <= at) return;
    waiting?.cancel();
    const cancel = clock.after(ms, () => {
      delayed.delete(key);
      poke(key, lane);
    });
    delayed.set(key, { at, lane, cancel });
  }

  function laneOf(key: string): Lane | undefined {
    return lanes.find((lane) => ready[lane].has(key));
  }

  function pump(): void {
    while (!stopped && running.size < concurrency && clock.monotonic() >= pausedUntil) {
      const key = takeFirst();
      if (key === undefined) return;
      running.add(key);
      void runOne(key);
    }
  }

  function takeFirst(): string | undefined {
    for (const lane of lanes) {
      for (const key of ready[lane]) {
        ready[lane].delete(key);
        return key;
      }
    }
    return undefined;
  }

  async function runOne(key: string): Promise<void> {
    try {
      await options.run(key);
    } catch (error) {
      options.onBug(key, error);
    }
    running.delete(key);
    const lane = again.get(key);
    again.delete(key);
    if (lane) poke(key, lane);
    pump();
    if (stopped && running.size === 0) idle?.();
  }

  return {
    poke,
    later,
    pause(ms) {
      pausedUntil = Math.max(pausedUntil, clock.monotonic() + ms);
      clock.after(ms, pump);
    },
    stop() {
      stopped = true;
      for (const { cancel } of delayed.values()) cancel();
      delayed.clear();
      for (const lane of lanes) ready[lane].clear();
      if (running.size === 0) return Promise.resolve();
      return new Promise((resolve) => {
        idle = resolve;
      });
    },
    counts: () => ({
      ready: lanes.reduce((sum, lane) => sum + ready[lane].size, 0),
      delayed: delayed.size,
      running: running.size,
    }),
  };
}

function sooner(a: Lane | undefined, b: Lane): Lane {
  if (a === undefined) return b;
  return lanes.indexOf(a) < lanes.indexOf(b) ? a : b;
}
