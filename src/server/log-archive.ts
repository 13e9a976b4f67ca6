import { type Clock, sleep } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { isRefusal } from './log-options.ts';
import { logTarget, type PodSources } from './pod-container.ts';
import type { ContainerRuntime } from './runtime.ts';

/** Logs of containers that have ended, for as long as their Pods exist. */
export interface LogArchive {
  /** The text by the container's uuid, with times; undefined when it was not kept. */
  read(container: string): string | undefined;
  stop(): void;
}

export interface LogArchiveOptions {
  sources: PodSources;
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
}

const everyMs = 10_000;
const maxTextBytes = 1024 * 1024;
const maxTotalBytes = 64 * 1024 * 1024;
const tailLines = 10_000;
const fetchMs = 90_000;
const maxTries = 5;

interface Kept {
  uid: string;
  text: string;
}

/**
 * Keeps the last MiB of each ended container's log, 64 MiB in all, the oldest dropped first: Zun's log goes with the
 * container, which may be freed or lost before its Pod is deleted.
 */
export function createLogArchive(options: LogArchiveOptions): LogArchive {
  const kept = new Map<string, Kept>();
  const tries = new Map<string, number>();
  const stopped = new AbortController();

  function forget(): void {
    for (const [container, { uid }] of kept) if (!options.sources.pods.get(uid)) kept.delete(container);
    const uids = new Set(options.sources.pods.all().map((pod) => pod.metadata.uid));
    for (const key of tries.keys()) if (!uids.has(key.split(' ', 1)[0] ?? '')) tries.delete(key);
    let total = 0;
    for (const { text } of kept.values()) total += text.length;
    for (const [container, { text }] of kept) {
      if (total <= maxTotalBytes) break;
      kept.delete(container);
      total -= text.length;
    }
  }
  async function look(): Promise<void> {
    forget();
    for (const { uid, target } of endedContainers(options.sources)) {
      const key = `${uid} ${target.container}`;
      const tried = tries.get(key) ?? 0;
      if (stopped.signal.aborted || kept.has(target.container) || tried >= maxTries) continue;
      tries.set(key, tried + 1);
      try {
        const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(fetchMs)]);
        const query = { stdout: true, stderr: true, tail: tailLines };
        const text = await options.runtime.logs(target, query, signal);
        kept.set(target.container, { uid, text: text.slice(-maxTextBytes) });
        tries.set(key, maxTries);
      } catch (error) {
        if (!isKind(error, 'retryable')) tries.set(key, maxTries);
        options.log.debug('keeping the log of an ended container failed', { container: target.container, err: error });
      }
    }
  }
  const loop = async (): Promise<void> => {
    while (!stopped.signal.aborted) {
      await sleep(options.clock, everyMs, stopped.signal);
      await look();
    }
  };
  loop().catch(() => {});
  return { read: (container) => kept.get(container)?.text, stop: () => stopped.abort() };
}

function endedContainers(sources: PodSources) {
  return sources.pods.all().flatMap((pod) => {
    const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
    return statuses
      .filter((status) => status.state?.terminated !== undefined)
      .flatMap((status) => {
        const found = logTarget(sources, pod, { name: status.name, previous: false });
        // Members of capsules have no logs to keep on stock Zun, and capsules outlive their containers.
        if (isRefusal(found) || found.target.backend !== 'container') return [];
        return [{ uid: pod.metadata.uid, target: found.target }];
      });
  });
}
