import type { Problem } from '../base/problem.ts';
import type { Capsule } from '../openstack/types.ts';
import type { CapsuleName } from '../status/named-capsule.ts';

/**
 * What the worker remembers of one Pod between runs. Losing it costs a short wait, never correctness: everything that must
 * survive stands in the capsule's labels and in the Pod's own status.
 */
export interface PodMemory {
  /** Monotonic ms. An observation that began at or before this moment proves nothing about absence. */
  trustListsAfter: number;
  /** When the last DELETE of each capsule was sent, monotonic ms. */
  deletesSent: ReadonlyMap<string, number>;
  /** Uuid of the capsule that this process knows to exist, from an answer or a list. */
  capsule?: CapsuleName;
  /** The capsule as last seen; the final status is made of it after the capsule has gone. */
  last?: Capsule;
  /** Why the Pod does not start, if it does not. */
  problems: readonly Problem[];
  /** Monotonic ms: when to try again despite the problems. */
  retryAt: number;
  /** How often in a row a step failed; decides the back-off. */
  attempts: number;
  /** Since when, monotonic ms, the present capsule has been seen in creation. */
  creatingSince?: number;
  /** The same of each other capsule of the Pod, by uuid. */
  othersCreatingSince: ReadonlyMap<string, number>;
  /** Fields were named in an Event already. */
  warned: boolean;
  /** An Event has said that the Pod waits for a list. */
  listAwaited: boolean;
  /** The final DELETE of the Pod object was answered at this monotonic ms. */
  removedAt?: number;
  /** When the last status was written, monotonic ms. */
  statusWrittenAt: number;
  /** The Pod as last seen, for the clean-up after it has gone. */
  graceSeconds: number;
  /** A probe or hook wants this container killed; it is restarted as its policy says. */
  kill?: { container: string; message: string; graceSeconds: number | undefined };
  /** A capsule that is given up so that a new one can take its place. */
  discard?: CapsuleName;
  /** The images for which a capsule was given up last. */
  madeFor?: string;
  /** How often in a row the node restarted the Pod, and when last, monotonic ms. */
  killings: number;
  killedAt: number;
  /** Restarts that the node made itself, by container name. */
  restarts: Readonly<Record<string, number>>;
}

/** The memory of a Pod never met before. `trustListsAfter` is minus infinity for a Pod that was not there when we started. */
export function newMemory(trustListsAfter: number): PodMemory {
  return {
    trustListsAfter,
    deletesSent: new Map(),
    othersCreatingSince: new Map(),
    problems: [],
    retryAt: Number.NEGATIVE_INFINITY,
    attempts: 0,
    warned: false,
    listAwaited: false,
    statusWrittenAt: Number.NEGATIVE_INFINITY,
    graceSeconds: 30,
    killings: 0,
    killedAt: Number.NEGATIVE_INFINITY,
    restarts: {},
  };
}
