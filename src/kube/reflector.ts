import { backoffMs, jitterMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { type AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { KubeClient } from './client-types.ts';
import { watchError } from './errors.ts';
import { listAll } from './list.ts';
import { createMirror } from './mirror.ts';
import type { ReflectorSink } from './reflector-types.ts';
import type { Stored, WatchEvent } from './watch.ts';
import { runWatch } from './watch-session.ts';

export interface ReflectorOptions<T extends Stored> {
  client: KubeClient;
  clock: Clock;
  random: Random;
  log: Log;
  /** The collection: `/api/v1/pods`. */
  path: string;
  /** For messages: `pods of node web`. */
  name: string;
  fieldSelector?: string;
  labelSelector?: string;
  sink: ReflectorSink<T>;
  /** Objects a page; default 500. */
  pageSize?: number;
  /** A complete list at least this often, in case something was missed; default 45 min, 0 never. */
  relistEveryMs?: number;
}

interface ReflectorHealth {
  /** True from the first complete list on. */
  isSynced: boolean;
  /** Monotonic ms of the last sign of life: a list, an event, a bookmark. */
  lastSyncedAtMs: number | undefined;
  /** Why it is not following right now. */
  error: AppError | undefined;
}

/** Keeps a sink in step with a collection of the API server, whatever happens to the connection. */
export interface Reflector {
  start(): void;
  /** Resolves when nothing more will reach the sink. */
  stop(): Promise<void>;
  health(): ReflectorHealth;
  /** Resolves after the first complete list. */
  whenSynced(): Promise<void>;
}

const backoff = { firstMs: 800, maxMs: 30_000 };
/** A watch that ends sooner counts as a failure, so that a server that only cuts connections is not hammered. */
const shortWatchMs = 1_000;
/** Bookmarks come about once a minute, the first after two; where they come, silence is noticed sooner than at the end of the watch. */
const bookmarkedIdleMs = 180_000;

/**
 * Makes a reflector: list, then watch from there; resume from the last position after a cut; list again when the position
 * is too old. It never gives up: what goes wrong is reported by `health` and tried again, at longer intervals.
 * Source: kubernetes.io/docs/reference/using-api/api-concepts (efficient detection of changes); client-go tools/cache.
 */
export function createReflector<T extends Stored>(options: ReflectorOptions<T>): Reflector {
  const { clock, random, log } = options;
  const mirror = createMirror(options.sink, log);
  const stopping = new AbortController();
  const synced = Promise.withResolvers<void>();
  const health: ReflectorHealth = { isSynced: false, lastSyncedAtMs: undefined, error: undefined };
  const query = { fieldSelector: options.fieldSelector, labelSelector: options.labelSelector };
  let position: string | undefined;
  let relistAtMs = Number.POSITIVE_INFINITY;
  let hasBookmarks = false;
  let failures = 0;
  let running: Promise<void> | undefined;

  function alive(): void {
    health.lastSyncedAtMs = clock.monotonic();
    if (health.error) log.info('watch is back', { watch: options.name });
    health.error = undefined;
  }

  async function relist(): Promise<string> {
    const call = { query, urgent: true, signal: stopping.signal, attempt: `listing ${options.name}` };
    const list = await listAll<T>(options.client, options.path, call, options.pageSize ?? 500);
    mirror.replace(list.items);
    const everyMs = options.relistEveryMs ?? 45 * 60_000;
    relistAtMs = everyMs > 0 ? clock.monotonic() + jitterMs(everyMs, 0.2, random) : Number.POSITIVE_INFINITY;
    health.isSynced = true;
    alive();
    synced.resolve();
    return list.resourceVersion;
  }

  function take(event: WatchEvent<T>): void {
    if (event.type === 'ERROR') throw watchError(event.object, `watching ${options.name}`);
    alive();
    failures = 0;
    if (event.type === 'BOOKMARK') hasBookmarks = true;
    else mirror.apply(event.type, event.object);
    position = event.object.metadata.resourceVersion ?? position;
  }

  async function follow(from: string): Promise<void> {
    const timeoutSeconds = 300 + Math.floor(random() * 300);
    const startedAt = clock.monotonic();
    await runWatch<T>({
      client: options.client,
      clock,
      path: options.path,
      query,
      resourceVersion: from,
      timeoutSeconds,
      idleMs: hasBookmarks ? bookmarkedIdleMs : (timeoutSeconds + 30) * 1000,
      onOpen: alive,
      onEvent: take,
      attempt: `watching ${options.name}`,
      signal: stopping.signal,
    });
    const lastedMs = clock.monotonic() - startedAt;
    if (lastedMs < shortWatchMs) await sleep(clock, backoffMs(++failures, backoff, random), stopping.signal);
    else {
      failures = 0;
      alive();
    }
  }

  /** Decides where to go on from, and how long to wait before that. */
  function delayAfter(error: AppError): number {
    failures += 1;
    if (error.code === 'kube.expired' || (error.code === 'kube.garbage' && failures > 1)) position = undefined;
    // A position that is too old is no fault of the server; only a storm of them is slowed down.
    if (error.code === 'kube.expired' && failures === 1) return 0;
    const fields = { watch: options.name, err: error.message, code: error.code, attempt: failures };
    if (health.error?.code === error.code) log.debug('watch is interrupted', fields);
    else log.warn('watch is interrupted', fields);
    health.error = error;
    return Math.max(error.retryAfterMs ?? 0, backoffMs(failures - 1, backoff, random));
  }

  async function run(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        if (position === undefined || clock.monotonic() >= relistAtMs) position = await relist();
        await follow(position);
      } catch (thrown) {
        if (stopping.signal.aborted) return;
        await sleep(clock, delayAfter(toAppError(thrown)), stopping.signal).catch(() => {});
      }
    }
  }

  return {
    start() {
      running ??= run();
    },
    async stop() {
      stopping.abort();
      await running;
    },
    health: () => ({ ...health }),
    whenSynced: () => synced.promise,
  };
}
