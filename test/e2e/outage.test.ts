import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Lease, Node } from '../../src/kube/types.ts';
import { path, startBed } from './lib/bed.ts';
import { pod } from './lib/manifests.ts';
import { isReady, isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';
import { isNodeReady } from './lib/zunlet.ts';

const { api, cloud, plane, pods, zunlet } = await startBed({ flags: { 'cloud-down-after': '5s' } });
const nodePath = `/api/v1/nodes/${zunlet.nodeName}`;
const leasePath = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${zunlet.nodeName}`;

async function nodeSaysReady(): Promise<boolean> {
  return isNodeReady(await api.find<Node>(nodePath));
}

async function start(name: string): Promise<void> {
  await api.post(path.pods, pod(name));
  await pods.until(`${name} runs`, () => isRunning(pods.get(name)));
}

test('lease: deleted by hand: comes back, owned by the Node, and the Node stays ready', async () => {
  await start('steady');
  await api.delete(leasePath);
  const lease = await until('the lease is back', () => api.find<Lease>(leasePath));
  assert.equal(lease.spec?.holderIdentity, zunlet.nodeName);
  assert.equal(lease.metadata.ownerReferences?.[0]?.name, zunlet.nodeName);
  assert.ok(await nodeSaysReady());
});

test('node: deleted by hand: is registered again and its Pods run on', async () => {
  const steady = pods.get('steady');
  await api.delete(nodePath);
  await until('the node is back and ready', nodeSaysReady);
  await start('after-node');
  assert.equal(pods.get('steady')?.metadata.uid, steady?.metadata.uid);
});

test('zun: out of reach and back: the Node says so, Pods that ran stay as they were, Pods made meanwhile start after', async (t) => {
  const changes = pods.changes.length;
  t.after(() => cloud.up());
  await cloud.down();
  await api.post(path.pods, pod('during-outage', { nodeName: zunlet.nodeName }));
  const node = await until('the node is not ready', async () => {
    const seen = await api.get<Node>(nodePath);
    return !isNodeReady(seen) && seen;
  });
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready');
  assert.match(`${ready?.reason}: ${ready?.message}`, /zun/i);
  assert.equal(pods.get('during-outage')?.status?.phase, 'Pending');
  await cloud.up();
  await until('the node is ready again', nodeSaysReady);
  await pods.until('during-outage runs', () => isRunning(pods.get('during-outage')));
  const touched = pods.changes.slice(changes).filter((change) => change.pod.metadata.name === 'steady');
  // The node controller may mark Pods of a Node that is not ready; zunlet itself must not take a phase or a container back.
  assert.ok(touched.every((change) => change.pod.status?.phase === 'Running'));
  await pods.until('steady is ready', () => isReady(pods.get('steady')));
  assert.deepEqual(await cloud.doubles(), []);
});

test('api server: killed and back with its history compacted: nothing is lost or made twice', async () => {
  await plane.stopApiServer().then(async (startAgain) => {
    await plane.compactEtcd();
    await startAgain();
  });
  await start('after-restart');
  const steady = pods.get('steady');
  assert.ok(steady);
  assert.equal((await cloud.capsulesOf(steady.metadata.uid)).length, 1);
  assert.deepEqual(await cloud.doubles(), []);
});
