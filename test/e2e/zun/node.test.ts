import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { path } from '../lib/bed.ts';
import { startControlPlane } from '../lib/control-plane.ts';
import { createKubectl } from '../lib/kubectl.ts';
import { asContainer, deployment, job, pod } from '../lib/manifests.ts';
import { isRunning, observePods } from '../lib/observe.ts';
import { until } from '../lib/processes.ts';
import { startZunlet } from '../lib/zunlet.ts';
import { createJudge } from './judge.ts';
import { startRealZun } from './start.ts';

// Tokens live for less than the whole run, so that several expire in the middle of it.
const [plane, zun] = await Promise.all([startControlPlane(), startRealZun({ tokenSeconds: 25 })]);
const flags = { settle: '3s', relist: '5s', live: '1s' };
const zunlet = await startZunlet({ plane, cloud: zun.env, nodeName: 'zun-node', flags });
const pods = await observePods(plane.api);
const judge = createJudge(zun);
const kubectl = createKubectl(plane.kubeconfig);
after(async () => {
  await pods.stop();
  await zunlet.stop();
  await Promise.all([plane.stop(), zun.stop()]);
});

function running(app: string) {
  return pods.all().filter((one) => one.metadata.labels?.['app'] === app && isRunning(one));
}

test('real zun: a Pod: becomes a capsule that python-zunclient lists and describes, with the address that Zun gave', async () => {
  await plane.api.post(path.pods, pod('one', { env: [{ name: 'COLOUR', value: 'blue' }] }));
  const one = await pods.until('one runs', () => isRunning(pods.get('one')) && pods.get('one'), 60_000);
  const [capsule, ...more] = (await judge.capsules()).filter(
    ({ labels }) => labels['zunlet.io/uid'] === one.metadata.uid,
  );
  assert.ok(capsule);
  assert.equal(more.length, 0);
  assert.equal(capsule.status, 'Running');
  const addresses = Object.values(capsule.addresses).flat();
  assert.ok(addresses.some(({ addr }) => addr === one.status?.podIP));
  assert.match(await judge.describe(capsule.uuid), /Running/);
});

test('real zun: a Deployment scaled and deleted: capsules and ports follow', async () => {
  await plane.api.post(path.deployments, deployment('web', 3));
  await pods.until('three Pods run', () => running('web').length === 3, 90_000);
  await kubectl('scale', 'deployment/web', '--replicas=1');
  await until('two capsules are left', async () => (await judge.capsules()).length === 2, {
    limitMs: 90_000,
    everyMs: 500,
  });
  await kubectl('delete', 'deployment/web');
  await until('one port is left', async () => (await judge.ports()) === 1, { limitMs: 90_000, everyMs: 500 });
});

test('real zun: a Job as a standalone container: its exit code arrives', async () => {
  const env = [
    { name: 'PEER_EXIT', value: '0' },
    { name: 'PEER_EXIT_AFTER', value: '1' },
  ];
  await plane.api.post(path.jobs, job('batch', { env, annotations: asContainer }));
  await kubectl('wait', '--for=condition=Complete', 'job/batch', '--timeout=60s');
  const ended = pods.all().find((one) => one.metadata.labels?.['app'] === 'batch');
  assert.equal(ended?.status?.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
  await kubectl('delete', 'job/batch');
});

test('real zun: an image that cannot be pulled: the Pod says so and does not run', async () => {
  await plane.api.post(path.pods, pod('no-image', { image: 'nope/nope:1' }));
  const why = () => {
    const status = pods.get('no-image')?.status;
    return status?.containerStatuses?.[0]?.state?.waiting?.message ?? status?.message;
  };
  await pods.until('no-image says why', why, 60_000);
  assert.notEqual(pods.get('no-image')?.status?.phase, 'Running');
  await plane.api.delete(`${path.pods}/no-image`);
  await pods.until('no-image is gone', () => !pods.get('no-image'), 60_000);
});

test('real zun: zunlet killed and back: the same capsule, nothing made or removed', async () => {
  const before = (await judge.capsules()).map(({ uuid }) => uuid);
  await zunlet.kill();
  await zunlet.start();
  await plane.api.post(path.pods, pod('two'));
  await pods.until('two runs', () => isRunning(pods.get('two')), 60_000);
  const afterwards = (await judge.capsules()).map(({ uuid }) => uuid);
  assert.ok(before.every((uuid) => afterwards.includes(uuid)));
  assert.equal(afterwards.length, before.length + 1);
});

test('real zun: zun-api killed and back: a Pod made meanwhile runs, once', async () => {
  const startAgain = await zun.stopApi();
  await plane.api.post(path.pods, pod('three', { nodeName: zunlet.nodeName }));
  await pods.until('three was seen by zunlet', () => pods.get('three')?.status?.phase === 'Pending');
  await startAgain();
  const three = await pods.until('three runs', () => isRunning(pods.get('three')) && pods.get('three'), 90_000);
  const made = (await judge.capsules()).filter(({ labels }) => labels['zunlet.io/uid'] === three.metadata.uid);
  assert.equal(made.length, 1);
});

test('real zun: all Pods deleted: no capsule is left, and no port but the one that Zun forgets', async () => {
  await plane.api.delete(path.pods);
  await pods.until('all Pods are gone', () => pods.count() === 0, 90_000);
  assert.deepEqual(await judge.capsules(), []);
  // Zun forgets the sandbox and the port of a capsule whose image could not be pulled: it clears the capsule's host, and a
  // deletion then removes database rows only (zun/compute/manager.py, `_fail_container`).
  await until('one port is left', async () => (await judge.ports()) === 1);
});

test('real zun: many tokens expired since the start: no run was refused by an expired token', () => {
  const refused = zunlet.logs().filter(({ code }) => code === 'keystone.unauthorized' || code === 'zun.unauthorized');
  assert.deepEqual(refused, []);
});
