import { age, humanDuration } from './human-duration.ts';
import {
  at,
  isDeleting,
  type Json,
  type JsonObject,
  type KubeObject,
  listOf,
  numberOf,
  objectOf,
  objectsOf,
  textOf,
} from './objects.ts';
import { podCells, podConditions } from './table-pod.ts';
import type { Column, Printer } from './tables.ts';

/** `Name` is the name, `Desired:integer` a number, a leading `+` is for `-o wide` only. */
function columns(...texts: string[]): Column[] {
  return texts.map((text) => {
    const [name = '', type] = text.replace(/^\+/, '').split(':');
    const column: Column = {
      name,
      type: type === 'integer' ? 'integer' : 'string',
      priority: text.startsWith('+') ? 1 : 0,
    };
    return name === 'Name' ? { ...column, format: 'name' } : column;
  });
}

const ageOf = (object: KubeObject, now: number) => age(object.metadata.creationTimestamp, now);
const orNone = (text: string) => (text === '' ? '<none>' : text);

function selectorText(labels: Json | undefined): string {
  const pairs = Object.entries(objectOf(labels)).map(([key, value]) => `${key}=${textOf(value)}`);
  return orNone(pairs.sort().join(','));
}

function templateCells(object: KubeObject): Json[] {
  const containers = objectsOf(at(object, 'spec', 'template', 'spec', 'containers'));
  return [
    containers.map((one) => textOf(one['name'])).join(','),
    containers.map((one) => textOf(one['image'])).join(','),
    selectorText(at(object, 'spec', 'selector', 'matchLabels')),
  ];
}

const nodes: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Roles',
    'Age',
    'Version',
    '+Internal-IP',
    '+External-IP',
    '+OS-Image',
    '+Kernel-Version',
    '+Container-Runtime',
  ),
  cells(object, now) {
    const info = objectOf(at(object, 'status', 'nodeInfo'));
    const address = (type: string) =>
      textOf(objectsOf(at(object, 'status', 'addresses')).find((one) => one['type'] === type)?.['address']);
    const orUnknown = (name: string) => textOf(info[name]) || '<unknown>';
    const architecture = textOf(info['architecture']);
    return [
      object.metadata.name,
      nodeStatus(object),
      orNone(nodeRoles(object).join(',')),
      ageOf(object, now),
      textOf(info['kubeletVersion']),
      orNone(address('InternalIP')),
      orNone(address('ExternalIP')),
      orUnknown('osImage'),
      architecture === '' ? orUnknown('kernelVersion') : `${orUnknown('kernelVersion')} (${architecture})`,
      orUnknown('containerRuntimeVersion'),
    ];
  },
};

function nodeStatus(object: KubeObject): string {
  const ready = objectsOf(at(object, 'status', 'conditions')).find((one) => one['type'] === 'Ready');
  const words = [ready === undefined ? 'Unknown' : ready['status'] === 'True' ? 'Ready' : 'NotReady'];
  if (at(object, 'spec', 'unschedulable') === true) words.push('SchedulingDisabled');
  return words.join(',');
}

function nodeRoles(object: KubeObject): string[] {
  const prefix = 'node-role.kubernetes.io/';
  const roles = new Set<string>();
  for (const [key, value] of Object.entries(objectOf(object.metadata['labels']))) {
    if (key.startsWith(prefix)) roles.add(key.slice(prefix.length));
    else if (key === 'kubernetes.io/role' && value !== '') roles.add(textOf(value));
  }
  return [...roles].filter((role) => role !== '').sort();
}

const events: Printer = {
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    '+Subobject',
    '+Source',
    'Message',
    '+First Seen',
    '+Count',
    '+Name',
  ),
  cells(object, now) {
    const first = age(textOf(object['firstTimestamp']) || textOf(object['eventTime']), now);
    const series = objectOf(object['series']);
    const lastOfSeries = textOf(series['lastObservedTime']);
    const lastTime = textOf(object['lastTimestamp']);
    const last = lastOfSeries !== '' ? age(lastOfSeries, now) : lastTime === '' ? first : age(lastTime, now);
    const target = objectOf(object['involvedObject']);
    const kind = textOf(target['kind']).toLowerCase();
    const name = textOf(target['name']);
    return [
      last,
      textOf(object['type']),
      textOf(object['reason']),
      name === '' ? kind : `${kind}/${name}`,
      textOf(target['fieldPath']),
      eventSource(object),
      textOf(object['message']).trim(),
      first,
      numberOf(series['count']) || numberOf(object['count']) || 1,
      object.metadata.name,
    ];
  },
};

function eventSource(object: KubeObject): string {
  const component = textOf(at(object, 'source', 'component')) || textOf(object['reportingComponent']);
  const host = textOf(at(object, 'source', 'host')) || textOf(object['reportingInstance']);
  return host === '' ? component : `${component}, ${host}`;
}

const services: Printer = {
  columns: columns('Name', 'Type', 'Cluster-IP', 'External-IP', 'Port(s)', 'Age', '+Selector'),
  cells(object, now) {
    const spec = objectOf(object['spec']);
    const external = listOf(spec['externalIPs']).map((one) => textOf(one));
    if (spec['type'] === 'ExternalName') external.push(textOf(spec['externalName']));
    const pending = spec['type'] === 'LoadBalancer' ? '<pending>' : '<none>';
    const ports = objectsOf(spec['ports']).map((port) => {
      const node = numberOf(port['nodePort']);
      return `${numberOf(port['port'])}${node > 0 ? `:${node}` : ''}/${textOf(port['protocol'])}`;
    });
    return [
      object.metadata.name,
      textOf(spec['type']),
      orNone(textOf(spec['clusterIP'])),
      external.join(',') || pending,
      orNone(ports.join(',')),
      ageOf(object, now),
      selectorText(spec['selector']),
    ];
  },
};

const jobs: Printer = {
  columns: columns('Name', 'Status', 'Completions', 'Duration', 'Age', '+Containers', '+Images', '+Selector'),
  cells(object, now) {
    const status = objectOf(object['status']);
    const start = Date.parse(textOf(status['startTime']));
    const end = textOf(status['completionTime']);
    const duration = Number.isNaN(start) ? '' : humanDuration((end === '' ? now : Date.parse(end)) - start);
    const wanted = at(object, 'spec', 'completions');
    const completions = `${numberOf(status['succeeded'])}/${wanted === undefined ? 1 : numberOf(wanted)}`;
    return [
      object.metadata.name,
      jobStatus(object),
      completions,
      duration,
      ageOf(object, now),
      ...templateCells(object),
    ];
  },
};

function jobStatus(object: KubeObject): string {
  const has = (type: string) =>
    objectsOf(at(object, 'status', 'conditions')).some((one) => one['type'] === type && one['status'] === 'True');
  if (has('Complete')) return 'Complete';
  if (has('Failed')) return 'Failed';
  if (isDeleting(object)) return 'Terminating';
  return has('Suspended') ? 'Suspended' : 'Running';
}

const deployments: Printer = {
  columns: columns('Name', 'Ready', 'Up-to-date', 'Available', 'Age', '+Containers', '+Images', '+Selector'),
  cells(object, now) {
    const status = objectOf(object['status']);
    return [
      object.metadata.name,
      `${numberOf(status['readyReplicas'])}/${numberOf(at(object, 'spec', 'replicas'))}`,
      numberOf(status['updatedReplicas']),
      numberOf(status['availableReplicas']),
      ageOf(object, now),
      ...templateCells(object),
    ];
  },
};

const replicaSets: Printer = {
  columns: columns(
    'Name',
    'Desired:integer',
    'Current:integer',
    'Ready:integer',
    'Age',
    '+Containers',
    '+Images',
    '+Selector',
  ),
  cells(object, now) {
    const status = objectOf(object['status']);
    const desired = numberOf(at(object, 'spec', 'replicas'));
    return [
      object.metadata.name,
      desired,
      numberOf(status['replicas']),
      numberOf(status['readyReplicas']),
      ageOf(object, now),
      ...templateCells(object),
    ];
  },
};

const accessModes: Record<string, string> = {
  ReadWriteOnce: 'RWO',
  ReadOnlyMany: 'ROX',
  ReadWriteMany: 'RWX',
  ReadWriteOncePod: 'RWOP',
};

const modesText = (modes: Json | undefined) =>
  listOf(modes)
    .map((mode) => accessModes[textOf(mode)] ?? textOf(mode))
    .join(',');
const phaseText = (object: KubeObject) => (isDeleting(object) ? 'Terminating' : textOf(at(object, 'status', 'phase')));

const claims: Printer = {
  columns: columns(
    'Name',
    'Status',
    'Volume',
    'Capacity',
    'Access Modes',
    'StorageClass',
    'VolumeAttributesClass',
    'Age',
    '+VolumeMode',
  ),
  cells(object, now) {
    const spec = objectOf(object['spec']);
    const volume = textOf(spec['volumeName']);
    return [
      object.metadata.name,
      phaseText(object),
      volume,
      volume === '' ? '' : textOf(at(object, 'status', 'capacity', 'storage')),
      volume === '' ? '' : modesText(at(object, 'status', 'accessModes')),
      textOf(spec['storageClassName']),
      textOf(spec['volumeAttributesClassName']) || '<unset>',
      ageOf(object, now),
      textOf(spec['volumeMode']) || '<unset>',
    ];
  },
};

const volumes: Printer = {
  columns: columns(
    'Name',
    'Capacity',
    'Access Modes',
    'Reclaim Policy',
    'Status',
    'Claim',
    'StorageClass',
    'VolumeAttributesClass',
    'Reason',
    'Age',
    '+VolumeMode',
  ),
  cells(object, now) {
    const spec: JsonObject = objectOf(object['spec']);
    const claim = objectOf(spec['claimRef']);
    return [
      object.metadata.name,
      textOf(at(spec, 'capacity', 'storage')),
      modesText(spec['accessModes']),
      textOf(spec['persistentVolumeReclaimPolicy']),
      phaseText(object),
      claim['name'] === undefined ? '' : `${textOf(claim['namespace'])}/${textOf(claim['name'])}`,
      textOf(spec['storageClassName']),
      textOf(spec['volumeAttributesClassName']) || '<unset>',
      textOf(at(object, 'status', 'reason')),
      ageOf(object, now),
      textOf(spec['volumeMode']) || '<unset>',
    ];
  },
};

function simple(shown: string[], cells: (object: KubeObject) => Json[]): Printer {
  return {
    columns: columns('Name', ...shown, 'Age'),
    cells: (object, now) => [object.metadata.name, ...cells(object), ageOf(object, now)],
  };
}

const size = (value: Json | undefined) => Object.keys(objectOf(value)).length;

/** By storage; resources without a line show their name and age. */
export const printers: Record<string, Printer> = {
  pods: {
    columns: columns(
      'Name',
      'Ready',
      'Status',
      'Restarts',
      'Age',
      '+IP',
      '+Node',
      '+Nominated Node',
      '+Readiness Gates',
    ),
    cells: podCells,
    conditions: podConditions,
  },
  nodes,
  events,
  services,
  namespaces: simple(['Status'], (object) => [textOf(at(object, 'status', 'phase'))]),
  configmaps: simple(['Data'], (object) => [size(object['data']) + size(object['binaryData'])]),
  secrets: simple(['Type', 'Data'], (object) => [textOf(object['type']), size(object['data'])]),
  persistentvolumeclaims: claims,
  persistentvolumes: volumes,
  'apps/deployments': deployments,
  'apps/replicasets': replicaSets,
  'batch/jobs': jobs,
  'coordination.k8s.io/leases': simple(['Holder'], (object) => [textOf(at(object, 'spec', 'holderIdentity'))]),
  'node.k8s.io/runtimeclasses': simple(['Handler'], (object) => [textOf(object['handler'])]),
};
