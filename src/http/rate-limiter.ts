import type { Clock } from '../base/clock.ts';

/** A token bucket: `burst` calls at once, then `perSecond`. */
export interface RateLimiter {
  /** Resolves when the caller may go on; first come, first served. */
  take(): Promise<void>;
}

/** Makes a token bucket. `perSecond` 0 switches the limit off. */
export function createRateLimiter(perSecond: number, burst: number, clock: Clock): RateLimiter {
  let tokens = burst;
  let filledAt = clock.monotonic();
  const waiting: (() => void)[] = [];
  let armed = false;

  function refill() {
    const now = clock.monotonic();
    tokens = Math.min(burst, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
  }
  function serve() {
    armed = false;
    refill();
    while (tokens >= 1) {
      const next = waiting.shift();
      if (!next) return;
      tokens -= 1;
      next();
    }
    arm();
  }
  function arm() {
    if (armed || waiting.length === 0) return;
    armed = true;
    clock.after(Math.max(1, Math.ceil(((1 - tokens) / perSecond) * 1000)), serve);
  }
  return {
    take() {
      if (perSecond <= 0) return Promise.resolve();
      refill();
      if (waiting.length === 0 && tokens >= 1) {
        tokens -= 1;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        waiting.push(resolve);
        arm();
      });
    },
  };
}
