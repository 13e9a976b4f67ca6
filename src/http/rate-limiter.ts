import type { Clock } from '../base/clock.ts';

/** A token bucket: `burst` calls at once, then `perSecond`. */
export interface RateLimiter {
  /** Resolves when the caller may go on; first come, first served. Rejects with the signal's reason when it aborts first. */
  take(signal?: AbortSignal): Promise<void>;
}

interface Waiter {
  go: () => void;
  left: boolean;
}

/** Makes a token bucket. `perSecond` 0 switches the limit off; a `burst` below 1 counts as 1. */
export function createRateLimiter(perSecond: number, burst: number, clock: Clock): RateLimiter {
  const size = Math.max(1, burst);
  let tokens = size;
  let filledAt = clock.monotonic();
  const waiting: Waiter[] = [];
  let armed = false;

  function refill() {
    const now = clock.monotonic();
    tokens = Math.min(size, tokens + ((now - filledAt) / 1000) * perSecond);
    filledAt = now;
  }
  function serve() {
    armed = false;
    refill();
    while (tokens >= 1) {
      const next = waiting.shift();
      if (!next) return;
      if (next.left) continue;
      tokens -= 1;
      next.go();
    }
    arm();
  }
  function arm() {
    if (armed || waiting.length === 0) return;
    armed = true;
    clock.after(Math.max(1, Math.ceil(((1 - tokens) / perSecond) * 1000)), serve);
  }
  function queue(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const onAbort = () => {
        waiter.left = true;
        reject(signal?.reason);
      };
      const waiter: Waiter = {
        left: false,
        go: () => {
          signal?.removeEventListener('abort', onAbort);
          resolve();
        },
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      waiting.push(waiter);
      arm();
    });
  }
  return {
    take(signal) {
      if (signal?.aborted) return Promise.reject(signal.reason);
      if (perSecond <= 0) return Promise.resolve();
      refill();
      if (waiting.length === 0 && tokens >= 1) {
        tokens -= 1;
        return Promise.resolve();
      }
      return queue(signal);
    },
  };
}
