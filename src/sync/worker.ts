import type { Clock } from '../base/clock.ts';
import { toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Problem } from '../base/problem.ts';
import type { Random } from '../base/random.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule, CapsuleApi } from '../openstack/types.ts';
import type { ProbeView } from '../status/types.ts';
import type { TranslateOptions } from '../translate/types.ts';
import type { CapsulePoller } from './capsule-poller.ts';
import type { CapsuleStore } from './capsule-store.ts';
import { retryDelayMs } from './failure.ts';
import { newMemory, type PodMemory } from './memory.ts';
import { addPreStop, noteCapsule } from './note.ts';
import { isInCreation, isTerminal, type PlanRules, type PlanView, plan, type Step } from './plan.ts';
import type { PodStore } from './pod-store.ts';
import type { EventRecorder, InputSource, PodApi } from './ports.ts';
import type { Lane, Queue } from './queue.ts';
import { writeStatus } from './status-writer.ts';
import { doStep } from './steps.ts';

export interface WorkerOptions extends PlanRules {
  cluster: string;
  node: string;
  /** How long a call without an answer may still take effect, ms. */
  settleMs: number;
  /** A sweep that would delete more than this share of the node's capsules as orphans stops. */
  orphanFuseShare: number;
  translate: TranslateOptions;
}

/** Everything the worker reads and calls. */
export interface WorkerDeps {
  pods: PodStore;
  capsules: CapsuleStore;
  poller: Pick<CapsulePoller, 'track' | 'wantListAfter'>;
  zun: CapsuleApi;
  podApi: PodApi;
  inputs: InputSource;
  events: EventRecorder;
  clock: Clock;
  random: Random;
  log: Log;
  options: WorkerOptions;
  hostIPs: () => string[];
  /** The kubelet's admission, asked once for a Pod that was never accepted. */
  admit: (pod: Pod) => Problem[];
  probes: (uid: string) => Record<string, ProbeView>;
  /** Starts the preStop hooks of a terminating Pod, and tells how they stand. */
  preStop: (pod: Pod, graceSeconds: number) => { done: boolean; remainingSeconds: number };
  /** Restarts a standalone container in place. Errors: as `CapsuleApi`. */
  restartContainer: (uuid: string, graceSeconds: number) => Promise<void>;
  /** Called before the container of a Pod that has ended is freed: its log goes with it. Never rejects. */
  keepLogs?: (uid: string) => Promise<void>;
  /** `namespace/name` of the service accounts whose missing token was named already. */
  knownAccounts: Set<string>;
  /** Called after each step with an effect; the metrics and the chaos tests listen. */
  onStep: (step: Step['kind'], uid: string) => void;
  /** Called after each run that failed and will be tried again, with the kind of the error. */
  onRetry?: (kind: string) => void;
  /** Called when a sweep of orphans stops because it would take too many. */
  onFuse?: () => void;
  /** Called before each step, whatever it is; only the chaos tests listen. */
  onPlanned?: (step: Step['kind'], uid: string) => void;
}

/** Runs one Pod at a time through plan, step and status. */
export interface Worker {
  /** One run for one Pod UID; the queue calls it. Never throws. */
  run(uid: string): Promise<void>;
  /** A complete list of capsules was taken that began at this moment: whoever waited for one goes on. */
  onListed(beganAt: number): void;
  /** A probe or hook wants a container killed. */
  kill(demand: { uid: string; container: string; message: string; graceSeconds: number | undefined }): void;
  /** What a waiting Pod missed is there: its next try is due at once. */
  retry(uid: string): void;
  /** Binds the queue that runs this worker. */
  use(queue: Pick<Queue, 'poke' | 'later' | 'pause'>): void;
  /** How many Pods are remembered. */
  size(): number;
}

/** What one run works on. */
export interface Run {
  uid: string;
  pod: Pod | undefined;
  view: PlanView;
  memory: PodMemory;
  deps: WorkerDeps;
  /** Replaces parts of the memory. */
  remember(change: Partial<PodMemory>): void;
  /** Clears optional parts of the memory. */
  drop(...keys: ('capsule' | 'creatingSince' | 'kill' | 'discard')[]): void;
  pauseAll(ms: number): void;
}

/** What a step leaves to do. */
export interface StepOutcome {
  /** What the status is made of; undefined leaves it as it is. */
  situation?: import('../status/types.ts').Situation;
  /** Look again after this many ms, 0 for at once. */
  againMs?: number;
  /** After the terminal status is stored, delete the Pod object. */
  removePod?: boolean;
  /** Nothing about this UID matters any more. */
  forget?: boolean;
}

/** Makes the worker. */
export function createWorker(deps: WorkerDeps): Worker {
  const { clock, options, log } = deps;
  const startedAt = clock.monotonic();
  const memories = new Map<string, PodMemory>();
  const awaitingList = new Map<string, number>();
  let queue: Pick<Queue, 'poke' | 'later' | 'pause'> | undefined;

  function memoryOf(uid: string): PodMemory {
    const known = memories.get(uid);
    if (known) return known;
    // A Pod of the first list may have had another process before us, whose last call may still take effect.
    const trust = deps.pods.firstList().has(uid) ? startedAt + options.settleMs : Number.NEGATIVE_INFINITY;
    const memory = newMemory(trust);
    memories.set(uid, memory);
    return memory;
  }

  function begin(uid: string): Run {
    const pod = deps.pods.get(uid);
    const run: Run = {
      uid,
      pod,
      view: {
        pod,
        capsules: deps.capsules.ofPod(uid),
        observedAt: deps.capsules.listedAt(),
        isAnswered: (uuid) => deps.capsules.isAnswered(uuid),
        absence: (uuid) => deps.capsules.absence(uuid),
      },
      memory: memoryOf(uid),
      deps,
      remember(change) {
        run.memory = { ...run.memory, ...change };
        memories.set(uid, run.memory);
      },
      drop(...keys) {
        const rest = { ...run.memory };
        for (const key of keys) delete rest[key];
        run.memory = rest;
        memories.set(uid, rest);
      },
      pauseAll: (ms) => queue?.pause(ms),
    };
    return run;
  }

  async function runOnce(uid: string): Promise<void> {
    if (!deps.pods.isComplete()) return;
    const run = begin(uid);
    noteCapsule(run);
    addPreStop(run);
    const step = plan(run.view, run.memory, { monotonic: clock.monotonic(), wall: clock.now() }, options);
    log.debug('step planned', { uid, step: step.kind });
    deps.onPlanned?.(step.kind, uid);
    if (step.kind === 'observe-first') awaitingList.set(uid, step.after);
    const outcome = await doStep(step, run);
    if (outcome.forget) {
      memories.delete(uid);
      deps.pods.forget(uid);
      return;
    }
    const written = await writeStatus(run, outcome.situation);
    if (outcome.removePod && written.stored) await removePod(run, written.stored);
    follow(run);
    // The first write sets the start time, from which the deadline runs.
    const isDated = written.stored !== run.pod && run.pod?.spec.activeDeadlineSeconds !== undefined;
    const again = isDated ? 0 : sooner(outcome.againMs, written.againMs);
    if (again !== undefined) queue?.later(uid, again, laneOf(run.pod));
  }

  /** Sets at which pace each capsule of the Pod is read. */
  function follow(run: Run): void {
    for (const capsule of deps.capsules.ofPod(run.uid)) {
      const moving = isMoving(capsule) || run.memory.deletesSent.has(capsule.uuid);
      const pod = deps.pods.get(run.uid);
      const isLive = capsule.backend === 'container' && pod !== undefined && !isTerminal(pod);
      const pace = moving ? 'transition' : isLive ? 'live' : undefined;
      deps.poller.track({ backend: capsule.backend, uuid: capsule.uuid }, pace);
    }
  }

  async function removePod(run: Run, pod: Pod): Promise<void> {
    if (!isTerminal(pod)) return;
    await deps.podApi.remove(pod);
    deps.onStep('remove-pod', run.uid);
    run.remember({ removedAt: clock.monotonic() });
    log.info('pod removed', { ...names(pod), step: 'remove-pod' });
  }

  return {
    async run(uid) {
      try {
        await runOnce(uid);
      } catch (thrown) {
        const error = toAppError(thrown);
        const memory = memoryOf(uid);
        memories.set(uid, { ...memory, attempts: memory.attempts + 1 });
        const againMs = retryDelayMs(error, memory.attempts, deps.random);
        const fields = { uid, code: error.code, err: error.kind === 'bug' ? error : error.message, againMs };
        if (error.kind === 'bug') log.error('run failed by a bug', fields);
        else log.warn('run failed', fields);
        deps.onRetry?.(error.kind);
        queue?.later(uid, againMs, 'refresh');
      }
    },
    onListed(beganAt) {
      for (const [uid, after] of [...awaitingList]) {
        if (beganAt <= after) continue;
        awaitingList.delete(uid);
        queue?.poke(uid, 'start');
      }
    },
    kill({ uid, container, message, graceSeconds: grace }) {
      if (!deps.pods.get(uid)) return;
      memories.set(uid, { ...memoryOf(uid), kill: { container, message, graceSeconds: grace } });
      queue?.poke(uid, 'refresh');
    },
    retry(uid) {
      const memory = memories.get(uid);
      if (!memory) return;
      memories.set(uid, { ...memory, retryAt: Number.NEGATIVE_INFINITY });
      queue?.poke(uid, 'start');
    },
    use(bound) {
      queue = bound;
    },
    size: () => memories.size,
  };
}

function isMoving(capsule: Capsule): boolean {
  return isInCreation(capsule) || capsule.status === 'Deleting';
}

function laneOf(pod: Pod | undefined): Lane {
  if (!pod || pod.metadata.deletionTimestamp) return 'delete';
  return pod.status?.phase === 'Pending' ? 'start' : 'refresh';
}

function sooner(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined) return b;
  return b === undefined ? a : Math.min(a, b);
}

/** The log fields that name a Pod. */
export function names(pod: Pod): { pod: string; namespace: string; uid: string } {
  return { pod: pod.metadata.name, namespace: pod.metadata.namespace, uid: pod.metadata.uid };
}
