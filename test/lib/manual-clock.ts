import type { Clock } from '../../src/base/clock.ts';

/** A clock for unit tests that moves only when told; timers run in order. */
export interface ManualClock extends Clock {
  /** Moves time and runs what is due; promises settle in between. */
  advance(ms: number): Promise<void>;
}

/** Makes a manual clock at monotonic 0. */
export function createManualClock(wallMs = Date.parse('2026-01-01T00:00:00Z')): ManualClock {
  let now = 0;
  let order = 0;
  const timers = new Map<number, { at: number; run: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => wallMs + now,
    monotonic: () => now,
    after(ms, run) {
      const id = order++;
      timers.set(id, { at: now + ms, run });
      return () => void timers.delete(id);
    },
    async advance(ms) {
      const until = now + ms;
      for (;;) {
        await settle();
        const due = [...timers].filter(([, { at }]) => at <= until).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0];
        if (!due) break;
        const [id, timer] = due;
        timers.delete(id);
        now = Math.max(now, timer.at);
        timer.run();
      }
      now = until;
      await settle();
    },
  };
}
