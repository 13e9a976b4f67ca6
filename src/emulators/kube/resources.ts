/** One resource of the API: what discovery lists, and what the registry needs to know about it. */
export interface Resource {
  group: string;
  version: string;
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  shortNames: string[];
  categories: string[];
  /** Has the sub-resource `status`: the main path then leaves the status alone, and the other way round. */
  hasStatus: boolean;
  subresources: string[];
  /** Where the objects are kept; two resources with one key show the same objects. */
  storage: string;
  /** Only POST: reviews, which are answered and never stored. */
  isReview: boolean;
}

type Flags = Partial<
  Pick<Resource, 'shortNames' | 'categories' | 'hasStatus' | 'subresources' | 'storage' | 'isReview'>
> & {
  cluster?: boolean;
};

function resource(groupVersion: string, plural: string, kind: string, flags: Flags = {}): Resource {
  const [first = '', second] = groupVersion.split('/');
  const { cluster, ...rest } = flags;
  return {
    group: second === undefined ? '' : first,
    version: second ?? first,
    plural,
    singular: kind.toLowerCase(),
    kind,
    namespaced: cluster !== true,
    shortNames: [],
    categories: [],
    hasStatus: false,
    subresources: [],
    storage: second === undefined ? plural : `${first}/${plural}`,
    isReview: false,
    ...rest,
  };
}

const all = ['all'];
const cluster = true;
const hasStatus = true;
const review = { isReview: true };

/** Every resource that is served. Those without a line in `strategies.ts` are kept as they come. */
export const resources: Resource[] = [
  resource('v1', 'bindings', 'Binding', review),
  resource('v1', 'configmaps', 'ConfigMap', { shortNames: ['cm'] }),
  resource('v1', 'endpoints', 'Endpoints', { shortNames: ['ep'] }),
  resource('v1', 'events', 'Event', { shortNames: ['ev'] }),
  resource('v1', 'limitranges', 'LimitRange', { shortNames: ['limits'] }),
  resource('v1', 'namespaces', 'Namespace', { cluster, hasStatus, shortNames: ['ns'], subresources: ['finalize'] }),
  resource('v1', 'nodes', 'Node', { cluster, hasStatus, shortNames: ['no'], subresources: ['proxy'] }),
  resource('v1', 'persistentvolumeclaims', 'PersistentVolumeClaim', { hasStatus, shortNames: ['pvc'] }),
  resource('v1', 'persistentvolumes', 'PersistentVolume', { cluster, hasStatus, shortNames: ['pv'] }),
  resource('v1', 'pods', 'Pod', {
    hasStatus,
    shortNames: ['po'],
    categories: all,
    subresources: ['attach', 'binding', 'ephemeralcontainers', 'eviction', 'exec', 'log', 'portforward'],
  }),
  resource('v1', 'replicationcontrollers', 'ReplicationController', { hasStatus, shortNames: ['rc'], categories: all }),
  resource('v1', 'resourcequotas', 'ResourceQuota', { hasStatus, shortNames: ['quota'] }),
  resource('v1', 'secrets', 'Secret'),
  resource('v1', 'serviceaccounts', 'ServiceAccount', { shortNames: ['sa'], subresources: ['token'] }),
  resource('v1', 'services', 'Service', { hasStatus, shortNames: ['svc'], categories: all }),
  resource('apps/v1', 'daemonsets', 'DaemonSet', { hasStatus, shortNames: ['ds'], categories: all }),
  resource('apps/v1', 'deployments', 'Deployment', {
    hasStatus,
    shortNames: ['deploy'],
    categories: all,
    subresources: ['scale'],
  }),
  resource('apps/v1', 'replicasets', 'ReplicaSet', {
    hasStatus,
    shortNames: ['rs'],
    categories: all,
    subresources: ['scale'],
  }),
  resource('apps/v1', 'statefulsets', 'StatefulSet', {
    hasStatus,
    shortNames: ['sts'],
    categories: all,
    subresources: ['scale'],
  }),
  resource('batch/v1', 'cronjobs', 'CronJob', { hasStatus, shortNames: ['cj'], categories: all }),
  resource('batch/v1', 'jobs', 'Job', { hasStatus, categories: all }),
  resource('events.k8s.io/v1', 'events', 'Event', { shortNames: ['ev'], storage: 'events' }),
  resource('coordination.k8s.io/v1', 'leases', 'Lease'),
  resource('node.k8s.io/v1', 'runtimeclasses', 'RuntimeClass', { cluster }),
  resource('scheduling.k8s.io/v1', 'priorityclasses', 'PriorityClass', { cluster, shortNames: ['pc'] }),
  resource('storage.k8s.io/v1', 'storageclasses', 'StorageClass', { cluster, shortNames: ['sc'] }),
  resource('storage.k8s.io/v1', 'csinodes', 'CSINode', { cluster }),
  resource('storage.k8s.io/v1', 'volumeattachments', 'VolumeAttachment', { cluster, hasStatus }),
  resource('policy/v1', 'poddisruptionbudgets', 'PodDisruptionBudget', { hasStatus, shortNames: ['pdb'] }),
  resource('networking.k8s.io/v1', 'ingresses', 'Ingress', { hasStatus, shortNames: ['ing'] }),
  resource('networking.k8s.io/v1', 'networkpolicies', 'NetworkPolicy', { shortNames: ['netpol'] }),
  resource('discovery.k8s.io/v1', 'endpointslices', 'EndpointSlice'),
  resource('rbac.authorization.k8s.io/v1', 'clusterroles', 'ClusterRole', { cluster }),
  resource('rbac.authorization.k8s.io/v1', 'clusterrolebindings', 'ClusterRoleBinding', { cluster }),
  resource('rbac.authorization.k8s.io/v1', 'roles', 'Role'),
  resource('rbac.authorization.k8s.io/v1', 'rolebindings', 'RoleBinding'),
  resource('flowcontrol.apiserver.k8s.io/v1', 'flowschemas', 'FlowSchema', { cluster, hasStatus }),
  resource('flowcontrol.apiserver.k8s.io/v1', 'prioritylevelconfigurations', 'PriorityLevelConfiguration', {
    cluster,
    hasStatus,
  }),
  resource('admissionregistration.k8s.io/v1', 'validatingadmissionpolicies', 'ValidatingAdmissionPolicy', {
    cluster,
    hasStatus,
  }),
  resource('admissionregistration.k8s.io/v1', 'validatingadmissionpolicybindings', 'ValidatingAdmissionPolicyBinding', {
    cluster,
  }),
  resource('certificates.k8s.io/v1', 'certificatesigningrequests', 'CertificateSigningRequest', {
    cluster,
    hasStatus,
    shortNames: ['csr'],
    subresources: ['approval'],
  }),
  resource('authentication.k8s.io/v1', 'tokenreviews', 'TokenReview', { cluster, ...review }),
  resource('authentication.k8s.io/v1', 'selfsubjectreviews', 'SelfSubjectReview', { cluster, ...review }),
  resource('authorization.k8s.io/v1', 'localsubjectaccessreviews', 'LocalSubjectAccessReview', review),
  resource('authorization.k8s.io/v1', 'selfsubjectaccessreviews', 'SelfSubjectAccessReview', { cluster, ...review }),
  resource('authorization.k8s.io/v1', 'selfsubjectrulesreviews', 'SelfSubjectRulesReview', { cluster, ...review }),
  resource('authorization.k8s.io/v1', 'subjectaccessreviews', 'SubjectAccessReview', { cluster, ...review }),
];

/** `v1`, `apps/v1`. */
export function groupVersionOf(resource: { group: string; version: string }): string {
  return resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
}

const byPath = new Map(resources.map((one) => [`${one.group}/${one.version}/${one.plural}`, one]));
const byKind = new Map(resources.map((one) => [`${groupVersionOf(one)}/${one.kind}`, one]));

export function findResource(group: string, version: string, plural: string): Resource | undefined {
  return byPath.get(`${group}/${version}/${plural}`);
}

export function resourceOfKind(apiVersion: string, kind: string): Resource | undefined {
  return byKind.get(`${apiVersion}/${kind}`);
}

/** Gets a resource that the emulator itself works with. Throws when the table above lacks it. */
export function resourceNamed(plural: string, group = '', version = 'v1'): Resource {
  const found = findResource(group, version, plural);
  if (!found) throw new Error(`the emulator serves no ${plural} in group '${group}'`);
  return found;
}
