import type { Clock } from '../base/clock.ts';

/** Remembers answers for a short time, and lets callers who ask at once share one question. */
export interface ObjectCache<T> {
  /**
   * Answers what is remembered or asks `fetch`. `since` is a moment of the monotonic clock: an answer to a question asked
   * before it does not count, so that a caller sees whatever others wrote before that moment.
   */
  get(key: string, fetch: () => Promise<T>, since?: number): Promise<T>;
  put(key: string, value: T): void;
}

/** Makes a cache. What is older than `ttlMs` is dropped, not only ignored: Secrets do not stay in memory. */
export function createObjectCache<T>(clock: Clock, ttlMs: number): ObjectCache<T> {
  const stored = new Map<string, { value: T; askedAtMs: number }>();
  const pending = new Map<string, { answer: Promise<T>; askedAtMs: number }>();
  let isSweeping = false;

  function sweep(): void {
    isSweeping = false;
    for (const [key, { askedAtMs }] of stored) {
      if (clock.monotonic() - askedAtMs >= ttlMs) stored.delete(key);
    }
    armSweep();
  }
  function armSweep(): void {
    if (isSweeping || stored.size === 0) return;
    isSweeping = true;
    clock.after(ttlMs, sweep);
  }
  function put(key: string, value: T, askedAtMs: number): void {
    stored.set(key, { value, askedAtMs });
    armSweep();
  }
  return {
    get(key, fetch, since = Number.NEGATIVE_INFINITY) {
      const known = stored.get(key);
      const isFresh = known && known.askedAtMs >= since && clock.monotonic() - known.askedAtMs < ttlMs;
      if (isFresh) return Promise.resolve(known.value);
      const running = pending.get(key);
      if (running && running.askedAtMs >= since) return running.answer;
      const askedAtMs = clock.monotonic();
      const answer = fetch();
      const entry = { answer, askedAtMs };
      pending.set(key, entry);
      const settle = () => {
        if (pending.get(key) === entry) pending.delete(key);
      };
      answer.then((value) => {
        settle();
        if ((stored.get(key)?.askedAtMs ?? Number.NEGATIVE_INFINITY) <= askedAtMs) put(key, value, askedAtMs);
      }, settle);
      return answer;
    },
    put: (key, value) => put(key, value, clock.monotonic()),
  };
}
