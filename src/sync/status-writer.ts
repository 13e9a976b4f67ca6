import { AppError, isKind } from '../base/errors.ts';
import type { Pod, PodStatus } from '../kube/types.ts';
import { statusEvents } from '../status/events.ts';
import { statusPatch } from '../status/merge.ts';
import { capsuleNamedBy } from '../status/named-capsule.ts';
import { podStatus } from '../status/pod.ts';
import type { Situation } from '../status/types.ts';
import { isInCreation } from './plan.ts';
import { unappliedResize } from './resize.ts';
import { event } from './steps.ts';
import { names, type Run } from './worker.ts';

/** Steps on the way to Running (an address, a created container) are written at most this often. */
const pendingEveryMs = 10_000;
/** How long the first write waits: the first look at a new capsule comes after one second. */
const firstWriteAfterMs = 1500;

/** What became of a status write. */
export interface Written {
  /** The Pod as the API server now has it; undefined when it is gone. */
  stored?: Pod;
  againMs?: number;
}

/**
 * Writes a Pod's status if it differs from the stored one. The only writer of Pod status in the program.
 * Errors: `retryable` and `forbidden` from the API server; a Pod that is gone or replaced is not an error.
 */
export async function writeStatus(run: Run, situation: Situation | undefined): Promise<Written> {
  const { deps, memory } = run;
  const pod = deps.pods.get(run.uid);
  if (!pod) return {};
  if (!situation) return { stored: pod };
  const soonMs = firstWriteIn(run, situation);
  if (soonMs > 0) return { stored: pod, againMs: soonMs };
  const desired = podStatus(pod, situation, {
    nowMs: deps.clock.now(),
    hostIPs: deps.hostIPs(),
    probes: deps.probes(run.uid),
    restarts: memory.restarts,
    ...(situation.kind === 'present' && { unappliedResize: unappliedResize(pod, situation.capsule) }),
  });
  const patch = statusPatch(pod.status, desired);
  if (!patch) return { stored: pod };
  const waitMs = memory.statusWrittenAt + pendingEveryMs - deps.clock.monotonic();
  if (waitMs > 0 && isStepOnTheWay(pod.status, desired)) return { stored: pod, againMs: waitMs };
  return store(run, pod, patch, desired);
}

async function store(run: Run, pod: Pod, patch: object, desired: PodStatus): Promise<Written> {
  const { deps } = run;
  try {
    const stored = await deps.podApi.patchStatus(pod, patch);
    deps.pods.learn(stored);
    run.remember({ statusWrittenAt: deps.clock.monotonic() });
    for (const { type, reason, message, fieldPath } of statusEvents(pod.status, desired, pod)) {
      event(pod, type, reason, message, run, fieldPath);
    }
    if (pod.status?.phase !== desired.phase) {
      deps.log.info('pod phase changed', { ...names(pod), phase: desired.phase, reason: desired.reason });
    }
    return { stored };
  } catch (thrown) {
    if (isKind(thrown, 'not-found', 'conflict')) {
      const live = await deps.podApi.read(pod.metadata.namespace, pod.metadata.name, pod.metadata.uid);
      if (live) deps.pods.upsert(live);
      else deps.pods.remove(pod);
      return { againMs: 0 };
    }
    if (thrown instanceof AppError && thrown.kind === 'invalid') {
      deps.log.error('pod status refused', { ...names(pod), code: thrown.code, err: thrown.message, patch });
      return { againMs: 300_000 };
    }
    throw thrown;
  }
}

/**
 * The first write of a Pod waits a moment for the capsule to run, because most often one write can then say it all. What it
 * holds back is known elsewhere: the capsule carries the Pod's UID.
 */
function firstWriteIn({ memory, deps }: Run, situation: Situation): number {
  if (situation.kind !== 'present' || memory.statusWrittenAt !== Number.NEGATIVE_INFINITY) return 0;
  if (!isInCreation(situation.capsule) || situation.terminating || memory.creatingSince === undefined) return 0;
  return memory.creatingSince + firstWriteAfterMs - deps.clock.monotonic();
}

/** True while the Pod stays Pending and its capsule is already named: nobody waits for what lies between. */
function isStepOnTheWay(before: PodStatus | undefined, after: PodStatus): boolean {
  return (
    before?.phase === 'Pending' &&
    after.phase === 'Pending' &&
    capsuleNamedBy(before) !== undefined &&
    capsuleNamedBy(after) !== undefined
  );
}
