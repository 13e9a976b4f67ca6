import type { Clock } from '../../src/base/clock.ts';

interface Timer {
  at: number;
  order: number;
  run: () => void;
  cancelled: boolean;
}

/** A clock that moves only when told. Timers run in the order of their time, then of their making. */
export interface VirtualClock extends Clock {
  /** Runs the next timer that is due until `limit`; false when there is none. */
  step(limit: number): Promise<boolean>;
  /** Runs everything until the clock shows `limit`. */
  runUntil(limit: number): Promise<void>;
}

const epoch = Date.parse('2026-01-01T00:00:00Z');

/** Makes a virtual clock that starts at monotonic 0. */
export function createVirtualClock(): VirtualClock {
  const heap: Timer[] = [];
  let now = 0;
  let made = 0;

  const before = (a: Timer, b: Timer) => a.at < b.at || (a.at === b.at && a.order < b.order);

  function push(timer: Timer): void {
    let at = heap.length;
    heap.push(timer);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      const above = heap[parent];
      if (!above || before(above, timer)) break;
      heap[at] = above;
      at = parent;
    }
    heap[at] = timer;
  }

  function pop(): Timer | undefined {
    const top = heap[0];
    const last = heap.pop();
    if (!top || !last || heap.length === 0) return top;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const left = heap[child];
      const right = heap[child + 1];
      if (!left) break;
      if (right && before(right, left)) child += 1;
      const smaller = heap[child];
      if (!smaller || before(last, smaller)) break;
      heap[at] = smaller;
      at = child;
    }
    heap[at] = last;
    return top;
  }

  const clock: VirtualClock = {
    now: () => epoch + Math.floor(now),
    monotonic: () => now,
    after(ms, run) {
      const timer = { at: now + Math.max(0, ms), order: made++, run, cancelled: false };
      push(timer);
      return () => {
        timer.cancelled = true;
      };
    },
    async step(limit) {
      for (;;) {
        const next = heap[0];
        if (!next || next.at > limit) {
          now = Math.max(now, limit);
          return false;
        }
        pop();
        if (next.cancelled) continue;
        now = Math.max(now, next.at);
        next.run();
        // Lets every promise that the timer settled run to its end before time moves on.
        await new Promise((resolve) => setImmediate(resolve));
        return true;
      }
    },
    async runUntil(limit) {
      while (await clock.step(limit));
    },
  };
  return clock;
}
