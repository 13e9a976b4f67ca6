import type { Clock } from '../../base/clock.ts';

/** A clock that can be put forward: what waits for a moment that is skipped runs at once. */
export interface MovableClock extends Clock {
  advance(ms: number): void;
}

interface Waiting {
  due: number;
  run(): void;
  cancel(): void;
}

/** Makes a movable clock that otherwise runs with another one. */
export function createMovableClock(base: Clock): MovableClock {
  const waiting = new Set<Waiting>();
  let ahead = 0;

  function arm(entry: Waiting): void {
    entry.cancel = base.after(Math.max(0, entry.due - base.monotonic() - ahead), () => {
      waiting.delete(entry);
      entry.run();
    });
  }
  return {
    now: () => base.now() + ahead,
    monotonic: () => base.monotonic() + ahead,
    after(ms, run) {
      const entry: Waiting = { due: base.monotonic() + ahead + ms, run, cancel: () => {} };
      waiting.add(entry);
      arm(entry);
      return () => {
        waiting.delete(entry);
        entry.cancel();
      };
    },
    advance(ms) {
      ahead += ms;
      const now = base.monotonic() + ahead;
      for (const entry of [...waiting].sort((a, b) => a.due - b.due)) {
        entry.cancel();
        if (entry.due > now) arm(entry);
        else if (waiting.delete(entry)) entry.run();
      }
    },
  };
}
