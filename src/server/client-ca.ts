import { type Clock, sleep } from '../base/clock.ts';
import type { Log } from '../base/log.ts';

/** Where the certificate authorities of clients are written down: a file, or the ConfigMap that the API server keeps. */
export interface ClientCaSource {
  /** PEM; undefined when there is none. Errors as `AppError`. */
  read(signal: AbortSignal): Promise<string | undefined>;
}

const everyMs = 60_000;

/** The key of `kube-system/extension-apiserver-authentication` that is meant; its request-header CA is not. */
export const clientCaKey = 'client-ca-file';

/**
 * Reads the client authorities now, and again every minute; calls back at the first answer and at each change. A source
 * that cannot be read, or is empty for a moment, leaves the old authorities in place.
 */
export function followClientCa(options: {
  source: ClientCaSource;
  clock: Clock;
  log: Log;
  onChange(pem: string): void;
}): { first: Promise<void>; stop(): void } {
  const stopped = new AbortController();
  let last: string | undefined;
  const look = async (): Promise<void> => {
    try {
      const pem = await options.source.read(stopped.signal);
      if (pem === undefined || pem === last || stopped.signal.aborted) return;
      if (last !== undefined) options.log.info('client certificate authorities changed');
      last = pem;
      options.onChange(pem);
    } catch (error) {
      if (!stopped.signal.aborted)
        options.log.warn('reading the client certificate authorities failed', { err: error });
    }
  };
  const first = look();
  const loop = async (): Promise<void> => {
    await first;
    while (!stopped.signal.aborted) {
      await sleep(options.clock, everyMs, stopped.signal);
      await look();
    }
  };
  loop().catch(() => {});
  return { first, stop: () => stopped.abort() };
}
