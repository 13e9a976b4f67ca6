import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeEvent, Pod } from '../../src/kube/types.ts';
import { path, startBed } from './lib/bed.ts';
import { pod } from './lib/manifests.ts';
import { isReady, isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';

const { api, cloud, kubectl, pods, zunlet } = await startBed();

function containerIds(subject: Pod | undefined): string[] {
  return (subject?.status?.containerStatuses ?? []).map(({ containerID }) => containerID ?? '');
}

test('pod: applied by kubectl and bound by the scheduler: becomes one capsule and is Running', async () => {
  await api.post(path.pods, pod('bare'));
  const bare = await pods.until('bare runs', () => isRunning(pods.get('bare')) && pods.get('bare'));
  assert.equal(bare.spec.nodeName, zunlet.nodeName);
  const [capsule, ...more] = await cloud.capsulesOf(bare.metadata.uid);
  assert.equal(more.length, 0);
  assert.deepEqual(containerIds(bare), [`zun://${capsule?.containers[0]?.uuid ?? capsule?.uuid}`]);
  assert.match(bare.status?.podIP ?? '', /^\d+\.\d+\.\d+\.\d+$/);
  assert.match(await kubectl('get', 'pod', 'bare', '--output=wide'), /bare\s+1\/1\s+Running\s+0\s+.*zun-node/);
});

test('pod: deleted: its capsule goes first, then the object, with a terminal phase in between', async () => {
  const bare = pods.get('bare');
  assert.ok(bare);
  await kubectl('delete', 'pod', 'bare', '--wait=false');
  await pods.until('bare is gone', () => !pods.get('bare'));
  assert.deepEqual(await cloud.capsulesOf(bare.metadata.uid), []);
  const last = pods.changes.filter(({ pod: changed }) => changed.metadata.uid === bare.metadata.uid).at(-1);
  assert.equal(last?.type, 'DELETED');
  assert.ok(['Succeeded', 'Failed'].includes(last.pod.status?.phase ?? ''), last.pod.status?.phase);
});

test('pod: refers to a Secret that is missing: waits with the kubelet reason, and starts when the Secret is made', async () => {
  const env = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'later', key: 'password' } } }];
  await api.post(path.pods, pod('needs-secret', { env }));
  const waiting = await pods.until('needs-secret waits', () => {
    const state = pods.get('needs-secret')?.status?.containerStatuses?.[0]?.state?.waiting;
    return state?.reason === 'CreateContainerConfigError' && state;
  });
  assert.match(waiting.message ?? '', /later/);
  await api.post(path.secrets, { metadata: { name: 'later' }, stringData: { password: 'swordfish' } });
  const running = await pods.until(
    'needs-secret runs',
    () => isRunning(pods.get('needs-secret')) && pods.get('needs-secret'),
  );
  const [capsule] = await cloud.capsulesOf(running.metadata.uid);
  assert.equal(capsule?.containers[0]?.environment['PASSWORD'], 'swordfish');
});

test('pod: deleted with force: the capsule goes although the object went at once', async () => {
  await api.post(path.pods, pod('forced'));
  const forced = await pods.until('forced runs', () => isRunning(pods.get('forced')) && pods.get('forced'));
  await kubectl('delete', 'pod', 'forced', '--force', '--grace-period=0');
  await until('the capsule of forced is gone', async () => (await cloud.capsulesOf(forced.metadata.uid)).length === 0);
});

test('pod: recreated under its name while the old capsule still goes: each object has its own capsule', async () => {
  await api.post(path.pods, pod('again'));
  const first = await pods.until('again runs', () => isRunning(pods.get('again')) && pods.get('again'));
  await kubectl('delete', 'pod', 'again', '--force', '--grace-period=0');
  await api.post(path.pods, pod('again'));
  const second = await pods.until('the second again runs', () => {
    const now = pods.get('again');
    return now?.metadata.uid !== first.metadata.uid && isRunning(now) && now;
  });
  await until('the first capsule is gone', async () => (await cloud.capsulesOf(first.metadata.uid)).length === 0);
  assert.equal((await cloud.capsulesOf(second.metadata.uid)).length, 1);
});

test('pod: has a field that no capsule can honour: Failed with a reason that names the field, and no capsule', async () => {
  await api.post(path.pods, pod('impossible', { spec: { hostNetwork: true } }));
  const impossible = await pods.until(
    'impossible is rejected',
    () => pods.get('impossible')?.status?.phase === 'Failed' && pods.get('impossible'),
  );
  assert.match(impossible.status?.message ?? '', /hostNetwork/);
  assert.equal(isReady(impossible), false);
  assert.deepEqual(await cloud.capsulesOf(impossible.metadata.uid), []);
  const { items } = await api.get<{ items: KubeEvent[] }>(path.events);
  const about = items.filter(({ involvedObject }) => involvedObject.name === 'impossible');
  assert.ok(about.some(({ type, message }) => type === 'Warning' && message?.includes('hostNetwork')));
});

test('pod: all of the above: no Pod ever had two capsules', async () => {
  assert.deepEqual(await cloud.doubles(), []);
});
