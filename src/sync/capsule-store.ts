import { isOurs, readOwner } from '../base/identity.ts';
import type { Capsule } from '../openstack/types.ts';
import type { CapsuleReader } from './ports.ts';

/** The capsules of this node as Zun last showed them. Written by lists, single reads and answers to our own calls. */
export interface CapsuleStore extends CapsuleReader {
  /** A complete list that began at `beganAt` (monotonic ms) replaces what is older than it. */
  replace(capsules: readonly Capsule[], beganAt: number): void;
  /** One capsule, seen in an answer to a call that began at `beganAt`. */
  upsert(capsule: Capsule, beganAt: number): void;
  /** A 404: the uuid is gone for good. */
  remove(uuid: string, beganAt: number): void;
  get(uuid: string): Capsule | undefined;
  /** Tells whether Zun showed this capsule in an answer about it alone; a list may show what is gone already. */
  isAnswered(uuid: string): boolean;
  /** What proves that the capsule with this uuid is gone. */
  absence(uuid: string): Absence;
  /** When the last complete list began, monotonic ms; minus infinity before the first one. */
  listedAt(): number;
}

/**
 * How sure it is that a capsule is gone: Zun answered 404 for it; or a list lacks it that began so long after it was first
 * seen that no lag can explain it; or nothing.
 */
export type Absence = 'answer' | 'list' | 'none';

interface Seen {
  capsule: Capsule;
  uid: string;
  /** When the observation began, and when the first one did; monotonic ms. */
  at: number;
  firstAt: number;
  answered: boolean;
}

/**
 * Makes a store for one cluster and node: capsules of others are never let in, so nothing above can touch them.
 * `onChange` is called with the Pod UID after each change, and only pokes.
 */
export function createCapsuleStore(options: {
  cluster: string;
  node: string;
  onChange: (uid: string, capsule: Capsule | undefined) => void;
  /** For how long a uuid that was gone is not believed in again, ms: lists may lag. */
  tombstoneMs: number;
  /** Longer than any list lags behind, ms. */
  lagMs: number;
}): CapsuleStore {
  const seen = new Map<string, Seen>();
  const uuids = new Map<string, Set<string>>();
  const gone = new Map<string, { at: number; proof: Absence }>();
  let listedAt = Number.NEGATIVE_INFINITY;

  function put(capsule: Capsule, at: number, answered: boolean): void {
    const owner = readOwner(capsule.labels);
    if (!owner || !isOurs(owner, options.cluster, options.node) || gone.get(capsule.uuid)?.proof === 'answer') return;
    gone.delete(capsule.uuid);
    const known = seen.get(capsule.uuid);
    if (known && known.at > at) return;
    seen.set(capsule.uuid, {
      capsule,
      uid: owner.uid,
      at,
      firstAt: known?.firstAt ?? at,
      answered: answered || (known?.answered ?? false),
    });
    const set = uuids.get(owner.uid) ?? new Set();
    set.add(capsule.uuid);
    uuids.set(owner.uid, set);
    if (!known || !sameCapsule(known.capsule, capsule)) options.onChange(owner.uid, capsule);
  }

  function drop(uuid: string): void {
    const known = seen.get(uuid);
    if (!known) return;
    seen.delete(uuid);
    const set = uuids.get(known.uid);
    set?.delete(uuid);
    if (set?.size === 0) uuids.delete(known.uid);
    options.onChange(known.uid, undefined);
  }

  const ofPod = (uid: string) =>
    [...(uuids.get(uid) ?? [])]
      .flatMap((uuid) => seen.get(uuid)?.capsule ?? [])
      .sort((a, b) => compare(a.created_at ?? '', b.created_at ?? '') || compare(a.uuid, b.uuid));

  return {
    replace(capsules, beganAt) {
      const listed = new Set(capsules.map(({ uuid }) => uuid));
      listedAt = Math.max(listedAt, beganAt);
      for (const [uuid, { at }] of gone) if (at + options.tombstoneMs < beganAt) gone.delete(uuid);
      for (const capsule of capsules) put(capsule, beganAt, false);
      for (const [uuid, { at, firstAt }] of [...seen]) {
        if (listed.has(uuid) || at >= beganAt) continue;
        if (firstAt + options.lagMs < beganAt) gone.set(uuid, { at: beganAt, proof: 'list' });
        drop(uuid);
      }
    },
    upsert(capsule, beganAt) {
      put(capsule, beganAt, true);
    },
    remove(uuid, beganAt) {
      gone.set(uuid, { at: beganAt, proof: 'answer' });
      drop(uuid);
    },
    get: (uuid) => seen.get(uuid)?.capsule,
    isAnswered: (uuid) => seen.get(uuid)?.answered ?? false,
    absence: (uuid) => gone.get(uuid)?.proof ?? 'none',
    listedAt: () => listedAt,
    ofPod,
    all: () => [...seen.values()].map(({ capsule }) => capsule),
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** `updated_at` moves without meaning anything, so it does not count. */
function sameCapsule(a: Capsule, b: Capsule): boolean {
  return JSON.stringify({ ...a, updated_at: null }) === JSON.stringify({ ...b, updated_at: null });
}
