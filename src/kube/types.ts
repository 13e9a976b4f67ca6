/**
 * The Kubernetes types as they stand on the wire: client-node's models with strings where those have `Date`. The one
 * barrel file, because it pins a third-party package to one place. Nothing here exists at run time.
 */
import type * as k8s from '@kubernetes/client-node';

/** client-node types say `Date` for timestamps; JSON has strings. */
export type Wire<T> = T extends Date
  ? string
  : T extends readonly (infer U)[]
    ? Wire<U>[]
    : T extends object
      ? { [K in keyof T]: Wire<T[K]> }
      : T;

/** Object metadata with what every stored object has. */
export type Meta = Wire<k8s.V1ObjectMeta> & { name: string; uid: string };
type Named<T> = Omit<Wire<T>, 'metadata'> & { metadata: Meta };

export type PodSpec = Wire<k8s.V1PodSpec>;
export type PodStatus = Wire<k8s.V1PodStatus>;
export type PodCondition = Wire<k8s.V1PodCondition>;
export type Pod = Omit<Named<k8s.V1Pod>, 'spec' | 'status'> & {
  metadata: Meta & { namespace: string };
  spec: PodSpec;
  status?: PodStatus;
};
export type Container = Wire<k8s.V1Container>;
export type EphemeralContainer = Wire<k8s.V1EphemeralContainer>;
export type ContainerStatus = Wire<k8s.V1ContainerStatus>;
export type ContainerState = Wire<k8s.V1ContainerState>;
export type EnvVar = Wire<k8s.V1EnvVar>;
export type Probe = Wire<k8s.V1Probe>;
export type Volume = Wire<k8s.V1Volume>;
export type VolumeMount = Wire<k8s.V1VolumeMount>;
export type SecurityContext = Wire<k8s.V1SecurityContext>;
export type PodSecurityContext = Wire<k8s.V1PodSecurityContext>;
export type Lifecycle = Wire<k8s.V1Lifecycle>;
export type LifecycleHandler = Wire<k8s.V1LifecycleHandler>;
export type ResourceRequirements = Wire<k8s.V1ResourceRequirements>;
export type Node = Named<k8s.V1Node>;
export type NodeStatus = Wire<k8s.V1NodeStatus>;
export type NodeCondition = Wire<k8s.V1NodeCondition>;
export type Lease = Named<k8s.V1Lease>;
export type KubeEvent = Wire<k8s.CoreV1Event>;
export type ConfigMap = Named<k8s.V1ConfigMap>;
export type Secret = Named<k8s.V1Secret>;
export type Service = Named<k8s.V1Service>;
export type PersistentVolumeClaim = Named<k8s.V1PersistentVolumeClaim>;
export type PersistentVolume = Named<k8s.V1PersistentVolume>;
export type RuntimeClass = Named<k8s.V1RuntimeClass>;

/** What a list call answers. */
export interface KubeList<T> {
  kind?: string;
  apiVersion?: string;
  metadata: { resourceVersion: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** The body of a failed call. */
export interface KubeStatus {
  kind: 'Status';
  status?: string;
  message?: string;
  reason?: string;
  code?: number;
  details?: {
    name?: string;
    kind?: string;
    retryAfterSeconds?: number;
    causes?: { reason?: string; message?: string; field?: string }[];
  };
}
