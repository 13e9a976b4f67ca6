import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerLabels } from '../../../src/base/identity.ts';
import { findOrphans, type OrphanView } from '../../../src/cli/capsule-orphans.ts';
import type { Volume } from '../../../src/openstack/cinder.ts';
import type { Port } from '../../../src/openstack/neutron.ts';
import type { Capsule } from '../../../src/openstack/types.ts';
import { capsule, uuid, zunContainer } from '../../lib/builders.ts';

const nowMs = Date.parse('2026-06-01T12:00:00Z');
const old = '2026-06-01 11:00:00';
const young = '2026-06-01 11:55:00';

function kinds(view: Partial<OrphanView>): string[] {
  const orphans = findOrphans({
    ports: [],
    volumes: [],
    capsules: [],
    containers: [],
    pods: { cluster: 'c1', uids: new Set(['alive']) },
    nowMs,
    minAgeMs: 600_000,
    ...view,
  });
  return orphans.map((orphan) => orphan.kind);
}

function owned(uid: string, cluster = 'c1') {
  return capsule({ labels: ownerLabels({ cluster, node: 'n', namespace: 'web', pod: 'api-0', uid }), created_at: old });
}

const litter = {
  ...capsule(),
  name: null,
  labels: {},
  containers: [],
  init_containers: [],
  status: 'Creating' as const,
  created_at: old,
};
const port: Port = {
  id: uuid(90),
  name: '',
  networkId: 'n',
  deviceId: uuid(1),
  deviceOwner: 'compute:kuryr',
  status: 'ACTIVE',
  addresses: ['10.0.0.5'],
  securityGroups: [],
  createdAt: '2026-06-01T11:00:00Z',
};
const volume: Volume = {
  id: uuid(91),
  name: '',
  description: '',
  status: 'available',
  sizeGiB: 1,
  attached: false,
  multiattach: false,
  createdAt: '2026-06-01T11:00:00.000000',
  metadata: {},
};

test('orphans: a capsule whose Pod is gone: is one; whose Pod lives: is not', () => {
  assert.deepEqual(kinds({ capsules: [owned('gone'), owned('alive')] }), ['capsule']);
});

test('orphans: a capsule of another cluster: never', () => {
  assert.deepEqual(kinds({ capsules: [owned('gone', 'c2')] }), []);
});

test('orphans: Kubernetes not asked: no capsule of any Pod', () => {
  assert.deepEqual(kinds({ capsules: [owned('gone'), litter], pods: undefined }), ['litter']);
});

test('orphans: a capsule that is young: left alone', () => {
  assert.deepEqual(
    kinds({
      capsules: [
        { ...owned('gone'), created_at: young },
        { ...litter, created_at: young },
      ],
    }),
    [],
  );
});

test('orphans: a capsule without a time: left alone', () => {
  assert.deepEqual(
    kinds({
      capsules: [
        { ...owned('gone'), created_at: null },
        { ...litter, created_at: 'soon' },
      ],
    }),
    [],
  );
});

const marks: [string, Partial<Capsule>][] = [
  ['a name', { name: 'mine' }],
  ['labels', { labels: { app: 'web' } }],
  ['containers', { containers: [zunContainer()] }],
  ['another status', { status: 'Error' }],
  ['another kind', { backend: 'container' }],
];
for (const [what, change] of marks) {
  test(`orphans: an unowned capsule with ${what}: belongs to somebody`, () => {
    assert.deepEqual(kinds({ capsules: [{ ...litter, ...change }] }), []);
  });
}

test('orphans: a port of a capsule or container that is gone: is one', () => {
  assert.deepEqual(kinds({ ports: [port, { ...port, deviceOwner: 'compute:zun' }] }), ['port', 'port']);
});

test('orphans: a port whose capsule or container is there, whosever it is: is none', () => {
  assert.deepEqual(kinds({ ports: [port], capsules: [{ ...capsule(), uuid: port.deviceId }] }), []);
  assert.deepEqual(kinds({ ports: [port], containers: [zunContainer({ uuid: port.deviceId })] }), []);
});

for (const [what, change] of [
  ['of Nova', { deviceOwner: 'compute:nova' }],
  ['of a router', { deviceOwner: 'network:router_interface' }],
  ['without an owner', { deviceOwner: '' }],
  ['without a device', { deviceId: '' }],
  ['that is young', { createdAt: '2026-06-01T11:55:00Z' }],
  ['without a time', { createdAt: '' }],
] as const) {
  test(`orphans: a port ${what}: is left alone`, () => {
    assert.deepEqual(kinds({ ports: [{ ...port, ...change }] }), []);
  });
}

test('orphans: a bare volume: perhaps one', () => {
  assert.deepEqual(kinds({ volumes: [volume] }), ['volume']);
});

for (const [what, change] of [
  ['a name', { name: 'data' }],
  ['a description', { description: 'data' }],
  ['metadata', { metadata: { a: 'b' } }],
  ['an attachment', { attached: true, status: 'in-use' }],
  ['another status', { status: 'creating' }],
  ['a young age', { createdAt: '2026-06-01T11:55:00.000000' }],
] as const) {
  test(`orphans: a volume with ${what}: is left alone`, () => {
    assert.deepEqual(kinds({ volumes: [{ ...volume, ...change }] }), []);
  });
}
