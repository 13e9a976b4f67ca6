import type { Clock } from '../base/clock.ts';

/** A clock that knows how many of its timers are set. */
export interface CountingClock extends Clock {
  pending(): number;
}

/** Wraps a clock, so that a leak of timers can be seen: the runtime tells nothing of those that keep no process alive. */
export function createCountingClock(clock: Clock): CountingClock {
  let pending = 0;
  return {
    ...clock,
    pending: () => pending,
    after(ms, run) {
      let isSet = true;
      pending += 1;
      const end = () => {
        if (isSet) pending -= 1;
        isSet = false;
      };
      const cancel = clock.after(ms, () => {
        end();
        run();
      });
      return () => {
        end();
        cancel();
      };
    },
  };
}
