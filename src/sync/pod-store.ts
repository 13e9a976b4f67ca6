import type { ReflectorSink } from '../kube/reflector-types.ts';
import type { Pod } from '../kube/types.ts';
import type { PodReader } from './ports.ts';

/** The Pods that Kubernetes wants on this node, by UID. Written by the reflector and by the answers to our own writes. */
export interface PodStore extends PodReader, ReflectorSink<Pod> {
  /** Takes the answer to one of our own writes, so that its echo in the watch is no news. */
  learn(pod: Pod): void;
  /** The last known form of a Pod that is gone, for as long as somebody may have to clean up after it. */
  departed(uid: string): Pod | undefined;
  forget(uid: string): void;
  /** UIDs of the first complete list: only these may have had another zunlet before us. */
  firstList(): ReadonlySet<string>;
}

/** What changed about a Pod, as far as work is concerned. */
export type PodChange = 'added' | 'spec' | 'status' | 'deleted';

/** Makes a store; `onChange` is called after each change, and only pokes; `onLearned` after an answer to our own write. */
export function createPodStore(
  onChange: (uid: string, change: PodChange, pod: Pod) => void,
  onLearned: (pod: Pod) => void = () => {},
): PodStore {
  const pods = new Map<string, Pod>();
  const uidByName = new Map<string, string>();
  const departed = new Map<string, Pod>();
  let first: Set<string> | undefined;

  const key = (pod: Pod) => `${pod.metadata.namespace}/${pod.metadata.name}`;

  function put(pod: Pod): PodChange | undefined {
    const uid = pod.metadata.uid;
    const known = pods.get(uid);
    if (known && isOlder(pod, known)) return undefined;
    if (!known && departed.has(uid)) return undefined;
    pods.set(uid, pod);
    uidByName.set(key(pod), uid);
    if (!known) return 'added';
    if (known.metadata.resourceVersion === pod.metadata.resourceVersion) return undefined;
    return sameWork(known, pod) ? 'status' : 'spec';
  }

  function drop(uid: string): Pod | undefined {
    const pod = pods.get(uid);
    if (!pod) return undefined;
    pods.delete(uid);
    if (uidByName.get(key(pod)) === uid) uidByName.delete(key(pod));
    departed.set(uid, pod);
    return pod;
  }

  return {
    replace(items) {
      const present = new Set(items.map((pod) => pod.metadata.uid));
      for (const uid of [...pods.keys()]) {
        if (present.has(uid)) continue;
        const gone = drop(uid);
        if (gone) onChange(uid, 'deleted', gone);
      }
      first ??= present;
      for (const pod of items) {
        const change = put(pod);
        if (change) onChange(pod.metadata.uid, change, pod);
      }
    },
    upsert(pod) {
      const change = put(pod);
      if (change) onChange(pod.metadata.uid, change, pod);
    },
    remove(pod) {
      const gone = drop(pod.metadata.uid);
      if (gone) onChange(pod.metadata.uid, 'deleted', gone);
    },
    learn(pod) {
      if (pods.has(pod.metadata.uid) && put(pod)) onLearned(pod);
    },
    get: (uid) => pods.get(uid),
    byName(namespace, name) {
      const uid = uidByName.get(`${namespace}/${name}`);
      return uid === undefined ? undefined : pods.get(uid);
    },
    all: () => [...pods.values()],
    isComplete: () => first !== undefined,
    departed: (uid) => departed.get(uid),
    forget(uid) {
      departed.delete(uid);
    },
    firstList: () => first ?? new Set(),
  };
}

/** Resource versions are compared as numbers; since Kubernetes 1.35 that is promised, before it was true. */
function isOlder(pod: Pod, known: Pod): boolean {
  const [a, b] = [Number(pod.metadata.resourceVersion), Number(known.metadata.resourceVersion)];
  return Number.isFinite(a) && Number.isFinite(b) && a < b;
}

function sameWork(a: Pod, b: Pod): boolean {
  return (
    a.metadata.generation === b.metadata.generation &&
    a.metadata.deletionTimestamp === b.metadata.deletionTimestamp &&
    a.metadata.deletionGracePeriodSeconds === b.metadata.deletionGracePeriodSeconds &&
    sameMap(a.metadata.labels, b.metadata.labels) &&
    sameMap(a.metadata.annotations, b.metadata.annotations)
  );
}

function sameMap(a: Record<string, string> | undefined, b: Record<string, string> | undefined): boolean {
  const [left, right] = [Object.entries(a ?? {}), b ?? {}];
  return left.length === Object.keys(right).length && left.every(([name, value]) => right[name] === value);
}
