import assert from 'node:assert/strict';
import { test } from 'node:test';
import { callName } from './lib/audit.ts';
import { path, startBed } from './lib/bed.ts';
import { pod } from './lib/manifests.ts';
import { isReady, isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';

const podCount = 50;
const { api, cloud, plane, pods, zunlet } = await startBed({ audit: true });

async function uuids(): Promise<string[]> {
  return (await cloud.uuids()).toSorted();
}

/** The calls of zunlet that name one Pod, or change any. */
function callsAboutPods(since: ReturnType<typeof plane.audit.mark>): string[] {
  const events = plane.audit.since(since).filter(({ user }) => user.username === zunlet.user);
  return events
    .filter(({ objectRef }) => objectRef?.resource === 'pods' || objectRef?.resource === 'events')
    .filter(({ verb, objectRef }) => !((verb === 'list' || verb === 'watch') && objectRef?.name === undefined))
    .map((event) => `${callName(event)} ${event.objectRef?.name}`);
}

test('restart: 50 Pods run: no capsule is made or removed, no Pod stops being ready, no call is made for any of them', async (t) => {
  const names = Array.from({ length: podCount }, (_, index) => `pod-${index}`);
  await Promise.all(names.map((name) => api.post(path.pods, pod(name))));
  await pods.until('all Pods run', () => pods.all().filter(isRunning).length === podCount, 60_000);
  // A Pod's last words, its Events, are sent a moment after its status.
  await until('the Events are out', () => plane.audit.since(0 as never).filter(isStartedEvent).length >= podCount);
  const before = await uuids();
  assert.equal(before.length, podCount);

  for (const [how, end] of [
    ['stopped', () => zunlet.stop()],
    ['killed', () => zunlet.kill()],
  ] as const) {
    await t.test(how, async () => {
      const changes = pods.changes.length;
      await cloud.resetCounts();
      await end();
      const mark = plane.audit.mark();
      await zunlet.start();
      // Long enough for two relists and for everything that waits until the settling time is over.
      await until('zun was listed three times', async () => ((await cloud.counts())['capsule.list']?.calls ?? 0) >= 3);
      assert.deepEqual(await uuids(), before);
      assert.deepEqual(callsAboutPods(mark), []);
      const flips = pods.changes.slice(changes).filter((change) => !isReady(change.pod));
      assert.deepEqual(
        flips.map((change) => change.pod.metadata.name),
        [],
      );
      const counts = await cloud.counts();
      assert.equal(counts['capsule.create']?.calls ?? 0, 0);
      assert.equal(counts['capsule.delete']?.calls ?? 0, 0);
    });
  }
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

function isStartedEvent({ verb, objectRef, user }: ReturnType<typeof plane.audit.since>[number]): boolean {
  return user.username === zunlet.user && objectRef?.resource === 'events' && verb !== 'list';
}
