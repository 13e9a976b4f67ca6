import { backoffMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { isKind, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { createRateLimiter } from '../http/rate-limiter.ts';
import type { EventRecorder } from '../sync/ports.ts';
import type { KubeClient } from './client-types.ts';
import { createEventCorrelator, type EventSeries } from './event-series.ts';

export interface EventRecorderOptions {
  client: KubeClient;
  clock: Clock;
  random: Random;
  log: Log;
  /** Who tells: `zunlet`. */
  component: string;
  /** The node's name. */
  host: string;
  /** Calls a second and at once; 50 and 100 as the kubelet has them. 0 a second switches the limit off. */
  qps?: number;
  burst?: number;
  /** How many Events may wait; default 10,000. What comes beyond that is lost and counted. */
  capacity?: number;
}

/** A recorder that sends by itself, behind the caller's back. */
export interface EventSender extends EventRecorder {
  /** Resolves when nothing waits any more, or after `timeoutMs`; says whether all was sent. For the shutdown. */
  flush(timeoutMs: number): Promise<boolean>;
  /** Drops what waits and sends nothing more. */
  stop(): void;
  /** Events lost so far: too many waiting, refused, or tried too often. Those held back by the rules are not counted. */
  lost(): number;
}

const parallel = 16;
const mostTries = 12;
const backoff = { firstMs: 1_000, maxMs: 10_000 };

/** Makes the recorder. Writes core/v1 Events, as kubelets do. Source: client-go tools/record/event.go. */
export function createEventRecorder(options: EventRecorderOptions): EventSender {
  const { clock, log } = options;
  const limiter = createRateLimiter(options.qps ?? 50, options.burst ?? 100, clock);
  const correlator = createEventCorrelator(options.component, options.host);
  const stopping = new AbortController();
  const waiting = new Set<EventSeries>();
  const sending = new Set<EventSeries>();
  const tries = new WeakMap<EventSeries, number>();
  let idle: (() => void)[] = [];
  let isPaused = false;
  let lost = 0;

  function lose(series: EventSeries, why: string): void {
    lost += 1;
    log.debug('event lost', { err: why, subject: series.event.involvedObject.name, reason: series.event.reason });
  }
  /** After a failure all wait: the API server is the same for all of them. */
  function pause(ms: number): void {
    isPaused = true;
    clock.after(ms, () => {
      isPaused = false;
      pump();
    });
  }
  function onFailure(series: EventSeries, thrown: unknown): void {
    const error = toAppError(thrown);
    const tried = (tries.get(series) ?? 0) + 1;
    tries.set(series, tried);
    if (error.kind !== 'retryable' || tried >= mostTries) {
      lose(series, error.message);
      return;
    }
    waiting.add(series);
    pause(error.retryAfterMs ?? backoffMs(tried - 1, backoff, options.random));
  }
  function start(series: EventSeries): void {
    waiting.delete(series);
    sending.add(series);
    limiter
      .take(stopping.signal)
      .then(() => store(options.client, series, stopping.signal))
      .then(() => tries.delete(series))
      .catch((thrown) => {
        if (!stopping.signal.aborted) onFailure(series, thrown);
      })
      .finally(() => {
        sending.delete(series);
        pump();
      });
  }
  function pump(): void {
    for (const series of waiting) {
      if (isPaused || stopping.signal.aborted || sending.size >= parallel) break;
      if (!sending.has(series)) start(series);
    }
    if (waiting.size > 0 || sending.size > 0) return;
    for (const tell of idle) tell();
    idle = [];
  }

  return {
    record(subject, type, reason, message) {
      if (stopping.signal.aborted) return;
      const series = correlator.observe({ subject, type, reason, message }, clock.now(), clock.monotonic());
      if (!series) return;
      if (!waiting.has(series) && waiting.size >= (options.capacity ?? 10_000)) {
        lose(series, 'too many wait');
        return;
      }
      waiting.add(series);
      pump();
    },
    flush(timeoutMs) {
      return new Promise((resolve) => {
        const cancel = clock.after(timeoutMs, () => resolve(false));
        idle.push(() => {
          cancel();
          resolve(true);
        });
        pump();
      });
    },
    stop() {
      stopping.abort();
      waiting.clear();
    },
    lost: () => lost,
  };
}

/** Writes a series as it is now: one object, patched when it grows, made again when it has expired meanwhile. */
async function store(client: KubeClient, series: EventSeries, signal: AbortSignal): Promise<void> {
  const { event } = series;
  const { name, namespace } = event.metadata;
  const collection = `/api/v1/namespaces/${namespace}/events`;
  const call = {
    attempt: `recording event ${event.reason} for ${event.involvedObject.name}`,
    urgent: true,
    retries: 0,
    signal,
  };
  if (series.isStored) {
    const { count, message, lastTimestamp } = event;
    try {
      await client.patch(`${collection}/${name}`, { count, message, lastTimestamp }, call);
      return;
    } catch (thrown) {
      if (!isKind(thrown, 'not-found')) throw thrown;
    }
  }
  try {
    await client.create(collection, event, call);
  } catch (thrown) {
    // An earlier try arrived although its answer did not.
    if (!isKind(thrown, 'conflict')) throw thrown;
  }
  series.isStored = true;
}
