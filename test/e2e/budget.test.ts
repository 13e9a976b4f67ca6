import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type AuditEvent, type AuditMark, callName, countCalls } from './lib/audit.ts';
import { path, startBed } from './lib/bed.ts';
import { pod } from './lib/manifests.ts';
import { isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';
import { untilWatching } from './lib/zunlet.ts';

const podCount = 200;
const { api, cloud, plane, pods, zunlet } = await startBed({
  audit: true,
  flags: { relist: '20s', settle: '60s', pods: '1000' },
});

function zunletCalls(since: AuditMark): AuditEvent[] {
  return plane.audit.since(since).filter(({ user }) => user.username === zunlet.user);
}

/** Calls of zunlet about Pods and Events, by Pod and by name. An Event's name begins with its Pod's. */
function callsByPod(since: AuditMark): Map<string, Record<string, number>> {
  const byPod = new Map<string, AuditEvent[]>();
  for (const event of zunletCalls(since)) {
    const { resource, name } = event.objectRef ?? {};
    if ((resource !== 'pods' && resource !== 'events') || !name) continue;
    const podName = name.split('.')[0] ?? name;
    // The Node has Events, too: a missing service account token is named there, once.
    if (podName === zunlet.nodeName) continue;
    byPod.set(podName, [...(byPod.get(podName) ?? []), event]);
  }
  return new Map([...byPod].map(([name, events]) => [name, countCalls(events)]));
}

function total(counts: Record<string, number>, match: RegExp): number {
  return Object.entries(counts).reduce((sum, [name, count]) => sum + (match.test(name) ? count : 0), 0);
}

test('budget: 200 Pods start at once: two status writes and one Event a Pod, one POST and at most two reads of Zun', async (t) => {
  await untilWatching(plane, zunlet);
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  const names = Array.from({ length: podCount }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map((name) => api.post(path.pods, pod(name, { nodeName: zunlet.nodeName, command: ['nginx'] }))),
  );
  await pods.until('all Pods run', () => pods.all().filter(isRunning).length === podCount, 60_000);
  await until('every Pod has its Event', () =>
    [...callsByPod(mark).values()].every((calls) => total(calls, / events/) >= 1),
  );

  const calls = callsByPod(mark);
  assert.equal(calls.size, podCount);
  for (const [name, counts] of calls) {
    assert.ok(total(counts, /pods\/status/) <= 2, `${name}: ${JSON.stringify(counts)}`);
    assert.ok(total(counts, / events/) <= 1, `${name}: ${JSON.stringify(counts)}`);
    assert.equal(total(counts, /^(get|list) pods/), 0, `${name}: ${JSON.stringify(counts)}`);
  }
  const counts = await cloud.counts();
  assert.equal(counts['capsule.create']?.calls, podCount);
  const gets = counts['capsule.get']?.calls ?? 0;
  const lists = counts['capsule.list']?.calls ?? 0;
  t.diagnostic(`reads of Zun: ${gets} gets and ${lists} list pages for ${podCount} Pods`);
  assert.ok(gets / podCount + lists / podCount <= 2, JSON.stringify(counts));
});

test('budget: all Pods run and nothing happens: Zun is listed once a period and no Pod is read or written', async () => {
  await until('what was under way has settled', async () => {
    await cloud.resetCounts();
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    return Object.keys(await cloud.counts()).length === 0;
  });
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  const periods = 2;
  await until('two periods have passed', async () => ((await cloud.counts())['capsule.list']?.calls ?? 0) >= periods, {
    limitMs: 180_000,
  });
  assert.equal((await cloud.counts())['capsule.get']?.calls ?? 0, 0);
  assert.deepEqual([...callsByPod(mark)], []);
});

test('budget: all Pods are deleted: one status write and one DELETE a Pod', async () => {
  const mark = plane.audit.mark();
  await api.delete(`${path.pods}`);
  await pods.until('all Pods are gone', () => pods.all().length === 0, 90_000);
  const calls = callsByPod(mark);
  assert.equal(calls.size, podCount);
  for (const [name, counts] of calls) {
    assert.ok(total(counts, /pods\/status/) <= 1, `${name}: ${JSON.stringify(counts)}`);
    assert.equal(counts['delete pods'], 1, `${name}: ${JSON.stringify(counts)}`);
  }
  assert.equal(await cloud.livePods(), 0);
});

test('budget: the node itself: one Lease renewal every ten seconds and next to nothing else', async (t) => {
  const mark = plane.audit.mark();
  await new Promise((resolve) => setTimeout(resolve, 30_000));
  const counts = countCalls(zunletCalls(mark));
  t.diagnostic(JSON.stringify(counts));
  const renewals = total(counts, / leases/);
  assert.ok(renewals >= 2 && renewals <= 4, JSON.stringify(counts));
  assert.ok(zunletCalls(mark).length - renewals <= 3, zunletCalls(mark).map(callName).join(', '));
});
