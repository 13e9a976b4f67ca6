import type { CapsuleName } from '../status/named-capsule.ts';

/** A capsule that is read one by one: `transition` backs off from 1 s to 10 s, `live` keeps an even pace. */
export type Pace = 'transition' | 'live';

/** When a tracked capsule is due, monotonic ms. */
export interface Tracked extends CapsuleName {
  pace: Pace;
  dueAt: number;
  delayMs: number;
  reading: boolean;
}

export interface PollState {
  tracked: readonly Tracked[];
  /** How many capsules the last list had. */
  listSize: number;
  /** When the next list is due, monotonic ms. */
  listDueAt: number;
  listing: boolean;
  /** How many single reads may still start. */
  freeReads: number;
}

/** What to ask Zun now, and how long to sleep if nothing happens meanwhile. */
export interface Reads {
  list: boolean;
  gets: Tracked[];
  sleepMs: number;
}

/** Queries that one GET, and a list of `n` capsules, cost Zun's database (docs/zun.md §7). */
export const queries = { get: 3, list: (n: number) => 1 + 2 * n };

/** Neighbouring due times are served together. */
const slackMs = 50;
const maxSleepMs = 60_000;

/**
 * Decides what to ask Zun: capsules in transition one by one while that is cheaper than a list, else all by one list; and a
 * full list when it is due, since only a list shows what vanished and what is orphaned.
 */
export function nextReads(state: PollState, now: number): Reads {
  const due = state.tracked.filter((entry) => !entry.reading && entry.dueAt <= now + slackMs);
  const inTransition = due.filter(({ pace }) => pace === 'transition').length;
  const listIsCheaper = inTransition * queries.get > queries.list(Math.max(state.listSize, inTransition));
  const list = !state.listing && (now >= state.listDueAt || listIsCheaper);
  const byList = list || (state.listing && listIsCheaper);
  const wanted = byList ? due.filter(({ pace }) => pace === 'live') : due;
  const gets = wanted.slice(0, Math.max(0, state.freeReads));
  // What found no free place stays due and is looked at again after the slack.
  const taken = new Set(byList ? [...gets, ...due.filter(({ pace }) => pace === 'transition')] : gets);
  const nextDue = state.tracked.reduce(
    (soonest, entry) => (taken.has(entry) || entry.reading ? soonest : Math.min(soonest, entry.dueAt)),
    list || state.listing ? Number.POSITIVE_INFINITY : state.listDueAt,
  );
  return { list, gets, sleepMs: Math.min(maxSleepMs, Math.max(slackMs, nextDue - now)) };
}
