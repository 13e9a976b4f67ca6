import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Node, NodeCondition } from '../../../src/kube/types.ts';
import { nodeCapacity } from '../../../src/node/capacity.ts';
import { flipEvents, nodeConditions } from '../../../src/node/conditions.ts';
import { nodeObject, nodeStatus } from '../../../src/node/node.ts';
import { adoptionPatch, isForeign, nodeStatusPatch } from '../../../src/node/patches.ts';
import { judgeCloud } from '../../../src/node/status-writer.ts';
import { facts, options } from './support.ts';

const nowMs = Date.parse('2026-01-01T00:00:00Z');
const conditions = (
  previous: NodeCondition[] = [],
  cloud: Parameters<typeof nodeConditions>[0]['cloud'] = { ok: true },
  at = nowMs,
) => nodeConditions({ cloud, previous, nowMs: at });
const down = (isReady: boolean) => ({ ok: false, isReady, reason: 'ZunUnreachable', message: 'no route' }) as const;

function stored(parts: Partial<Parameters<typeof options>[0]> = {}): Node {
  const status = nodeStatus(options(parts), facts, conditions());
  const node = nodeObject(options(parts), 'one', status);
  return { ...node, metadata: { ...node.metadata, uid: 'u1' } };
}

test('node: to be registered: the object as Kubernetes wants it', () => {
  const { metadata, spec, status } = nodeObject(options(), 'one', nodeStatus(options(), facts, conditions()));
  assert.deepEqual(metadata, {
    name: 'zun-1',
    labels: {
      'example.com/team': 'web',
      'kubernetes.io/hostname': 'zun-1',
      'kubernetes.io/os': 'linux',
      'kubernetes.io/arch': 'amd64',
      'beta.kubernetes.io/os': 'linux',
      'beta.kubernetes.io/arch': 'amd64',
      'node.kubernetes.io/instance-type': 'zun',
      'beta.kubernetes.io/instance-type': 'zun',
      'topology.kubernetes.io/region': 'RegionOne',
      'topology.kubernetes.io/zone': 'nova',
      'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
      type: 'virtual-kubelet',
    },
    annotations: { 'zunlet.io/instance': 'one' },
  });
  assert.deepEqual(spec, {
    providerID: 'zun://RegionOne/zun-1',
    taints: [{ key: 'virtual-kubelet.io/provider', value: 'zun', effect: 'NoSchedule' }],
  });
  assert.deepEqual(status?.addresses, [{ type: 'InternalIP', address: '192.0.2.2' }]);
  assert.deepEqual(status?.daemonEndpoints, { kubeletEndpoint: { Port: 10250 } });
  assert.equal(status?.nodeInfo?.kubeletVersion, 'v1.37.2-zunlet-0.1.0');
  assert.equal(status?.nodeInfo?.containerRuntimeVersion, 'zun://1.40');
  assert.equal(status?.nodeInfo?.kubeProxyVersion, '');
});

test('node: labels of the operator: cannot replace those that others rely on', () => {
  const node = nodeObject(options({ labels: { type: 'worker' } }), 'one', {});
  assert.equal(node.metadata.labels['type'], 'virtual-kubelet');
});

test('node: role label wanted: is there', () => {
  assert.equal(nodeObject(options({ roleLabel: true }), 'one', {}).metadata.labels['kubernetes.io/role'], 'agent');
});

test('node: declared features: sorted', () => {
  const status = nodeStatus(options({ declaredFeatures: ['B', 'A'] }), facts, []);
  assert.deepEqual(status.declaredFeatures, ['A', 'B']);
});

test('conditions: all well: the kubelet order with Ready last', () => {
  assert.deepEqual(
    conditions().map(({ type, status, reason }) => `${type}=${status} ${reason}`),
    [
      'NetworkUnavailable=False RouteCreated',
      'MemoryPressure=False KubeletHasSufficientMemory',
      'DiskPressure=False KubeletHasNoDiskPressure',
      'PIDPressure=False KubeletHasSufficientPID',
      'ZunAPIAvailable=True ZunAnswers',
      'Ready=True KubeletReady',
    ],
  );
});

test('conditions: somebody manages routes: NetworkUnavailable is left alone', () => {
  const types = conditions(conditions()).map(({ type }) => type);
  assert.equal(types.includes('NetworkUnavailable'), false);
});

test('conditions: status stays: the time of transition stays, the heartbeat moves', () => {
  const later = conditions(conditions(), { ok: true }, nowMs + 60_000);
  const ready = later.find(({ type }) => type === 'Ready');
  assert.equal(ready?.lastTransitionTime, '2026-01-01T00:00:00Z');
  assert.equal(ready?.lastHeartbeatTime, '2026-01-01T00:01:00Z');
});

test('conditions: controller set Ready to Unknown: True again from now', () => {
  const unknown = conditions().map((condition) => ({ ...condition, status: 'Unknown' }));
  const ready = conditions(unknown, { ok: true }, nowMs + 60_000).find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.lastTransitionTime], ['True', '2026-01-01T00:01:00Z']);
});

test('conditions: cloud just gone: Ready stays True, the condition of Zun says so', () => {
  const after = conditions([], down(true));
  assert.deepEqual(
    after
      .filter(({ type }) => type === 'Ready' || type === 'ZunAPIAvailable')
      .map(({ status, reason }) => [status, reason]),
    [
      ['False', 'ZunUnreachable'],
      ['True', 'KubeletReady'],
    ],
  );
});

test('conditions: cloud gone for long: Ready is False with the reason', () => {
  const ready = conditions([], down(false)).find(({ type }) => type === 'Ready');
  assert.deepEqual([ready?.status, ready?.reason, ready?.message], ['False', 'ZunUnreachable', 'no route']);
});

test('cloud verdict: out of reach for less and more than the set time: Ready, not Ready', () => {
  const health = { ok: false, sinceMs: 1_000, reason: 'ZunUnreachable', message: 'no route' } as const;
  assert.deepEqual(judgeCloud(health, 60_999, 60_000), down(true));
  assert.deepEqual(judgeCloud(health, 61_000, 60_000), down(false));
});

test('cloud verdict: set time is zero: always Ready', () => {
  const health = { ok: false, sinceMs: 0, reason: 'ZunUnreachable', message: 'no route' } as const;
  assert.deepEqual(judgeCloud(health, 9e9, 0), down(true));
});

test('flips: cloud gone for long: two Events', () => {
  const events = flipEvents('zun-1', conditions(), conditions([], down(false)));
  assert.deepEqual(events, [
    { type: 'Warning', reason: 'ZunAPIUnavailable', message: 'ZunUnreachable: no route' },
    { type: 'Normal', reason: 'NodeNotReady', message: 'Node zun-1 status is now: NodeNotReady' },
  ]);
});

test('flips: nothing changed: none', () => {
  assert.deepEqual(flipEvents('zun-1', conditions(), conditions()), []);
});

test('status patch: nothing but heartbeat times differs: none', () => {
  const later = nodeStatus(options(), facts, conditions(conditions(), { ok: true }, nowMs + 10_000));
  assert.equal(nodeStatusPatch(stored(), later, false), undefined);
});

test('status patch: heartbeat due: the conditions alone, with the uid', () => {
  const wanted = nodeStatus(options(), facts, conditions(conditions()));
  assert.deepEqual(nodeStatusPatch(stored(), wanted, true), {
    metadata: { uid: 'u1' },
    status: { conditions: wanted.conditions },
  });
});

test('status patch: addresses changed: the whole list, marked as a replacement', () => {
  const wanted = nodeStatus(options({ internalIPs: ['192.0.2.2', '2001:db8::2'] }), facts, conditions(conditions()));
  const patch = nodeStatusPatch(stored(), wanted, false);
  assert.deepEqual(patch && 'status' in patch && patch.status, {
    addresses: [
      { type: 'InternalIP', address: '192.0.2.2' },
      { type: 'InternalIP', address: '2001:db8::2' },
      { $patch: 'replace' },
    ],
    conditions: wanted.conditions,
  });
});

test('status patch: server spells quantities its own way: none', () => {
  const node = stored();
  if (node.status) node.status.capacity = { cpu: '4000m', memory: '8388608Ki', pods: '20' };
  assert.equal(nodeStatusPatch(node, nodeStatus(options(), facts, conditions(conditions())), false), undefined);
});

test('status patch: resource of somebody else on the Node: left alone', () => {
  const node = stored();
  if (node.status?.capacity) node.status.capacity['example.com/gpu'] = '2';
  const resources = { capacity: { cpu: '8' }, allocatable: { cpu: '8' } };
  const patch = nodeStatusPatch(node, nodeStatus(options(), { ...facts, resources }, conditions(conditions())), false);
  assert.deepEqual(patch && 'status' in patch && JSON.parse(JSON.stringify(patch.status)).capacity, { cpu: '8' });
});

test('status patch: API server that drops declaredFeatures: no patch without end', () => {
  const wanted = nodeStatus(
    options({ declaredFeatures: ['ExtendWebSocketsToKubelet'] }),
    facts,
    conditions(conditions()),
  );
  assert.equal(nodeStatusPatch(stored(), wanted, false), undefined);
});

test('adoption: Node made by an administrator: labels, annotation and provider id are added, taints stay', () => {
  const node: Node = {
    metadata: { name: 'zun-1', uid: 'u1', labels: { 'kubernetes.io/os': 'linux' } },
    spec: { taints: [] },
  };
  const patch = adoptionPatch(node, options(), 'two');
  assert.deepEqual(patch && 'spec' in patch && patch.spec, { providerID: 'zun://RegionOne/zun-1' });
  assert.equal(JSON.stringify(patch).includes('taint'), false);
  assert.equal(JSON.stringify(patch).includes('example.com/team'), false);
  assert.equal(JSON.stringify(patch).includes('kubernetes.io/os"'), true);
});

test('adoption: own Node of an earlier start by the same instance: nothing to write', () => {
  assert.equal(adoptionPatch(stored(), options(), 'one'), undefined);
});

test('adoption: Node of another provider or runtime: foreign', () => {
  const base = stored();
  assert.equal(isForeign(base), false);
  assert.equal(isForeign({ ...base, spec: { providerID: 'openstack:///9d3c' } }), true);
  const runtime = { ...base.status?.nodeInfo, containerRuntimeVersion: 'containerd://2.1' } as NonNullable<
    NonNullable<Node['status']>['nodeInfo']
  >;
  assert.equal(isForeign({ ...base, spec: {}, status: { nodeInfo: runtime } }), true);
});

const capacity = { cpu: '16', memory: '64Gi', pods: '110', ephemeralStorage: '1Ti', extended: {}, reserved: {} };

test('capacity: nothing reserved: allocatable is all of it, as it was written', () => {
  const made = nodeCapacity(capacity);
  assert.deepEqual(made.allocatable, { cpu: '16', memory: '64Gi', pods: '110', 'ephemeral-storage': '1Ti' });
  assert.deepEqual(made.capacity, made.allocatable);
});

test('capacity: something reserved: exact rest, never below zero', () => {
  const reserved = { cpu: '500m', memory: '1Gi', pods: '200' };
  assert.deepEqual(nodeCapacity({ ...capacity, reserved }).allocatable, {
    cpu: '15500m',
    memory: String(63 * 2 ** 30),
    pods: '0',
    'ephemeral-storage': '1Ti',
  });
});

test('capacity: malformed and negative quantities: problems that name the option', () => {
  const made = nodeCapacity({ ...capacity, cpu: 'lots', extended: { 'example.com/gpu': '-1' } });
  assert.deepEqual(
    made.problems.map(({ path, code }) => [path, code]),
    [
      ['capacity.cpu', 'capacity.malformed'],
      ['capacity.example.com/gpu', 'capacity.negative'],
    ],
  );
  assert.equal('cpu' in made.capacity, false);
});
