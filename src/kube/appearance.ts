import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import type { Random } from '../base/random.ts';

/** Tells when objects that were missing are there. */
export interface AppearanceWatch {
  /** Asks again and again until `isThere` says yes, then calls every listener of the key once. Returns the way out. */
  wait(key: string, isThere: () => Promise<boolean>, listener: () => void): () => void;
  stop(): void;
}

const backoff = { firstMs: 1_000, maxMs: 5_000 };
/** Many missing objects share the questions: ten a second at most, however many there are. */
const spacingMs = 100;

/**
 * Makes the watch. It asks with single reads, one a key however many wait for it: that needs only the right to `get`. A watch
 * on the one object would tell sooner, but needs the rights to list and watch, which for Secrets open every Secret.
 */
export function createAppearanceWatch(clock: Clock, random: Random): AppearanceWatch {
  const waiting = new Map<string, { listeners: Set<() => void>; cancel: () => void }>();

  function ask(key: string, isThere: () => Promise<boolean>, attempt: number): void {
    const entry = waiting.get(key);
    if (!entry) return;
    const delayMs = backoffMs(attempt, backoff, random) + (waiting.size - 1) * spacingMs;
    entry.cancel = clock.after(delayMs, () => {
      isThere().then(
        (yes) => (yes ? tell(key, entry.listeners) : ask(key, isThere, attempt + 1)),
        // What keeps us from reading it may pass as well.
        () => ask(key, isThere, attempt + 1),
      );
    });
  }
  function tell(key: string, listeners: Set<() => void>): void {
    waiting.delete(key);
    for (const listener of listeners) listener();
  }
  return {
    wait(key, isThere, listener) {
      const known = waiting.get(key);
      const entry = known ?? { listeners: new Set(), cancel: () => {} };
      entry.listeners.add(listener);
      if (!known) {
        waiting.set(key, entry);
        ask(key, isThere, 0);
      }
      return () => {
        entry.listeners.delete(listener);
        if (entry.listeners.size > 0 || waiting.get(key) !== entry) return;
        entry.cancel();
        waiting.delete(key);
      };
    },
    stop() {
      for (const { cancel } of waiting.values()) cancel();
      waiting.clear();
    },
  };
}
