import type { Clock } from '../../src/base/clock.ts';

/** A clock that runs `speed` times as fast as the real one: for tests over sockets that would wait for pauses. */
export function createFastClock(speed: number): Clock {
  const start = performance.now();
  const elapsed = () => (performance.now() - start) * speed;
  const epoch = Date.parse('2026-01-01T00:00:00Z');
  return {
    now: () => epoch + Math.floor(elapsed()),
    monotonic: elapsed,
    after(ms, run) {
      const timer = setTimeout(run, ms / speed);
      return () => clearTimeout(timer);
    },
  };
}
