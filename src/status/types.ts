import type { Problem } from '../base/problem.ts';
import type { Capsule } from '../openstack/types.ts';
import type { CapsuleName } from './named-capsule.ts';

/** Where a Pod stands, as the worker knows it; `podStatus` makes the Kubernetes status of it. */
export type Situation =
  /** No capsule yet. Without problems the containers are `ContainerCreating`. */
  | { kind: 'waiting'; problems: Problem[]; letGo?: CapsuleName }
  /** The Pod can never run here; nothing was created. */
  | { kind: 'rejected'; reason: string; message: string }
  /** The Pod's capsule, as last seen; while `terminating`, the phase does not change. */
  | { kind: 'present'; capsule: Capsule; terminating: boolean }
  /** The capsule that the status names is gone although nobody asked: the Pod is Failed and says so. */
  | { kind: 'lost'; reason: string; message: string; last: Capsule | undefined }
  /** The Pod was deleted and its capsule is confirmed gone: every container is terminated, the phase terminal. */
  | { kind: 'finished'; last: Capsule | undefined }
  /** Ended by the node itself, its capsule confirmed gone or never made: deadline, create time-out. */
  | { kind: 'failed'; reason: string; message: string; last: Capsule | undefined };

/** What a probe engine last found about one container. Absent where a probe does not exist. */
export interface ProbeView {
  /** The container (`zun://<uuid>`) that was probed; a view of another one does not count. */
  containerID?: string;
  ready?: boolean;
  started?: boolean;
}

export interface StatusContext {
  /** Wall time, ms. */
  nowMs: number;
  /** The node's addresses, primary first. */
  hostIPs: string[];
  /** By container name. */
  probes: Record<string, ProbeView>;
  /**
   * The count that each container's restarts reach with those that the node itself made, by container name. It is shown
   * when the run that the restart led to is seen, and tells that such a run must come.
   */
  restarts: Record<string, number>;
  /** What the Pod asks for by a resize and its capsule does not follow. */
  unappliedResize?: string | undefined;
  /** True where the cloud's capsules follow their containers after the start. Stock Zun's do not, and the Pod says so in a condition. */
  capsuleStatusIsLive?: boolean;
}
