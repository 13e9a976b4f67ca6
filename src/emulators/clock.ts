import type { Clock } from '../base/clock.ts';

/** A clock that can be moved forward, so that hours of a cloud's life fit into a test. */
export interface MovableClock extends Clock {
  /** Moves the time forward by `ms` and runs, in order, every timer that falls due; settles when their effects have. */
  advance(ms: number): Promise<void>;
  /** Forgets every timer. For the end of an emulator's life. */
  stop(): void;
}

export interface MovableClockOptions {
  /** The clock underneath. */
  base: Clock;
  /** True: time passes only by `advance`. False: it passes by itself, too. */
  manual?: boolean;
}

interface Timer {
  due: number;
  order: number;
  run: () => void;
  cancelled: boolean;
}

/** Makes a clock on top of another; `advance` adds to its time. */
export function createMovableClock(options: MovableClockOptions): MovableClock {
  const { base, manual = false } = options;
  const origin = { now: base.now(), monotonic: base.monotonic() };
  const heap: Timer[] = [];
  let offset = 0;
  let order = 0;
  let armed: { due: number; cancel: () => void } | undefined;

  const passed = () => offset + (manual ? 0 : base.monotonic() - origin.monotonic);

  function runDue(): void {
    armed = undefined;
    for (let first = heap[0]; first && first.due <= passed(); first = heap[0]) {
      popTimer(heap);
      if (!first.cancelled) first.run();
    }
    arm();
  }

  function arm(): void {
    const first = heap[0];
    if (manual || !first || (armed && armed.due <= first.due)) return;
    armed?.cancel();
    armed = { due: first.due, cancel: base.after(Math.max(0, first.due - passed()), runDue) };
  }

  return {
    now: () => origin.now + passed(),
    monotonic: () => origin.monotonic + passed(),
    after(ms, run) {
      const timer: Timer = { due: passed() + Math.max(0, ms), order: order++, run, cancelled: false };
      pushTimer(heap, timer);
      arm();
      return () => {
        timer.cancelled = true;
      };
    },
    async advance(ms) {
      const target = passed() + ms;
      for (;;) {
        const first = heap[0];
        if (!first || first.due > target) break;
        popTimer(heap);
        if (first.cancelled) continue;
        offset += Math.max(0, first.due - passed());
        first.run();
        await settle();
      }
      offset += Math.max(0, target - passed());
      await settle();
      arm();
    },
    stop() {
      heap.length = 0;
      armed?.cancel();
      armed = undefined;
    },
  };
}

/** Lets promises that a timer resolved go on before the next timer runs. */
function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.due < b.due || (a.due === b.due && a.order < b.order);
}

function pushTimer(heap: Timer[], timer: Timer): void {
  let at = heap.push(timer) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    const above = heap[parent];
    if (!above || !isBefore(timer, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = timer;
}

function popTimer(heap: Timer[]): void {
  const last = heap.pop();
  if (!last || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = at * 2 + 1;
    const left = heap[child];
    if (!left) break;
    const right = heap[child + 1];
    if (right && isBefore(right, left)) child++;
    const least = heap[child] ?? left;
    if (!isBefore(least, last)) break;
    heap[at] = least;
    at = child;
  }
  heap[at] = last;
}
