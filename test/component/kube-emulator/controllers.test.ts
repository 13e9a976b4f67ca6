import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { type Client, createClient, nodeBody, podBody, type Seen } from './client.ts';

const core = '/api/v1/namespaces/default';
const pods = `${core}/pods`;
const taint = { key: 'virtual-kubelet.io/provider', value: 'zun', effect: 'NoSchedule' };
const toleration = { key: taint.key, operator: 'Exists' };
const template = (labels: object, spec: object = {}) => ({
  metadata: { labels },
  spec: { tolerations: [toleration], containers: [{ name: 'a', image: 'i:1' }], ...spec },
});

let emulator: KubeEmulator;
let client: Client;

before(async () => {
  emulator = await createKubeEmulator();
  client = createClient(emulator.url);
  await client.post('/api/v1/nodes', nodeBody('n', { taints: [taint], labels: { zone: 'a' } }));
});
after(async () => {
  await client.close();
  await emulator.close();
});
afterEach(async () => {
  for (const path of ['/apis/apps/v1/namespaces/default/deployments', '/apis/batch/v1/namespaces/default/jobs'])
    await client.delete(path);
  await client.delete(`${pods}?gracePeriodSeconds=0`);
  await settled();
});

/** Lets the controllers do what they have to. */
async function settled(): Promise<void> {
  let version = -1;
  while (version !== emulator.store.version()) {
    version = emulator.store.version();
    for (let turn = 0; turn < 5; turn++) await new Promise((done) => setImmediate(done));
  }
}

const list = async (path: string): Promise<Seen[]> => (await client.get(path)).body.items;
const read = async (path: string): Promise<Seen> => (await client.get(path)).body;

async function finish(name: string, phase: 'Succeeded' | 'Failed' | 'Running'): Promise<void> {
  const ready = { type: 'Ready', status: phase === 'Running' ? 'True' : 'False' };
  await client.patch(`${pods}/${name}/status`, { status: { phase, conditions: [ready] } });
  await settled();
}

test('scheduler: a node that fits: bound, with condition and Event', async () => {
  await client.post(
    pods,
    podBody('fits', { nodeName: undefined, tolerations: [toleration], nodeSelector: { zone: 'a' } }),
  );
  await settled();
  const pod = await read(`${pods}/fits`);
  assert.equal(pod.spec.nodeName, 'n');
  assert.equal(pod.status.conditions[0]?.status, 'True');
  const [event] = await list(`${core}/events?fieldSelector=involvedObject.uid=${pod.metadata.uid}`);
  assert.deepEqual([event?.reason, event?.message], ['Scheduled', 'Successfully assigned default/fits to n']);
});

test('scheduler: taint, selector, size: pending with the reason, until there is room', async () => {
  const why = async (name: string) => (await read(`${pods}/${name}`)).status.conditions[0]?.message ?? '';
  await client.post(pods, podBody('taint', { nodeName: undefined }));
  await client.post(
    pods,
    podBody('selector', { nodeName: undefined, tolerations: [toleration], nodeSelector: { zone: 'b' } }),
  );
  const large = { name: 'a', image: 'i', resources: { requests: { cpu: '3' } } };
  await client.post(pods, podBody('first', { nodeName: undefined, tolerations: [toleration], containers: [large] }));
  await settled();
  await client.post(pods, podBody('second', { nodeName: undefined, tolerations: [toleration], containers: [large] }));
  await settled();
  assert.match(
    await why('taint'),
    /^0\/1 nodes are available: 1 node\(s\) had untolerated taint \{virtual-kubelet\.io\/provider: zun\}/,
  );
  assert.match(await why('selector'), /1 node\(s\) didn't match Pod's node affinity\/selector/);
  assert.match(await why('second'), /Insufficient cpu/);
  await finish('first', 'Succeeded');
  assert.equal((await read(`${pods}/second`)).spec.nodeName, 'n');
});

test('deployment: rolled out, scaled, changed, deleted: Pods follow', async () => {
  const path = '/apis/apps/v1/namespaces/default/deployments';
  const labels = { app: 'web' };
  await client.post(path, {
    metadata: { name: 'web' },
    spec: { replicas: 2, selector: { matchLabels: labels }, template: template(labels) },
  });
  await settled();
  const first = await list(`${pods}?labelSelector=app=web`);
  assert.equal(first.length, 2);
  for (const pod of first) await finish(pod.metadata.name, 'Running');
  assert.equal((await read(`${path}/web`)).status.availableReplicas, 2);
  const next = template(labels, { containers: [{ name: 'a', image: 'i:2' }] });
  await client.patch(`${path}/web`, { spec: { template: next } });
  await settled();
  const during = await list(`${pods}?labelSelector=app=web`);
  assert.equal(during.filter((pod) => pod.metadata.deletionTimestamp === undefined).length, 3, 'one more, none less');
  const fresh = during.find((pod) => pod.spec.containers[0]?.image === 'i:2');
  await finish(fresh?.metadata.name ?? '', 'Running');
  const going = (await list(`${pods}?labelSelector=app=web`)).filter((pod) => pod.metadata.deletionTimestamp);
  assert.equal(going.length, 1);
  await client.delete(`${path}/web`);
  await settled();
  const left = await list(`${pods}?labelSelector=app=web`);
  assert.ok(
    left.every((pod) => pod.metadata.deletionTimestamp),
    'all are going',
  );
});

test('job: one failure, then success: counted, finalizers gone, complete', async () => {
  const path = '/apis/batch/v1/namespaces/default/jobs';
  await client.post(path, { metadata: { name: 'once' }, spec: { template: template({}, { restartPolicy: 'Never' }) } });
  await settled();
  const [pod] = await list(`${pods}?labelSelector=job-name=once`);
  assert.deepEqual(pod?.metadata.finalizers, ['batch.kubernetes.io/job-tracking']);
  await finish(pod?.metadata.name ?? '', 'Failed');
  assert.equal((await read(`${path}/once`)).status.failed, 1);
  assert.equal((await list(`${pods}?labelSelector=job-name=once`)).length, 1, 'the next try waits');
  await emulator.control.advance(11_000);
  await settled();
  const next = (await list(`${pods}?labelSelector=job-name=once`)).find((one) => one.status.phase === 'Pending');
  await finish(next?.metadata.name ?? '', 'Succeeded');
  const job = await read(`${path}/once`);
  assert.deepEqual([job.status.succeeded, job.status.conditions.at(-1)?.type], [1, 'Complete']);
  const after = await list(`${pods}?labelSelector=job-name=once`);
  assert.ok(after.every((one) => one.metadata.finalizers === undefined));
});

test('job: indexed with two at a time: every index once', async () => {
  const path = '/apis/batch/v1/namespaces/default/jobs';
  const spec = {
    completions: 3,
    parallelism: 2,
    completionMode: 'Indexed',
    template: template({}, { restartPolicy: 'Never' }),
  };
  await client.post(path, { metadata: { name: 'many' }, spec });
  await settled();
  const indexes = async () => {
    const all = await list(`${pods}?labelSelector=job-name=many`);
    return all
      .map((pod) => pod.metadata.labels?.['batch.kubernetes.io/job-completion-index'] ?? '')
      .sort((a, b) => a.localeCompare(b));
  };
  assert.deepEqual(await indexes(), ['0', '1']);
  const [first] = await list(`${pods}?labelSelector=job-name=many`);
  await finish(first?.metadata.name ?? '', 'Succeeded');
  assert.deepEqual(await indexes(), ['0', '1', '2']);
});

test('namespace: deleted with content: emptied, then gone', async () => {
  await client.post('/api/v1/namespaces', { metadata: { name: 'brief' } });
  await client.post('/api/v1/namespaces/brief/pods', podBody('p'));
  await client.delete('/api/v1/namespaces/brief');
  await settled();
  assert.equal((await read('/api/v1/namespaces/brief')).status.phase, 'Terminating');
  assert.equal((await client.post('/api/v1/namespaces/brief/configmaps', { metadata: { name: 'late' } })).status, 403);
  await client.delete('/api/v1/namespaces/brief/pods/p', { gracePeriodSeconds: 0 });
  await settled();
  assert.equal((await client.get('/api/v1/namespaces/brief')).status, 404);
});

test('garbage: an owner that never was or is gone: the dependent goes; orphaned ones stay', async () => {
  const owned = (name: string, uid: string) => ({
    metadata: { name, ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid }] },
  });
  const owner = (await client.post(`${core}/configmaps`, { metadata: { name: 'owner' } })).body;
  await client.post(`${core}/configmaps`, owned('child', owner.metadata.uid));
  await client.post(`${core}/configmaps`, owned('stray', '00000000-0000-0000-0000-000000000000'));
  await settled();
  assert.deepEqual(
    [(await client.get(`${core}/configmaps/child`)).status, (await client.get(`${core}/configmaps/stray`)).status],
    [200, 404],
  );
  await client.delete(`${core}/configmaps/owner`, { propagationPolicy: 'Orphan' });
  await settled();
  const child = await read(`${core}/configmaps/child`);
  assert.equal(child.metadata.ownerReferences, undefined);
});

test('node: silent for a minute: Unknown, tainted, its Pods not ready; heard again: as before', async () => {
  await client.post('/api/v1/nodes', nodeBody('quiet'));
  await client.post(pods, podBody('there', { nodeName: 'quiet' }));
  await finish('there', 'Running');
  await settled();
  assert.equal((await read('/api/v1/nodes/quiet')).spec.taints, undefined);
  await emulator.control.advance(70_000);
  await settled();
  const lost = await read('/api/v1/nodes/quiet');
  assert.deepEqual(
    lost.spec.taints?.map(({ effect }) => effect).sort((a, b) => a.localeCompare(b)),
    ['NoExecute', 'NoSchedule'],
  );
  assert.equal(lost.status.conditions.find((one) => one.type === 'Ready')?.status, 'Unknown');
  const pod = await read(`${pods}/there`);
  assert.equal(pod.status.conditions.find((one) => one.type === 'Ready')?.status, 'False');
  await client.patch('/api/v1/nodes/quiet/status', {
    status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: '2026-02-01T00:00:00Z' }] },
  });
  await settled();
  assert.equal((await read('/api/v1/nodes/quiet')).spec.taints, undefined);
});

test('node: deleted: its Pods are failed and removed after the quarantine', async () => {
  await client.post('/api/v1/nodes', nodeBody('short'));
  await client.post(pods, podBody('left', { nodeName: 'short' }));
  const watch = await client.watch(`${pods}?watch=1&fieldSelector=metadata.name=left`);
  await client.delete('/api/v1/nodes/short');
  await emulator.control.advance(60_000);
  const lines = await watch.count(4);
  watch.close();
  assert.deepEqual(
    lines.map(({ type, object }) => [type, object.status.phase]),
    [
      ['ADDED', 'Pending'],
      ['MODIFIED', 'Failed'],
      ['MODIFIED', 'Failed'],
      ['DELETED', 'Failed'],
    ],
  );
});

test('volumes: a claim and a volume that fits: bound to each other', async () => {
  const size = { storage: '1Gi' };
  await client.post('/api/v1/persistentvolumes', {
    metadata: { name: 'v' },
    spec: {
      capacity: size,
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'cinder.csi.openstack.org', volumeHandle: 'u' },
    },
  });
  await client.post(`${core}/persistentvolumeclaims`, {
    metadata: { name: 'c' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: size }, storageClassName: '' },
  });
  await settled();
  assert.deepEqual((await read(`${core}/persistentvolumeclaims/c`)).status, {
    phase: 'Bound',
    capacity: size,
    accessModes: ['ReadWriteOnce'],
  });
  assert.equal((await read('/api/v1/persistentvolumes/v')).spec.claimRef?.name, 'c');
});

test('events: an hour after the last write: gone', async () => {
  const body = { involvedObject: { namespace: 'default', name: 'x' }, reason: 'R', message: 'm', type: 'Normal' };
  await client.post(`${core}/events`, { metadata: { name: 'old' }, ...body });
  await emulator.control.advance(1_800_000);
  assert.equal((await client.get(`${core}/events/old`)).status, 200);
  await emulator.control.advance(1_900_000);
  assert.equal((await client.get(`${core}/events/old`)).status, 404);
});
