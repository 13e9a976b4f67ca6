import { type BackoffLimits, backoffMs, jitterMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { type AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { CapsuleApi } from '../openstack/types.ts';
import type { CapsuleName } from '../status/named-capsule.ts';
import type { CapsuleStore } from './capsule-store.ts';
import { nextReads, type Pace, type Tracked } from './next-reads.ts';

/** Whether Zun can be observed. */
export type CloudHealth = { ok: true } | { ok: false; sinceMs: number; error: AppError };

/** Keeps the capsule store in step with Zun. */
export interface CapsulePoller {
  start(): void;
  stop(): void;
  /** Reads a capsule one by one at this pace from now on; undefined ends it. Repeating the same pace changes nothing. */
  track(name: CapsuleName, pace: Pace | undefined): void;
  /** Wants a list that begins after this moment, monotonic ms. */
  wantListAfter(at: number): void;
  health(): CloudHealth;
}

export interface PollerOptions {
  zun: Pick<CapsuleApi, 'get' | 'list'>;
  store: CapsuleStore;
  clock: Clock;
  random: Random;
  log: Log;
  /** Between full lists while nothing happens, ms. */
  listEveryMs: number;
  /** Between reads of a running standalone container, ms. */
  liveEveryMs: number;
  /** Called after each complete list with the moment at which it began. */
  onListed(beganAt: number): void;
}

const transition: BackoffLimits = { firstMs: 1000, maxMs: 10_000 };
const listRetry: BackoffLimits = { firstMs: 1000, maxMs: 30_000 };
/** Lists that many Pods wait for come at most this often. */
const wantedSpacingMs = 1000;
const parallelReads = 16;
/** A live read makes Zun ask the compute host; all of them together stay below ten a second. */
const liveSpacingMs = 100;

/** Makes a poller. What to ask next is decided by the pure `nextReads`. */
export function createCapsulePoller(options: PollerOptions): CapsulePoller {
  const { zun, store, clock, random, log } = options;
  const tracked = new Map<string, Tracked>();
  let listDueAt = Number.NEGATIVE_INFINITY;
  let wantedAfter: number[] = [];
  let listing = false;
  let reading = 0;
  let listFailures = 0;
  let failingSince: number | undefined;
  let lastError: AppError | undefined;
  let cancelTick: (() => void) | undefined;
  let tickAt = Number.POSITIVE_INFINITY;
  let running = false;

  function tick(): void {
    if (!running) return;
    const state = {
      tracked: [...tracked.values()],
      listSize: store.all().length,
      listDueAt,
      listing,
      freeReads: parallelReads - reading,
    };
    const reads = nextReads(state, clock.monotonic());
    if (reads.list) void list();
    for (const entry of reads.gets) void read(entry);
    wake(reads.sleepMs);
  }

  function wake(ms: number): void {
    cancelTick?.();
    tickAt = clock.monotonic() + ms;
    cancelTick = clock.after(ms, tick);
  }

  function wakeBy(at: number): void {
    if (running && at < tickAt) wake(Math.max(0, at - clock.monotonic()));
  }

  async function list(): Promise<void> {
    listing = true;
    const beganAt = clock.monotonic();
    listDueAt = Number.POSITIVE_INFINITY;
    try {
      const capsules = await zun.list();
      store.replace(capsules, beganAt);
      succeeded();
      listFailures = 0;
      wantedAfter = wantedAfter.filter((at) => at >= beganAt);
      for (const entry of tracked.values()) if (entry.pace === 'transition') reschedule(entry);
      listDueAt = Math.min(wantedAt(), beganAt + jitterMs(options.listEveryMs, 0.1, random));
      options.onListed(beganAt);
    } catch (thrown) {
      failed(toAppError(thrown), 'listing capsules');
      listDueAt = clock.monotonic() + backoffMs(listFailures++, listRetry, random);
    } finally {
      listing = false;
      wake(0);
    }
  }

  /** When the next list is due that somebody waits for. */
  function wantedAt(): number {
    const first = Math.min(...wantedAfter);
    return Math.floor(first / wantedSpacingMs + 1) * wantedSpacingMs + 1;
  }

  async function read(entry: Tracked): Promise<void> {
    entry.reading = true;
    reading += 1;
    const beganAt = clock.monotonic();
    try {
      const capsule = await zun.get(entry.backend, entry.uuid);
      if (capsule) {
        store.upsert(capsule, beganAt);
      } else {
        tracked.delete(entry.uuid);
        store.remove(entry.uuid, beganAt);
      }
      succeeded();
    } catch (thrown) {
      failed(toAppError(thrown), 'reading a capsule');
    } finally {
      entry.reading = false;
      reading -= 1;
      reschedule(entry);
      wakeBy(entry.dueAt);
    }
  }

  function reschedule(entry: Tracked): void {
    if (entry.pace === 'live') {
      const count = [...tracked.values()].filter(({ pace }) => pace === 'live').length;
      entry.delayMs = jitterMs(Math.max(options.liveEveryMs, count * liveSpacingMs), 0.1, random);
    } else {
      entry.delayMs = Math.min(transition.maxMs, entry.delayMs * 1.5);
    }
    entry.dueAt = clock.monotonic() + entry.delayMs;
  }

  function succeeded(): void {
    if (failingSince !== undefined) log.info('zun answers again', { durationMs: clock.monotonic() - failingSince });
    failingSince = undefined;
    lastError = undefined;
  }

  function failed(error: AppError, what: string): void {
    if (failingSince === undefined) {
      failingSince = clock.monotonic();
      log.warn('zun cannot be observed', { what, code: error.code, err: error.message });
    }
    lastError = error;
  }

  return {
    start() {
      running = true;
      tick();
    },
    stop() {
      running = false;
      cancelTick?.();
    },
    track(name, pace) {
      const known = tracked.get(name.uuid);
      if (known?.pace === pace) return;
      if (pace === undefined) {
        tracked.delete(name.uuid);
        return;
      }
      const delayMs = pace === 'live' ? options.liveEveryMs * random() : transition.firstMs;
      const dueAt = clock.monotonic() + delayMs;
      // The same object stays, so that a read under way ends on the entry that it began on.
      if (known) Object.assign(known, { pace, delayMs, dueAt });
      else tracked.set(name.uuid, { ...name, pace, delayMs, dueAt, reading: false });
      wakeBy(dueAt);
    },
    wantListAfter(at) {
      if (!wantedAfter.includes(at)) wantedAfter.push(at);
      // A list under way says when the next one is due.
      if (listing || listDueAt <= wantedAt()) return;
      listDueAt = wantedAt();
      wakeBy(listDueAt);
    },
    health: () =>
      failingSince !== undefined && lastError
        ? { ok: false, sinceMs: clock.monotonic() - failingSince, error: lastError }
        : { ok: true },
  };
}
