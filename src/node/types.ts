/** What the node claims to have; Kubernetes quantities by resource name. */
export interface NodeCapacity {
  capacity: Record<string, string>;
  /** What the scheduler may hand out. */
  allocatable: Record<string, string>;
}

export interface NodeTaint {
  key: string;
  value: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What an operator decides about the Node object. */
export interface NodeOptions {
  name: string;
  /** Keystone region; part of the provider id and a label. */
  region: string;
  /** Availability zone label; left out when undefined. */
  zone?: string;
  /** Where the API server reaches the kubelet port, primary first. */
  internalIPs: string[];
  /** Only where the API server can resolve it: it tries this first. */
  hostname?: string;
  kubeletPort: number;
  /** The Kubernetes version whose node contract is implemented: `v1.37.2`. */
  kubernetesVersion: string;
  /** zunlet's own version. */
  version: string;
  architecture: string;
  instanceType: string;
  /** Added at creation only: what an administrator takes away stays away. */
  taints: NodeTaint[];
  /** Added at creation only. */
  labels: Record<string, string>;
  annotations: Record<string, string>;
  /** The label `kubernetes.io/role=agent`; refused by the API server for node identities. */
  roleLabel: boolean;
  /** Kubernetes' names of optional node features, for `status.declaredFeatures`. */
  declaredFeatures: string[];
}

/** What is found out at run time; may change while the node runs. */
export interface NodeFacts {
  /** Stable for one node in one cluster. */
  machineId: string;
  /** Changes with each start of zunlet only when it should count as a reboot. */
  bootId: string;
  /** Zun's version, or its newest microversion: the part behind `zun://`. */
  zunVersion: string;
  osImage: string;
  kernelVersion: string;
  resources: NodeCapacity;
}

/** Whether Zun and Keystone answer. */
export type CloudHealth =
  | { ok: true }
  /** `sinceMs`: monotonic time at which it stopped to answer; `reason` CamelCase, `message` one sentence. */
  | { ok: false; sinceMs: number; reason: string; message: string };
