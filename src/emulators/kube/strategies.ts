import type { FieldCause } from './failures.ts';
import {
  at,
  isObject,
  type JsonObject,
  type KubeObject,
  listOf,
  memberOf,
  numberOf,
  objectOf,
  objectsOf,
  textOf,
  timestamp,
} from './objects.ts';
import { admitPod, applyDefaultTolerations } from './pod-admission.ts';
import { asPod, defaultPodSpec, normalizePodStatus, normalizeTimes, qosClass } from './pod-defaults.ts';
import { podStatusCauses } from './pod-status-validation.ts';
import { podCauses, podSpecCauses, podUpdateCauses } from './pod-validation.ts';
import type { Resource } from './resources.ts';
import { serviceStrategy } from './service-strategy.ts';
import type { Strategy } from './strategy.ts';
import { workloadStrategies } from './workload-strategies.ts';

const pods: Strategy = {
  hasGeneration: true,
  returnsDeleted: true,
  prepareCreate(object, context) {
    // A body without containers is refused by the validation; until then it only must not break the defaults.
    if (!isObject(object['spec'])) object['spec'] = {};
    const pod = asPod(object);
    if (!Array.isArray(pod.spec.containers)) pod.spec.containers = [];
    defaultPodSpec(pod.spec);
    admitPod(pod, context);
    const status: JsonObject = { phase: 'Pending', qosClass: qosClass(pod.spec) };
    if (pod.spec.schedulingGates?.length) status['conditions'] = [gatedCondition(context.now())];
    object['status'] = status;
  },
  prepareUpdate(object) {
    if (!isObject(object['spec'])) return;
    defaultPodSpec(asPod(object).spec);
    applyDefaultTolerations(asPod(object).spec);
  },
  prepareStatus(object, old) {
    const status = memberOf(object, 'status');
    const before = objectOf(old['status']);
    for (const name of ['qosClass', 'phase', 'observedGeneration']) {
      if (status[name] === undefined && before[name] !== undefined) status[name] = before[name];
    }
    normalizePodStatus(status);
    joinAddresses(status);
  },
  validate: podCauses,
  validateUpdate: podUpdateCauses,
  validateStatus: podStatusCauses,
  gracePeriod(object, asked) {
    const pod = asPod(object);
    const phase = pod.status?.phase;
    if (!pod.spec.nodeName || phase === 'Failed' || phase === 'Succeeded') return 0;
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0;
    return seconds < 0 ? 1 : seconds;
  },
};

function gatedCondition(now: number): JsonObject {
  return {
    type: 'PodScheduled',
    status: 'False',
    lastProbeTime: null,
    lastTransitionTime: timestamp(now),
    reason: 'SchedulingGated',
    message: 'Scheduling is blocked due to non-empty scheduling gates',
  };
}

/** The single address and the list of addresses say the same; where they do not, the single one wins. */
function joinAddresses(status: JsonObject): void {
  const all = listOf(status['podIPs']);
  const first = textOf(status['podIP']);
  if (first !== '' && textOf(at(all[0], 'ip')) !== first) status['podIPs'] = [{ ip: first }];
  else if (first === '' && all.length > 0) status['podIP'] = textOf(at(all[0], 'ip'));
}

const nodes: Strategy = {
  keepsStatusOnCreate: true,
  prepareCreate(object) {
    const spec = memberOf(object, 'spec');
    const key = 'node.kubernetes.io/not-ready';
    const taints = objectsOf(spec['taints']);
    if (!taints.some((taint) => taint['key'] === key && taint['effect'] === 'NoSchedule')) {
      spec['taints'] = [...taints, { key, effect: 'NoSchedule' }];
    }
    normalizeNodeStatus(object);
  },
  prepareUpdate(object) {
    memberOf(object, 'spec');
    if (listOf(at(object, 'spec', 'taints')).length === 0) delete objectOf(object['spec'])['taints'];
  },
  prepareStatus: normalizeNodeStatus,
  validateUpdate(object, old) {
    const before = textOf(at(old, 'spec', 'providerID'));
    if (before === '' || before === textOf(at(object, 'spec', 'providerID'))) return [];
    const message = 'Invalid value: null: field cannot be modified once set';
    return [{ reason: 'FieldValueInvalid', field: 'spec.providerID', message }];
  },
};

function normalizeNodeStatus(object: KubeObject): void {
  const status = memberOf(object, 'status');
  if (status['capacity'] !== undefined) status['allocatable'] ??= { ...objectOf(status['capacity']) };
  for (const condition of objectsOf(status['conditions'])) {
    condition['lastHeartbeatTime'] ??= null;
    condition['lastTransitionTime'] ??= null;
  }
  const endpoint = memberOf(memberOf(status, 'daemonEndpoints'), 'kubeletEndpoint');
  endpoint['Port'] ??= 0;
  const info = memberOf(status, 'nodeInfo');
  for (const name of nodeInfoMembers) info[name] ??= '';
  normalizeTimes(status);
}

const nodeInfoMembers = [
  'machineID',
  'systemUUID',
  'bootID',
  'kernelVersion',
  'osImage',
  'containerRuntimeVersion',
  'kubeletVersion',
  'kubeProxyVersion',
  'operatingSystem',
  'architecture',
];

const namespaces: Strategy = {
  prepareCreate(object) {
    memberOf(object, 'spec')['finalizers'] = ['kubernetes'];
    object['status'] = { phase: 'Active' };
    const labels = memberOf(object.metadata, 'labels');
    labels['kubernetes.io/metadata.name'] = object.metadata.name;
  },
  prepareUpdate(object, old) {
    object['spec'] = objectOf(old['spec']);
  },
  markDeleting: (object) => ({ ...object, status: { ...objectOf(object['status']), phase: 'Terminating' } }),
};

const microTimeLayout = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}(Z|[+-]\d\d:\d\d)$/;

function microTimeCauses(object: KubeObject, ...paths: string[]): FieldCause[] {
  const causes: FieldCause[] = [];
  for (const path of paths) {
    const value = at(object, ...path.split('.'));
    if (value === undefined || value === null || microTimeLayout.test(textOf(value))) continue;
    const message = `Invalid value: ${JSON.stringify(value)}: a time with exactly six fractional digits is needed`;
    causes.push({ reason: 'FieldValueInvalid', field: path, message });
  }
  return causes;
}

const leases: Strategy = {
  createsOnUpdate: true,
  needsVersion: true,
  validate(object) {
    const causes = microTimeCauses(object, 'spec.renewTime', 'spec.acquireTime');
    const seconds = at(object, 'spec', 'leaseDurationSeconds');
    if (seconds !== undefined && numberOf(seconds) <= 0) {
      const message = `Invalid value: ${JSON.stringify(seconds)}: must be greater than 0`;
      causes.push({ reason: 'FieldValueInvalid', field: 'spec.leaseDurationSeconds', message });
    }
    return causes;
  },
};

const events: Strategy = {
  createsOnUpdate: true,
  prepareCreate(object) {
    object['source'] ??= {};
    object['reportingComponent'] ??= '';
    object['reportingInstance'] ??= '';
    for (const name of ['firstTimestamp', 'lastTimestamp', 'eventTime']) object[name] ??= null;
  },
  validate(object) {
    const namespace = textOf(at(object, 'involvedObject', 'namespace'));
    const own = textOf(object.metadata['namespace']);
    const causes = microTimeCauses(object, 'eventTime', 'series.lastObservedTime');
    if (namespace !== own && !(namespace === '' && own === 'default')) {
      const message = `Invalid value: "${namespace}": does not match event.namespace`;
      causes.push({ reason: 'FieldValueInvalid', field: 'involvedObject.namespace', message });
    }
    return causes;
  },
};

const persistentVolumeClaims: Strategy = {
  returnsDeleted: true,
  prepareCreate(object) {
    object['status'] = { phase: 'Pending' };
    memberOf(object, 'spec')['volumeMode'] ??= 'Filesystem';
  },
};

const persistentVolumes: Strategy = {
  returnsDeleted: true,
  prepareCreate(object) {
    object['status'] = { phase: 'Available' };
    const spec = memberOf(object, 'spec');
    spec['volumeMode'] ??= 'Filesystem';
    spec['persistentVolumeReclaimPolicy'] ??= 'Retain';
  },
};

const secrets: Strategy = {
  prepareCreate(object) {
    object['type'] ??= 'Opaque';
    const texts = Object.entries(objectOf(object['stringData']));
    if (texts.length > 0) {
      const data = memberOf(object, 'data');
      for (const [key, value] of texts) data[key] = Buffer.from(textOf(value)).toString('base64');
    }
    delete object['stringData'];
  },
  prepareUpdate(object, old, context) {
    secrets.prepareCreate?.(object, context);
    object['type'] = textOf(old['type']) || 'Opaque';
  },
  validate: (object) => secretCauses(object),
  validateUpdate: immutableCauses,
};

function secretCauses(object: KubeObject): FieldCause[] {
  const causes: FieldCause[] = [];
  for (const [key, value] of Object.entries(objectOf(object['data']))) {
    if (!/^[-._a-zA-Z0-9]+$/.test(key)) {
      const message = `Invalid value: "${key}": a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`;
      causes.push({ reason: 'FieldValueInvalid', field: `data[${key}]`, message });
    }
    if (value !== null && !/^[A-Za-z0-9+/\s]*={0,2}$/.test(textOf(value))) {
      causes.push({
        reason: 'FieldValueInvalid',
        field: `data[${key}]`,
        message: 'Invalid value: illegal base64 data',
      });
    }
  }
  return causes;
}

function immutableCauses(object: KubeObject, old: KubeObject): FieldCause[] {
  if (old['immutable'] !== true) return [];
  const same = JSON.stringify([object['data'], object['binaryData'], object['immutable']]);
  if (same === JSON.stringify([old['data'], old['binaryData'], true])) return [];
  return [
    { reason: 'FieldValueForbidden', field: 'data', message: 'Forbidden: field is immutable when `immutable` is set' },
  ];
}

const configMaps: Strategy = { validateUpdate: immutableCauses };
const serviceAccounts: Strategy = { returnsDeleted: true };

const certificateRequests: Strategy = {
  prepareCreate(object, context) {
    const spec = memberOf(object, 'spec');
    spec['username'] = context.user.name;
    spec['groups'] = [...context.user.groups];
    object['status'] = {};
  },
};

const byStorage: Record<string, Strategy> = {
  pods,
  nodes,
  namespaces,
  events,
  secrets,
  configmaps: configMaps,
  serviceaccounts: serviceAccounts,
  services: serviceStrategy,
  persistentvolumeclaims: persistentVolumeClaims,
  persistentvolumes: persistentVolumes,
  'coordination.k8s.io/leases': leases,
  'certificates.k8s.io/certificatesigningrequests': certificateRequests,
  ...workloadStrategies(podSpecCauses),
};

const plain: Strategy = {};

/** Gets the rules of a resource; objects without own rules are kept as they come. */
export function strategyOf(resource: Resource): Strategy {
  return byStorage[resource.storage] ?? plain;
}
