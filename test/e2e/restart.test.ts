import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditMark, callName } from './lib/audit.ts';
import { path, startBed } from './lib/bed.ts';
import { pod } from './lib/manifests.ts';
import { isReady, isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';

const podCount = 50;
const { api, cloud, plane, pods, zunlet } = await startBed({ audit: true });

async function uuids(): Promise<string[]> {
  return (await cloud.uuids()).toSorted();
}

/** The calls of zunlet that name one Pod, or an Event of one, since `mark`. */
function callsAboutPods(mark: AuditMark): string[] {
  const calls = plane.audit.since(mark).filter(({ user }) => user.username === zunlet.user);
  const named = calls.flatMap((call) => {
    const { resource, name = '' } = call.objectRef ?? {};
    const isAboutPod = (resource === 'pods' || resource === 'events') && name.startsWith('pod-');
    return isAboutPod ? [`${callName(call)} ${name}`] : [];
  });
  return named.toSorted();
}

/** Waits for two relists and for everything that waits until the settling time after a start is over. */
async function untilSettled(): Promise<void> {
  await until('zun was listed three times', async () => ((await cloud.counts())['capsule.list']?.calls ?? 0) >= 3);
}

async function assertNoCapsuleTouched(before: string[]): Promise<void> {
  assert.deepEqual(await uuids(), before);
  const counts = await cloud.counts();
  assert.equal(counts['capsule.create']?.calls ?? 0, 0);
  assert.equal(counts['capsule.delete']?.calls ?? 0, 0);
}

test('restart: 50 Pods run, zunlet is stopped and started: no capsule, no Pod and no readiness changes, and no call is made for any Pod', async () => {
  const names = Array.from({ length: podCount }, (_, index) => `pod-${index}`);
  await Promise.all(names.map((name) => api.post(path.pods, pod(name))));
  await pods.until('all Pods run', () => pods.all().filter(isRunning).length === podCount, 60_000);
  const before = await uuids();
  assert.equal(before.length, podCount);

  await zunlet.stop();
  const changes = pods.changes.length;
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  await zunlet.start();
  await untilSettled();
  await assertNoCapsuleTouched(before);
  assert.deepEqual(callsAboutPods(mark), []);
  assert.deepEqual(pods.changes.slice(changes), []);
});

test('restart: 50 Pods run, zunlet is killed and started: no capsule changes, every Pod stays Running, and is written once at most', async () => {
  const before = await uuids();
  await zunlet.kill();
  const changes = pods.changes.length;
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  // The dead process still holds the node's Lease. Until it has run out, the node controller may call the Pods not ready.
  await zunlet.start();
  await untilSettled();
  await assertNoCapsuleTouched(before);
  const calls = callsAboutPods(mark);
  assert.equal(new Set(calls).size, calls.length, calls.join('\n'));
  assert.ok(
    calls.every((call) => call.startsWith('patch pods/status ')),
    calls.join('\n'),
  );
  assert.ok(pods.changes.slice(changes).every((change) => change.pod.status?.phase === 'Running'));
  await pods.until('all Pods are ready', () => pods.all().filter(isReady).length === podCount);
});

test('restart: a Pod made and a Pod deleted while zunlet was away: both are done when it is back', async () => {
  const [gone] = pods.all();
  assert.ok(gone);
  await zunlet.kill();
  await api.delete(`${path.pods}/${gone.metadata.name}`);
  await api.post(path.pods, pod('made-meanwhile', { nodeName: zunlet.nodeName }));
  await zunlet.start();
  await pods.until('the new Pod runs', () => isRunning(pods.get('made-meanwhile')));
  await pods.until('the old Pod is gone', () => !pods.get(gone.metadata.name));
  assert.deepEqual(await cloud.capsulesOf(gone.metadata.uid), []);
  assert.deepEqual(await cloud.doubles(), []);
});
