import type { VirtualClock } from '../simulation/virtual-clock.ts';

/** Lets every promise that can go on do so. */
export function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}

/** Lets what was started set its timers, then runs the clock to `untilMs`. */
export async function runClock(clock: VirtualClock, untilMs: number): Promise<void> {
  await settled();
  await clock.runUntil(untilMs);
  await settled();
}
