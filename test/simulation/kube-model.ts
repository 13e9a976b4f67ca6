import { isDeepStrictEqual } from 'node:util';
import { AppError } from '../../src/base/errors.ts';
import type { Random } from '../../src/base/random.ts';
import type { ReflectorSink } from '../../src/kube/reflector-types.ts';
import type { Pod } from '../../src/kube/types.ts';
import type { PodApi } from '../../src/sync/ports.ts';
import { pod as buildPod, uuid } from '../lib/builders.ts';
import { strategicMerge } from '../lib/strategic-merge.ts';
import type { FaultPlan } from './faults.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A Kubernetes API that keeps Pods, with users, a watch that lags, and faults. It outlives every process that calls it. */
export interface KubeModel {
  create(name: string, spec?: Partial<Pod['spec']>): Pod;
  remove(name: string): void;
  forceRemove(name: string): void;
  /** A user gives the container another image. */
  setImage(name: string, image: string): void;
  pods(): Pod[];
  byUid(uid: string): Pod | undefined;
  apiFor(isAlive: () => boolean): PodApi;
  /** Starts a watch: the full list first, then each change, all of them late. */
  watch(sink: ReflectorSink<Pod>, isAlive: () => boolean): void;
  violations: string[];
  statusWrites: number;
}

/** Makes the model. `capsulesOf` answers which capsules truly exist, for the check of the final DELETE. */
export function createKubeModel(
  clock: VirtualClock,
  random: Random,
  faults: FaultPlan,
  capsulesOf: (uid: string) => number,
): KubeModel {
  const byName = new Map<string, Pod>();
  const sinks = new Set<(change: 'upsert' | 'remove', pod: Pod) => void>();
  const violations: string[] = [];
  /** Pods whose last status write was not answered: only these may be written again without a change. */
  const unanswered = new Set<string>();
  let version = 1;
  let uids = 0;

  const stamp = (pod: Pod): Pod => ({
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: String(++version) },
  });
  function put(pod: Pod): Pod {
    const stored = stamp(pod);
    byName.set(pod.metadata.name, stored);
    for (const notify of sinks) notify('upsert', stored);
    return stored;
  }
  function drop(pod: Pod): void {
    byName.delete(pod.metadata.name);
    const last = stamp(pod);
    for (const notify of sinks) notify('remove', last);
  }
  const byUid = (uid: string) => [...byName.values()].find((pod) => pod.metadata.uid === uid);

  const model: KubeModel = {
    violations,
    statusWrites: 0,
    create(name, spec) {
      uids += 1;
      return put(buildPod({ name, uid: uuid(0xa000 + uids), ...(spec && { spec }) }));
    },
    remove(name) {
      const pod = byName.get(name);
      if (!pod) return;
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return drop(pod);
      if (pod.metadata.deletionTimestamp) return;
      put({
        ...pod,
        metadata: {
          ...pod.metadata,
          deletionTimestamp: new Date(clock.now() + 30_000).toISOString(),
          deletionGracePeriodSeconds: 30,
        },
      });
    },
    forceRemove(name) {
      const pod = byName.get(name);
      if (pod) drop(pod);
    },
    setImage(name, image) {
      const pod = byName.get(name);
      if (!pod) return;
      const [container, ...others] = pod.spec.containers;
      if (!container || container.image === image) return;
      const metadata = { ...pod.metadata, generation: (pod.metadata.generation ?? 1) + 1 };
      put({ ...pod, metadata, spec: { ...pod.spec, containers: [{ ...container, image }, ...others] } });
    },
    pods: () => [...byName.values()],
    byUid,
    apiFor: (isAlive) => ({
      read: (_namespace, _name, uid) => call(isAlive, () => byUid(uid)),
      patchStatus: (pod, status) =>
        call(isAlive, (isAnswered) => {
          if (!isAnswered) unanswered.add(pod.metadata.uid);
          const stored = byUid(pod.metadata.uid);
          if (!stored) throw new AppError({ kind: 'not-found', code: 'kube.not-found', message: 'no such pod' });
          const written = writeStatus(stored, status);
          if (isAnswered) unanswered.delete(pod.metadata.uid);
          return written;
        }),
      remove: (pod) =>
        call(isAlive, () => {
          const stored = byUid(pod.metadata.uid);
          if (!stored) return;
          const phase = stored.status?.phase;
          if (phase !== 'Succeeded' && phase !== 'Failed')
            violations.push(`pod ${pod.metadata.uid} removed in phase ${phase}`);
          if (capsulesOf(pod.metadata.uid) > 0)
            violations.push(`pod ${pod.metadata.uid} removed while its capsule exists`);
          drop(stored);
        }),
    }),
    watch(sink, isAlive) {
      let at = clock.monotonic() + 20 + random() * 500;
      const late = () => {
        at = Math.max(at, clock.monotonic() + random() * (faults.active() ? 3000 : 100));
        return at - clock.monotonic();
      };
      const first = [...byName.values()];
      clock.after(late(), () => isAlive() && sink.replace(first));
      sinks.add((change, pod) => {
        if (!isAlive()) return;
        clock.after(late(), () => isAlive() && (change === 'upsert' ? sink.upsert(pod) : sink.remove(pod)));
      });
    },
  };

  function writeStatus(stored: Pod, patch: object): Pod {
    model.statusWrites += 1;
    const before = stored.status;
    const after = strategicMerge(before ?? {}, patch);
    if (isDeepStrictEqual(before, after) && !unanswered.has(stored.metadata.uid))
      violations.push(`status of pod ${stored.metadata.uid} written without a change`);
    const terminal = before?.phase === 'Succeeded' || before?.phase === 'Failed';
    if (terminal && after.phase !== before?.phase) {
      violations.push(`pod ${stored.metadata.uid} left terminal phase ${before?.phase} for ${after.phase}`);
    }
    return put({ ...stored, status: after });
  }

  function call<T>(isAlive: () => boolean, effect: (isAnswered: boolean) => T): Promise<T> {
    const fault = faults.draw();
    const latency = 1 + random() * 60;
    return new Promise((resolve, reject) => {
      const fail = () =>
        clock.after(
          latency,
          () =>
            isAlive() &&
            reject(
              new AppError({
                kind: 'retryable',
                code: 'kube.broken',
                message: 'the api server broke',
                effect: 'unknown',
              }),
            ),
        );
      if (fault === 'refused' || fault === 'failed') return void fail();
      let settle: () => void = () => {};
      clock.after(latency / 2, () => {
        try {
          const value = effect(isAlive() && fault === 'none');
          settle = () => resolve(value);
        } catch (error) {
          settle = () => reject(error as Error);
        }
      });
      if (fault === 'lost' || fault === 'late') return void fail();
      clock.after(latency, () => isAlive() && settle());
    });
  }
  return model;
}
