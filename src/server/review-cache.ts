import type { Clock } from '../base/clock.ts';

/** Remembers answers for a while. */
export interface ReviewCache<T> {
  /** Answers from memory, or asks; callers with the same key at the same time share one question. Failures are not kept. */
  get(key: string, ask: () => Promise<T>): Promise<T>;
}

/** Makes a cache of at most `maxEntries` answers; the least recently used goes first. `keepMs` says how long an answer stands. */
export function createReviewCache<T>(options: {
  maxEntries: number;
  keepMs: (answer: T) => number;
  clock: Clock;
}): ReviewCache<T> {
  const answers = new Map<string, { answer: T; untilMs: number }>();
  const running = new Map<string, Promise<T>>();

  function remember(key: string, answer: T): void {
    answers.delete(key);
    answers.set(key, { answer, untilMs: options.clock.monotonic() + options.keepMs(answer) });
    if (answers.size <= options.maxEntries) return;
    const oldest = answers.keys().next();
    if (!oldest.done) answers.delete(oldest.value);
  }
  return {
    get(key, ask) {
      const known = answers.get(key);
      if (known && known.untilMs > options.clock.monotonic()) {
        answers.delete(key);
        answers.set(key, known);
        return Promise.resolve(known.answer);
      }
      answers.delete(key);
      const shared = running.get(key);
      if (shared) return shared;
      const question = ask()
        .then((answer) => {
          remember(key, answer);
          return answer;
        })
        .finally(() => running.delete(key));
      running.set(key, question);
      return question;
    },
  };
}
