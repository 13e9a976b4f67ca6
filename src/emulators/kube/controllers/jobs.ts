import { ApiFailure } from '../failures.ts';
import {
  at,
  finalizersOf,
  isDeleting,
  type JsonObject,
  type KubeObject,
  memberOf,
  numberOf,
  objectsOf,
  textOf,
  timestamp,
} from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';
import { activePods, createOwnedPod, indexOwnedPods, isOver, isReady, type PodExtras } from './owned-pods.ts';

const jobs = resourceNamed('jobs', 'batch');
const pods = resourceNamed('pods');
const component = 'job-controller';
const tracking = 'batch.kubernetes.io/job-tracking';
const indexKey = 'batch.kubernetes.io/job-completion-index';
const firstRetryMs = 10_000;

/**
 * Runs Jobs: parallelism, completions, back-off, deadline, indexed completion, time to live. Pods carry the tracking finalizer
 * until they are counted. It knows no failure or success policies and no back-off limit per index.
 */
export function startJobs(plane: ControlPlane): void {
  const { store, clock } = plane;
  const owned = indexOwnedPods(plane, (owner) => mark(owner));
  const mark = plane.queue(reconcile);
  const retryAt = new Map<string, number>();

  plane.observe(({ storage, type, object }) => {
    if (storage !== jobs.storage) return;
    if (type === 'DELETED') {
      retryAt.delete(object.metadata.uid);
      release(object.metadata.uid);
    } else mark(object.metadata.uid);
  });

  function release(uid: string): void {
    for (const pod of owned.of(uid)) untrack(pod);
  }

  function untrack(pod: KubeObject): void {
    if (!finalizersOf(pod).includes(tracking)) return;
    plane.change(pod, pods, (copy) => {
      copy.metadata['finalizers'] = finalizersOf(copy).filter((one) => one !== tracking);
    });
  }

  function reconcile(uid: string): void {
    const found = store.byUid(uid);
    if (found?.storage !== jobs.storage) {
      release(uid);
      return;
    }
    const job = found.object;
    if (isDeleting(job)) {
      release(uid);
      return;
    }
    if (isFinished(job)) {
      expire(job);
      return;
    }
    countEnded(job);
    const counted = store.byUid(uid)?.object ?? job;
    const wanted = at(counted, 'spec', 'completions');
    const completions = wanted === undefined ? 1 : numberOf(wanted);
    const end = failureOf(counted) ?? successOf(counted, completions);
    if (end) {
      finish(counted, end);
      return;
    }
    if (at(counted, 'spec', 'suspend') !== true) grow(counted, completions);
    writeStatus(uid, () => {});
  }

  /** Adds ended Pods to the status, then lets them go. */
  function countEnded(job: KubeObject): void {
    const ended = owned
      .of(job.metadata.uid)
      .filter((pod) => isOver(asPod(pod)) && finalizersOf(pod).includes(tracking));
    if (ended.length > 0) {
      const failed = ended.filter((pod) => asPod(pod).status?.phase === 'Failed').length;
      if (failed > 0) delayRetry(job, failed);
      writeStatus(job.metadata.uid, (status) => {
        status['succeeded'] = numberOf(status['succeeded']) + ended.length - failed;
        status['failed'] = numberOf(status['failed']) + failed;
      });
    }
    for (const pod of ended) untrack(pod);
  }

  function delayRetry(job: KubeObject, failed: number): void {
    const total = numberOf(at(job, 'status', 'failed')) + failed;
    const wait = Math.min(600_000, firstRetryMs * 2 ** Math.min(total - 1, 6));
    retryAt.set(job.metadata.uid, clock.monotonic() + wait);
    clock.after(wait + 1, () => mark(job.metadata.uid));
  }

  function failureOf(job: KubeObject): JobEnd | undefined {
    if (numberOf(at(job, 'status', 'failed')) > numberOf(at(job, 'spec', 'backoffLimit'))) {
      return { type: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' };
    }
    const deadline = numberOf(at(job, 'spec', 'activeDeadlineSeconds'));
    const start = Date.parse(textOf(at(job, 'status', 'startTime')));
    if (deadline === 0 || Number.isNaN(start)) return undefined;
    const left = start + deadline * 1000 - clock.now();
    if (left <= 0)
      return { type: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' };
    clock.after(left + 1000, () => mark(job.metadata.uid));
    return undefined;
  }

  function grow(job: KubeObject, completions: number): void {
    const { uid } = job.metadata;
    if ((retryAt.get(uid) ?? 0) > clock.monotonic()) return;
    const all = owned.of(uid);
    const active = activePods(all);
    const left = completions - numberOf(at(job, 'status', 'succeeded')) - active.length;
    const room = numberOf(at(job, 'spec', 'parallelism')) - active.length;
    const isIndexed = at(job, 'spec', 'completionMode') === 'Indexed';
    const free = isIndexed ? freeIndexes(all, completions) : [];
    for (let made = 0; made < Math.min(left, room); made++) {
      try {
        const pod = createOwnedPod(
          plane,
          job,
          isIndexed ? indexedExtras(job, free[made] ?? 0) : { finalizers: [tracking] },
        );
        plane.event(job, component, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`);
      } catch (error) {
        if (!(error instanceof ApiFailure)) throw error;
        plane.event(job, component, 'Warning', 'FailedCreate', `Error creating: ${error.message}`);
        delayRetry(job, 1);
        return;
      }
    }
  }

  function finish(job: KubeObject, end: JobEnd): void {
    const { uid } = job.metadata;
    for (const pod of activePods(owned.of(uid))) {
      plane.remove(pod, pods);
    }
    release(uid);
    const now = timestamp(clock.now());
    const condition = (type: string) => ({
      type,
      status: 'True',
      lastProbeTime: now,
      lastTransitionTime: now,
      reason: end.reason,
      message: end.message,
    });
    writeStatus(uid, (status) => {
      const first = end.type === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget';
      status['conditions'] = [...objectsOf(status['conditions']), condition(first), condition(end.type)];
      if (end.type === 'Complete') status['completionTime'] = now;
      delete status['active'];
      delete status['ready'];
    });
    if (end.type === 'Complete') plane.event(job, component, 'Normal', 'Completed', 'Job completed');
    else plane.event(job, component, 'Warning', end.reason, end.message);
  }

  function expire(job: KubeObject): void {
    for (const pod of owned.of(job.metadata.uid)) untrack(pod);
    const seconds = at(job, 'spec', 'ttlSecondsAfterFinished');
    if (seconds === undefined) return;
    const end = objectsOf(at(job, 'status', 'conditions')).at(-1);
    const left = Date.parse(textOf(end?.['lastTransitionTime'])) + numberOf(seconds) * 1000 - clock.now();
    if (left <= 0) plane.remove(job, jobs, { propagationPolicy: 'Background' });
    else clock.after(left + 1, () => mark(job.metadata.uid));
  }

  function writeStatus(uid: string, add: (status: JsonObject) => void): void {
    const job = store.byUid(uid)?.object;
    if (!job) return;
    plane.change(
      job,
      jobs,
      (copy) => {
        const status = memberOf(copy, 'status');
        const active = activePods(owned.of(uid));
        const going = owned.of(uid).filter((pod) => isDeleting(pod) && !isOver(asPod(pod))).length;
        status['startTime'] ??= timestamp(clock.now());
        status['uncountedTerminatedPods'] ??= {};
        status['active'] = active.length;
        status['ready'] = active.filter((pod) => isReady(asPod(pod))).length;
        status['terminating'] = going;
        add(status);
        for (const name of ['active', 'succeeded', 'failed']) if (status[name] === 0) delete status[name];
      },
      'status',
    );
  }
}

interface JobEnd {
  type: 'Complete' | 'Failed';
  reason: string;
  message: string;
}

function successOf(job: KubeObject, completions: number): JobEnd | undefined {
  if (numberOf(at(job, 'status', 'succeeded')) < completions) return undefined;
  return { type: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' };
}

function isFinished(job: KubeObject): boolean {
  return objectsOf(at(job, 'status', 'conditions')).some(
    (one) => (one['type'] === 'Complete' || one['type'] === 'Failed') && one['status'] === 'True',
  );
}

function freeIndexes(all: KubeObject[], completions: number): number[] {
  const used = new Set(
    all
      .filter((pod) => asPod(pod).status?.phase !== 'Failed' && (isOver(asPod(pod)) || !isDeleting(pod)))
      .map((pod) => Number(at(pod, 'metadata', 'annotations', indexKey))),
  );
  return Array.from({ length: completions }, (_, index) => index).filter((index) => !used.has(index));
}

function indexedExtras(job: KubeObject, index: number): PodExtras {
  return {
    generateName: `${job.metadata.name}-${index}-`,
    finalizers: [tracking],
    labels: { [indexKey]: String(index) },
    annotations: { [indexKey]: String(index) },
    change(spec) {
      spec['hostname'] = `${job.metadata.name}-${index}`;
      for (const container of [...objectsOf(spec['containers']), ...objectsOf(spec['initContainers'])]) {
        const reference = { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${indexKey}']` } };
        container['env'] = [...objectsOf(container['env']), { name: 'JOB_COMPLETION_INDEX', valueFrom: reference }];
      }
    },
  };
}
