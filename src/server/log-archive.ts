import { type Clock, sleep } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ContainerStatus, Pod } from '../kube/types.ts';
import { isRefusal } from './log-options.ts';
import { logTarget, type PodSources } from './pod-container.ts';
import type { ContainerRuntime, ContainerTarget } from './runtime.ts';

/** Logs of containers that have ended, for as long as their Pods exist. */
export interface LogArchive {
  /** The text by the container's uuid, with times; undefined when it was not kept. */
  read(container: string): string | undefined;
  /** Keeps what a Pod's containers have said so far, before they are freed. Never rejects. */
  keep(uid: string): Promise<void>;
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
/** How long a container that goes is kept for its log. */
const keepMs = 10_000;
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
  async function fetch(uid: string, target: ContainerTarget, limitMs: number): Promise<void> {
    const signal = AbortSignal.any([stopped.signal, AbortSignal.timeout(limitMs)]);
    const query = { stdout: true, stderr: true, tail: tailLines };
    const text = await options.runtime.logs(target, query, signal);
    kept.set(target.container, { uid, text: text.slice(-maxTextBytes) });
  }
  async function keep(uid: string): Promise<void> {
    const pod = options.sources.pods.get(uid);
    if (!pod) return;
    const targets = loggedContainers(options.sources, pod).filter(({ container }) => !kept.has(container));
    await Promise.all(
      targets.map((target) =>
        fetch(uid, target, keepMs).catch((error: unknown) => {
          options.log.debug('keeping the log of a container that goes failed', {
            container: target.container,
            err: error,
          });
        }),
      ),
    );
  }
  async function look(): Promise<void> {
    forget();
    for (const { uid, target } of endedContainers(options.sources)) {
      const key = `${uid} ${target.container}`;
      const tried = tries.get(key) ?? 0;
      if (stopped.signal.aborted || kept.has(target.container) || tried >= maxTries) continue;
      tries.set(key, tried + 1);
      try {
        await fetch(uid, target, fetchMs);
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
  return { read: (container) => kept.get(container)?.text, keep, stop: () => stopped.abort() };
}

function endedContainers(sources: PodSources) {
  return sources.pods.all().flatMap((pod) => {
    const { uid } = pod.metadata;
    return loggedContainers(sources, pod, ({ state }) => state?.terminated !== undefined).map((target) => ({
      uid,
      target,
    }));
  });
}

/** The containers of a Pod whose logs Zun has: members of capsules have none on stock Zun, and capsules outlive their containers. */
function loggedContainers(
  sources: PodSources,
  pod: Pod,
  isMeant: (status: ContainerStatus) => boolean = () => true,
): ContainerTarget[] {
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])];
  return statuses.filter(isMeant).flatMap(({ name }) => {
    const found = logTarget(sources, pod, { name, previous: false });
    return isRefusal(found) || found.target.backend !== 'container' ? [] : [found.target];
  });
}
