import { setImmediate as yieldToLoop } from 'node:timers/promises';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { KubeClient } from './client-types.ts';
import { createLineSplitter, parseWatchEvent, type Stored, type WatchEvent } from './watch.ts';

export interface WatchSessionOptions<T> {
  client: KubeClient;
  clock: Clock;
  path: string;
  query: Record<string, string | undefined>;
  resourceVersion: string;
  /** After this the API server ends the watch by itself. */
  timeoutSeconds: number;
  /** A watch without a byte for this long is dead, although its connection looks alive. */
  idleMs: number;
  /** Called when the API server accepted the watch. */
  onOpen: () => void;
  /** Called for each event in order; what it throws ends the watch. */
  onEvent: (event: WatchEvent<T>) => void;
  attempt: string;
  signal: AbortSignal;
}

/** The API server refuses objects above about 3 MB; an event is little more than its object. */
const maxLineBytes = 16 * 1024 * 1024;
const sliceMs = 5;

/**
 * Holds one watch until the API server ends it, and lets the event loop run every few milliseconds of work.
 * Errors: those of `KubeClient.watch`; `retryable` (`kube.watch-silent`, `kube.garbage`, `kube.line-too-long`, `http.…`).
 */
export async function runWatch<T extends Stored>(options: WatchSessionOptions<T>): Promise<void> {
  const { client, clock, attempt } = options;
  const watchdog = createWatchdog(clock, options.idleMs);
  const signal = AbortSignal.any([options.signal, watchdog.signal]);
  try {
    const { body } = await client.watch(options.path, {
      query: {
        ...options.query,
        resourceVersion: options.resourceVersion,
        allowWatchBookmarks: 'true',
        timeoutSeconds: String(options.timeoutSeconds),
      },
      attempt,
      urgent: true,
      signal,
    });
    watchdog.feed();
    options.onOpen();
    const splitter = createLineSplitter(maxLineBytes);
    let sliceEndsAt = clock.monotonic() + sliceMs;
    // The transport's bodies yield buffers only.
    for await (const chunk of body as AsyncIterable<Buffer>) {
      watchdog.feed();
      for (const line of splitter.push(chunk)) {
        const event = parseWatchEvent<T>(line, attempt);
        if (event) options.onEvent(event);
        if (clock.monotonic() < sliceEndsAt) continue;
        await yieldToLoop();
        if (options.signal.aborted) return;
        sliceEndsAt = clock.monotonic() + sliceMs;
      }
    }
  } catch (thrown) {
    if (!watchdog.signal.aborted) throw thrown;
    throw new AppError({
      kind: 'retryable',
      code: 'kube.watch-silent',
      message: `${attempt}: nothing came for ${Math.round(options.idleMs / 1000)} s`,
      cause: thrown,
    });
  } finally {
    watchdog.stop();
  }
}

/** Aborts its signal when it was not fed for `idleMs`. */
function createWatchdog(clock: Clock, idleMs: number) {
  const silent = new AbortController();
  let fedAt = clock.monotonic();
  let cancel = clock.after(idleMs, check);
  function check() {
    const leftMs = fedAt + idleMs - clock.monotonic();
    if (leftMs <= 0) silent.abort();
    else cancel = clock.after(leftMs, check);
  }
  return {
    signal: silent.signal,
    feed() {
      fedAt = clock.monotonic();
    },
    stop: () => cancel(),
  };
}
