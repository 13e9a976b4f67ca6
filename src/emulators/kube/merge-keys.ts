/**
 * How a strategic merge patch treats the members of an object. What is not named here is the rule: objects are merged
 * member by member, lists are replaced whole.
 */
export interface MergeShape {
  [member: string]: MergeField;
}

export interface MergeField {
  /** The list's items are objects, merged by this member. */
  key?: string;
  /** The list's items are plain values, merged as a set. */
  asSet?: true;
  /** The object is replaced whole. */
  replace?: true;
  /** The shape of the object, or of each item of the list. */
  shape?: MergeShape;
}

const metadata: MergeShape = { ownerReferences: { key: 'uid' }, finalizers: { asSet: true } };

const container: MergeShape = {
  ports: { key: 'containerPort' },
  env: { key: 'name' },
  volumeMounts: { key: 'mountPath' },
  volumeDevices: { key: 'devicePath' },
};

const podSpec: MergeShape = {
  volumes: { key: 'name' },
  initContainers: { key: 'name', shape: container },
  containers: { key: 'name', shape: container },
  ephemeralContainers: { key: 'name', shape: container },
  imagePullSecrets: { key: 'name' },
  hostAliases: { key: 'ip' },
  topologySpreadConstraints: { key: 'topologyKey' },
  schedulingGates: { key: 'name' },
  resourceClaims: { key: 'name' },
};

const conditions: MergeShape = { conditions: { key: 'type' } };
const template: MergeShape = { metadata: { shape: metadata }, spec: { shape: podSpec } };
const workload: MergeShape = {
  metadata: { shape: metadata },
  spec: { shape: { template: { shape: template } } },
  status: { shape: conditions },
};
const withConditions: MergeShape = { metadata: { shape: metadata }, status: { shape: conditions } };

/** By kind. Source: the `patchStrategy` and `patchMergeKey` tags in k8s.io/api. */
const shapes: Record<string, MergeShape> = {
  Pod: {
    metadata: { shape: metadata },
    spec: { shape: podSpec },
    status: {
      shape: {
        conditions: { key: 'type' },
        hostIPs: { key: 'ip' },
        podIPs: { key: 'ip' },
        resourceClaimStatuses: { key: 'name' },
        nodeAllocatableResourceClaimStatuses: { key: 'resourceClaimName' },
      },
    },
  },
  Node: {
    metadata: { shape: metadata },
    spec: { shape: { podCIDRs: { asSet: true } } },
    status: { shape: { conditions: { key: 'type' }, addresses: { key: 'type' } } },
  },
  Service: { ...withConditions, spec: { shape: { ports: { key: 'port' } } } },
  ServiceAccount: { metadata: { shape: metadata }, secrets: { key: 'name' } },
  Deployment: {
    ...workload,
    spec: { shape: { template: { shape: template } } },
  },
  ReplicaSet: workload,
  ReplicationController: workload,
  StatefulSet: workload,
  DaemonSet: workload,
  Job: workload,
  CronJob: {
    metadata: { shape: metadata },
    spec: { shape: { jobTemplate: { shape: { spec: { shape: { template: { shape: template } } } } } } },
  },
  PodDisruptionBudget: { ...withConditions, spec: { shape: { selector: { replace: true } } } },
  CSINode: { metadata: { shape: metadata }, spec: { shape: { drivers: { key: 'name' } } } },
};

/** Gets the shape of a kind; kinds without own merge keys have those of the metadata and of `status.conditions`. */
export function mergeShape(kind: string): MergeShape {
  return shapes[kind] ?? (noConditionKeys.has(kind) ? { metadata: { shape: metadata } } : withConditions);
}

/** Their conditions are lists without a merge key. */
const noConditionKeys = new Set(['CertificateSigningRequest', 'FlowSchema', 'PriorityLevelConfiguration', 'Ingress']);
