import type { KubeEvent, Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import type { PodInputs, PodReferences } from '../translate/types.ts';

/** The calls on Pods that the worker makes. Every one carries the Pod's UID, so that a Pod recreated under its name is never touched. */
export interface PodApi {
  /** Reads the live object; undefined when it is gone or has another UID. */
  read(namespace: string, name: string, uid: string): Promise<Pod | undefined>;
  /** Sends a strategic merge patch of the status; answers the stored Pod. Errors: `not-found`, `conflict` (another UID), `invalid`. */
  patchStatus(pod: Pod, status: object): Promise<Pod>;
  /** Final DELETE with grace 0 and the UID as precondition; gone counts as success. */
  remove(pod: Pod): Promise<void>;
}

/** Fetches what a Pod refers to. */
export interface InputSource {
  /** Errors as `AppError`; a missing object is not an error but null in the result. */
  fetch(pod: Pod, references: PodReferences): Promise<PodInputs>;
}

/** What an Event is about. */
export interface EventSubject {
  kind: 'Pod' | 'Node';
  name: string;
  /** Empty for Nodes. */
  namespace: string;
  uid: string;
  resourceVersion?: string;
  /** `spec.containers{name}` where one container is meant. */
  fieldPath?: string;
}

/** Records Events without ever blocking or failing the caller; correlates as client-go does. */
export interface EventRecorder {
  record(subject: EventSubject, type: NonNullable<KubeEvent['type']>, reason: string, message: string): void;
}

/** Read access to the Pods bound to this node. The kubelet server, the probes and the worker share it. */
export interface PodReader {
  get(uid: string): Pod | undefined;
  byName(namespace: string, name: string): Pod | undefined;
  all(): Pod[];
  /** False until the first complete list. */
  isComplete(): boolean;
}

/** Read access to the capsules of this node. */
export interface CapsuleReader {
  /** Oldest first. */
  ofPod(uid: string): Capsule[];
  all(): Capsule[];
}
