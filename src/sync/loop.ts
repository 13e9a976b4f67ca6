import { readOwner } from '../base/identity.ts';
import type { ReflectorSink } from '../kube/reflector-types.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { type CloudHealth, createCapsulePoller } from './capsule-poller.ts';
import { createCapsuleStore } from './capsule-store.ts';
import { createPodStore, type PodChange } from './pod-store.ts';
import type { CapsuleReader, PodReader } from './ports.ts';
import { createQueue, type Lane } from './queue.ts';
import { createWorker, type Worker, type WorkerDeps } from './worker.ts';

export interface LoopOptions {
  /** Pods worked on at once. */
  concurrency: number;
  /** Between full lists of capsules while nothing happens, ms. */
  listEveryMs: number;
  /** Between reads of a running standalone container, ms. */
  liveEveryMs: number;
  /** Every Pod is looked at again this often, in case a poke was lost, ms. */
  resyncEveryMs: number;
  /** For how long a capsule that was gone is not believed in again, ms. */
  tombstoneMs: number;
}

/** The stores, the queue, the worker and the poller of one life of the node. */
export interface SyncLoop {
  /** Where the reflector writes. */
  readonly sink: ReflectorSink<Pod>;
  readonly pods: PodReader;
  readonly capsules: CapsuleReader;
  start(): void;
  /** Starts nothing new and resolves when the running steps have ended. Capsules and Pods stay as they are. */
  stop(): Promise<void>;
  poke(uid: string): void;
  /** A probe or hook wants a container killed. */
  kill: Worker['kill'];
  /** Looks at a waiting Pod again at once. */
  retry(uid: string): void;
  health(): CloudHealth;
  counts(): LoopCounts;
}

export interface LoopCounts {
  ready: number;
  delayed: number;
  running: number;
  remembered: number;
  pods: number;
  capsules: number;
  /** Monotonic ms at which the last complete list began. */
  listedAt: number;
}

/** What the loop is given; it makes the stores and the poller itself. */
export type LoopDeps = Omit<
  WorkerDeps,
  'pods' | 'capsules' | 'poller' | 'admit' | 'probes' | 'preStop' | 'knownAccounts'
> & {
  loop: LoopOptions;
  /** The kubelet's admission; gets the Pods of the node. */
  admit: (pod: Pod, pods: PodReader) => ReturnType<WorkerDeps['admit']>;
  probes?: WorkerDeps['probes'];
  preStop?: WorkerDeps['preStop'];
  /** Hears of every change, for probes and metrics. Must not call out. */
  onPod?: (uid: string, change: PodChange, pod: Pod) => void;
  onCapsule?: (uid: string, capsule: Capsule | undefined) => void;
  /** Runs the worker for one Pod, so that what happens inside can be told apart by Pod. */
  around?: (uid: string, run: () => Promise<void>) => Promise<void>;
  /** Hears how long each run of the worker took, ms. */
  onRun?: (durationMs: number) => void;
  /** Hears how long each complete list of capsules took, ms. */
  onList?: (durationMs: number) => void;
};

/** Wires one loop. After `stop` it is over; a new life of the node needs a new loop, with nothing remembered. */
export function createSyncLoop(deps: LoopDeps): SyncLoop {
  const { clock, log, loop } = deps;
  const pods = createPodStore(
    (uid, change, pod) => {
      deps.onPod?.(uid, change, pod);
      queue.poke(uid, laneOf(change, pod));
    },
    (pod) => deps.onPod?.(pod.metadata.uid, 'status', pod),
  );
  const capsules = createCapsuleStore({
    cluster: deps.options.cluster,
    node: deps.options.node,
    tombstoneMs: loop.tombstoneMs,
    lagMs: deps.options.settleMs,
    onChange: (uid, capsule) => {
      deps.onCapsule?.(uid, capsule);
      queue.poke(uid, 'refresh');
    },
  });
  const poller = createCapsulePoller({
    zun: deps.zun,
    store: capsules,
    clock,
    random: deps.random,
    log,
    listEveryMs: loop.listEveryMs,
    liveEveryMs: loop.liveEveryMs,
    onListed(beganAt) {
      deps.onList?.(clock.monotonic() - beganAt);
      worker.onListed(beganAt);
    },
  });
  const worker = createWorker({
    ...deps,
    pods,
    capsules,
    poller,
    admit: (pod) => deps.admit(pod, pods),
    probes: deps.probes ?? (() => ({})),
    knownAccounts: new Set(),
    preStop: deps.preStop ?? ((_pod, remainingSeconds) => ({ done: true, remainingSeconds })),
  });
  const queue = createQueue({
    clock,
    concurrency: loop.concurrency,
    async run(uid) {
      const beganAt = clock.monotonic();
      await (deps.around ? deps.around(uid, () => worker.run(uid)) : worker.run(uid));
      deps.onRun?.(clock.monotonic() - beganAt);
    },
    onBug: (uid, error) => log.error('worker threw', { uid, err: error }),
  });
  worker.use(queue);
  let cancelResync: () => void = () => {};

  function resync(): void {
    for (const pod of pods.all()) queue.poke(pod.metadata.uid, 'refresh');
    for (const capsule of capsules.all()) {
      const uid = readOwner(capsule.labels)?.uid;
      if (uid !== undefined && !pods.get(uid)) queue.poke(uid, 'delete');
    }
    cancelResync = clock.after(loop.resyncEveryMs, resync);
  }

  return {
    sink: {
      ...pods,
      replace(items) {
        const isFirst = !pods.isComplete();
        pods.replace(items);
        // Capsules that were seen before the first Pod list waited for it.
        if (isFirst) for (const { labels } of capsules.all()) pokeOwner(labels);
      },
    },
    pods,
    capsules,
    start() {
      poller.start();
      cancelResync = clock.after(loop.resyncEveryMs, resync);
    },
    stop() {
      cancelResync();
      poller.stop();
      return queue.stop();
    },
    poke: (uid) => queue.poke(uid, 'refresh'),
    kill: (demand) => worker.kill(demand),
    retry: (uid) => worker.retry(uid),
    health: () => poller.health(),
    counts: () => ({
      ...queue.counts(),
      remembered: worker.size(),
      pods: pods.all().length,
      capsules: capsules.all().length,
      listedAt: capsules.listedAt(),
    }),
  };

  function pokeOwner(labels: Record<string, string>): void {
    const uid = readOwner(labels)?.uid;
    if (uid !== undefined) queue.poke(uid, 'refresh');
  }
}

function laneOf(change: PodChange, pod: Pod): Lane {
  if (change === 'deleted' || pod.metadata.deletionTimestamp) return 'delete';
  return change === 'status' ? 'refresh' : 'start';
}
