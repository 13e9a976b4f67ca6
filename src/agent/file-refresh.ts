import { jitterMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { isKind, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Pod } from '../kube/types.ts';
import type { ContainerApi } from '../openstack/containers.ts';
import type { CapsuleReader, EventRecorder, PodReader } from '../sync/ports.ts';
import { createQueue } from '../sync/queue.ts';
import { names } from '../sync/worker.ts';
import { firstFileOf, tarOf } from './single-file-tar.ts';

/** A file that a container should hold. */
export interface WantedFile {
  destination: string;
  content: Buffer;
}

/** Keeps the ConfigMaps, Secrets, tokens and Pod fields in the files of standalone containers up to date. */
export interface FileRefresh {
  start(): void;
  stop(): Promise<void>;
}

export interface FileRefreshOptions {
  pods: Pick<PodReader, 'get' | 'all'>;
  capsules: Pick<CapsuleReader, 'ofPod'>;
  containers: Pick<ContainerApi, 'getArchive' | 'putArchive' | 'execute'>;
  /** The files as they should be now; undefined when an object is missing, and what is there stays. */
  wanted: (pod: Pod) => Promise<WantedFile[] | undefined>;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  log: Log;
  /** How often each Pod is looked at, ms; the kubelet's own is a minute to a minute and a half. */
  everyMs: number;
}

/** What is known of the files of one container. */
interface Known {
  uuid: string;
  contents: Map<string, Buffer>;
  /** The container cannot take files; its user was told. */
  isHopeless: boolean;
}

const concurrency = 4;

/**
 * Makes the keeper. Zun bind-mounts each file, and Docker refuses to replace a mounted file, so a new content is put beside
 * it and copied over it in place by the container's own `cp`. That is not atomic, unlike a kubelet's, and it needs `cp` and a
 * user who may write; where it fails the Pod is told once and keeps what it has. What a container holds is read from it,
 * so a restart of the node forgets nothing.
 * Source: zun/container/docker/driver.py (put_archive), zun/volume/driver.py (Local).
 */
export function createFileRefresh(options: FileRefreshOptions): FileRefresh {
  const { clock, containers, log, pods } = options;
  const known = new Map<string, Known>();
  const queue = createQueue({
    clock,
    concurrency,
    run,
    onBug: (uid, error) => log.error('file refresh failed by a bug', { uid, err: error }),
  });
  let cancel: () => void = () => {};

  function runningContainer(pod: Pod): string | undefined {
    const [capsule] = options.capsules.ofPod(pod.metadata.uid);
    const isOver = pod.metadata.deletionTimestamp !== undefined || pod.status?.phase !== 'Running';
    return capsule?.backend === 'container' && capsule.status === 'Running' && !isOver ? capsule.uuid : undefined;
  }

  async function run(uid: string): Promise<void> {
    const pod = pods.get(uid);
    const uuid = pod && runningContainer(pod);
    if (!pod || uuid === undefined) return;
    try {
      await refresh(pod, uuid);
    } catch (thrown) {
      // A container that has just ended, or a cloud that is away: the next round tries again.
      const { code, message } = toAppError(thrown);
      log.debug('files not refreshed', { ...names(pod), code, err: message });
    }
  }

  async function refresh(pod: Pod, uuid: string): Promise<void> {
    const before = known.get(pod.metadata.uid);
    const entry: Known = before?.uuid === uuid ? before : { uuid, contents: new Map(), isHopeless: false };
    known.set(pod.metadata.uid, entry);
    if (entry.isHopeless) return;
    const files = (await options.wanted(pod)) ?? [];
    const changed: WantedFile[] = [];
    for (const file of files) {
      const content = entry.contents.get(file.destination) ?? (await readFile(uuid, file.destination));
      if (content?.equals(file.content)) entry.contents.set(file.destination, content);
      else changed.push(file);
    }
    if (changed.length === 0) return;
    const failure = await writeFiles(uuid, changed);
    if (failure === undefined) {
      for (const { destination, content } of changed) entry.contents.set(destination, content);
      log.info('files refreshed', { ...names(pod), files: changed.map(({ destination }) => destination).join(' ') });
      return;
    }
    entry.isHopeless = true;
    const listed = changed.map(({ destination }) => destination).join(', ');
    const message = `${listed} changed, and the container keeps the old content: ${failure}. A new content is copied by the image's own cp, as the user of the image; restart the Pod to give it the new files`;
    const { name, namespace, uid } = pod.metadata;
    options.events.record({ kind: 'Pod', name, namespace, uid }, 'Warning', 'FilesNotRefreshed', message);
    log.warn('files cannot be refreshed', { ...names(pod), err: failure });
  }

  async function readFile(uuid: string, path: string): Promise<Buffer | undefined> {
    try {
      return firstFileOf(await containers.getArchive(uuid, path));
    } catch (thrown) {
      // Docker says so of a file that is not there; Zun makes a 400 or 404 of it.
      if (isKind(thrown, 'invalid', 'not-found')) return undefined;
      throw thrown;
    }
  }

  /** Answers why it cannot be done; undefined when it is. Other failures are thrown. */
  async function writeFiles(uuid: string, files: readonly WantedFile[]): Promise<string | undefined> {
    const staged = files.map(({ content }, index) => ({ name: `.zunlet-file-${index}`, content }));
    await containers.putArchive(uuid, '/', tarOf(staged, clock.now() / 1000));
    try {
      for (const [index, { destination }] of files.entries()) {
        const { exitCode, output } = await containers.execute(uuid, ['cp', `/.zunlet-file-${index}`, destination]);
        if (exitCode !== 0) return output.trim().slice(0, 200) || `cp ended with ${exitCode}`;
      }
      return undefined;
    } finally {
      // Secrets do not stay behind, even where there is no rm.
      const emptied = staged.map(({ name }) => ({ name, content: Buffer.alloc(0) }));
      await containers.putArchive(uuid, '/', tarOf(emptied, clock.now() / 1000));
      await containers.execute(uuid, ['rm', '-f', ...staged.map(({ name }) => `/${name}`)]);
    }
  }

  function round(): void {
    for (const uid of known.keys()) if (!pods.get(uid)) known.delete(uid);
    for (const pod of pods.all()) {
      if (hasFiles(pod) && runningContainer(pod) !== undefined) queue.poke(pod.metadata.uid, 'refresh');
    }
    arm();
  }
  function arm(): void {
    cancel = clock.after(jitterMs(options.everyMs, 0.2, options.random), round);
  }

  return {
    start: arm,
    stop() {
      cancel();
      return queue.stop();
    },
  };
}

function hasFiles({ spec }: Pod): boolean {
  return (spec.volumes ?? []).some(
    ({ configMap, secret, projected, downwardAPI }) => configMap ?? secret ?? projected ?? downwardAPI,
  );
}
