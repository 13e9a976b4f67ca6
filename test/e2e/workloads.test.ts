import assert from 'node:assert/strict';
import { test } from 'node:test';
import { path, startBed } from './lib/bed.ts';
import { asContainer, deployment, job, statefulSet } from './lib/manifests.ts';
import { isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';

const { api, cloud, kubectl, pods } = await startBed();

function running(app: string) {
  return pods.all().filter((pod) => pod.metadata.labels?.['app'] === app && isRunning(pod));
}

function present(app: string) {
  return pods.all().filter((pod) => pod.metadata.labels?.['app'] === app);
}

test('deployment: scaled up, down and rolled: the Pods and their capsules follow', async (t) => {
  await t.test('up', async () => {
    await api.post(path.deployments, deployment('web', 2));
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=60s');
    await kubectl('scale', 'deployment/web', '--replicas=6');
    await pods.until('six Pods run', () => running('web').length === 6);
    assert.equal(await cloud.livePods(), 6);
  });
  await t.test('down', async () => {
    await kubectl('scale', 'deployment/web', '--replicas=3');
    await pods.until('three Pods are left', () => present('web').length === 3);
    await until('three capsules are left', async () => (await cloud.livePods()) === 3);
  });
  await t.test('rolled', async () => {
    const before = new Set(present('web').map((pod) => pod.metadata.uid));
    await kubectl('set', 'image', 'deployment/web', 'main=nginx:1.28');
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s');
    await pods.until('only new Pods are left', () => present('web').every((pod) => !before.has(pod.metadata.uid)));
    assert.equal(running('web').length, 3);
    await until('only new capsules are left', async () => (await cloud.livePods()) === 3);
    await kubectl('delete', 'deployment/web', '--wait=true', '--cascade=foreground');
    await until('no capsule is left', async () => (await cloud.livePods()) === 0);
  });
});

test('job: its process ends with 0: the Job is Complete and the Pod Succeeded with the exit code', async () => {
  await api.post(path.jobs, job('batch', { command: ['sleep', '1'], annotations: asContainer }));
  await kubectl('wait', '--for=condition=Complete', 'job/batch', '--timeout=60s');
  const [ended] = present('batch');
  assert.equal(ended?.status?.phase, 'Succeeded');
  assert.equal(ended.status.containerStatuses?.[0]?.state?.terminated?.exitCode, 0);
});

test('job: its process ends with 3: the Job is Failed and the Pod says 3', async () => {
  await api.post(path.jobs, job('broken', { command: ['exit', '3'], annotations: asContainer }));
  await kubectl('wait', '--for=condition=Failed', 'job/broken', '--timeout=60s');
  const [ended] = present('broken');
  assert.equal(ended?.status?.phase, 'Failed');
  assert.equal(ended.status.containerStatuses?.[0]?.state?.terminated?.exitCode, 3);
});

test('statefulset: a Pod deleted: comes back under its name with another capsule, and never two at once', async () => {
  await api.post(path.statefulSets, statefulSet('db', 2));
  await pods.until('both Pods run', () => running('db').length === 2);
  const first = pods.get('db-0');
  assert.ok(first);
  await kubectl('delete', 'pod', 'db-0', '--wait=false');
  const second = await pods.until('db-0 runs again', () => {
    const now = pods.get('db-0');
    return now?.metadata.uid !== first.metadata.uid && isRunning(now) && now;
  });
  await until('the old capsule is gone', async () => (await cloud.capsulesOf(first.metadata.uid)).length === 0);
  assert.equal((await cloud.capsulesOf(second.metadata.uid)).length, 1);
  assert.deepEqual(await cloud.doubles(), []);
});
