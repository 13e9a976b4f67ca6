import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { Node } from '../../../src/kube/types.ts';
import { createHeartbeat, type HeartbeatOptions } from '../../../src/node/heartbeat.ts';
import type { CloudHealth } from '../../../src/node/types.ts';
import { pod } from '../../lib/builders.ts';
import { runClock } from '../../lib/run-clock.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';
import { conditionOf, createNodeStore, facts, options } from './support.ts';

/** A store and the means to start processes that run the node in it. */
function setup() {
  const clock = createVirtualClock();
  const api = createNodeStore();
  const events: string[] = [];
  const cloud: { health: CloudHealth } = { health: { ok: true } };
  function process(instance: string, parts: Partial<HeartbeatOptions> = {}) {
    const changes: boolean[] = [];
    const heartbeat = createHeartbeat({
      client: api.client,
      clock,
      random: seededRandom(1),
      log: silentLog,
      events: { record: (_, type, reason) => events.push(`${type} ${reason}`) },
      options: options(),
      facts: () => facts,
      cloudHealth: () => cloud.health,
      instance,
      notReadyAfterMs: 60_000,
      onChange: (mayWork) => changes.push(mayWork),
      ...parts,
    });
    heartbeat.start();
    return { heartbeat, changes };
  }
  return { clock, api, events, cloud, process };
}

test('heartbeat: nothing there yet: Node registered, Lease held, work may begin', async () => {
  const { clock, api, events, process } = setup();
  const { heartbeat, changes } = process('one');
  assert.equal(heartbeat.mayWork(), false);
  await runClock(clock, 100);
  await heartbeat.whenLeader();
  assert.equal(heartbeat.mayWork(), true);
  assert.deepEqual(changes, [true]);
  assert.equal(conditionOf(api.store.node, 'Ready')?.status, 'True');
  assert.equal(api.store.lease?.metadata.ownerReferences?.[0]?.uid, api.store.node?.metadata.uid);
  assert.deepEqual(events, ['Normal Starting']);
});

test('heartbeat: five calm minutes: a renewal and a look every ten seconds, one status', async () => {
  const { clock, api, process } = setup();
  process('one');
  await runClock(clock, 1_000);
  api.calls.length = 0;
  await runClock(clock, 301_000);
  const count = (call: string) => api.calls.filter((made) => made === call).length;
  assert.ok(count('replace lease') >= 29 && count('replace lease') <= 31, `${count('replace lease')} renewals`);
  assert.equal(count('get node'), 30);
  assert.ok(count('patch status') <= 2, `${count('patch status')} statuses`);
});

test('heartbeat: Node exists: adopted, status written, taints and labels of others kept', async () => {
  const { clock, api, process } = setup();
  const labels = { 'example.com/mine': 'x' };
  api.store.node = { metadata: { name: 'zun-1', uid: 'u0', labels }, spec: { taints: [], unschedulable: true } };
  process('one');
  await runClock(clock, 1_000);
  const node: Node | undefined = api.store.node;
  assert.equal(node?.metadata.uid, 'u0');
  assert.equal(node?.metadata.labels?.['example.com/mine'], 'x');
  assert.equal(node?.metadata.labels?.['type'], 'virtual-kubelet');
  assert.deepEqual([node?.spec?.taints, node?.spec?.unschedulable], [[], true]);
  assert.equal(node?.metadata.annotations?.['zunlet.io/instance'], 'one');
  assert.equal(conditionOf(node, 'Ready')?.status, 'True');
});

test('heartbeat: no right to create Nodes: the one that is there is adopted', async () => {
  const { clock, api, process } = setup();
  api.store.node = { metadata: { name: 'zun-1', uid: 'u0' } };
  api.failWith((call) => (call === 'create node' ? api.failure('forbidden') : undefined));
  const { heartbeat } = process('one');
  await runClock(clock, 1_000);
  assert.equal(heartbeat.mayWork(), true);
});

test('heartbeat: Node of another provider: never touched', async () => {
  const { clock, api, process } = setup();
  api.store.node = { metadata: { name: 'zun-1', uid: 'u0' }, spec: { providerID: 'openstack:///1' } };
  const { heartbeat } = process('one');
  await runClock(clock, 120_000);
  assert.equal(heartbeat.mayWork(), false);
  assert.deepEqual([...new Set(api.calls)], ['get lease', 'get node', 'create node']);
});

test('heartbeat: API server fails at the start: goes on until it works', async () => {
  const { clock, api, process } = setup();
  api.failWith(() => (clock.monotonic() < 60_000 ? api.failure('retryable') : undefined));
  const { heartbeat } = process('one');
  await runClock(clock, 59_000);
  assert.equal(heartbeat.mayWork(), false);
  assert.equal(heartbeat.health().error?.kind, 'retryable');
  await runClock(clock, 75_000);
  assert.equal(heartbeat.mayWork(), true);
  assert.equal(heartbeat.health().error, undefined);
});

test('heartbeat: another process renews the Lease: stands by and writes nothing', async () => {
  const { clock, api, process } = setup();
  process('one');
  await runClock(clock, 1_000);
  const second = process('two');
  await runClock(clock, 120_000);
  assert.equal(second.heartbeat.mayWork(), false);
  assert.equal(second.heartbeat.health().holder, 'one');
  assert.equal(api.store.node?.metadata.annotations?.['zunlet.io/instance'], 'one');
  assert.deepEqual(second.changes, []);
});

test('heartbeat: the other process stops: takes over within seconds', async () => {
  const { clock, process } = setup();
  const first = process('one');
  await runClock(clock, 1_000);
  const second = process('two');
  await runClock(clock, 60_000);
  const stopped = first.heartbeat.stop();
  await runClock(clock, 66_000);
  await stopped;
  assert.deepEqual([first.heartbeat.mayWork(), second.heartbeat.mayWork()], [false, true]);
  assert.deepEqual(first.changes, [true, false]);
});

test('heartbeat: stopped: Node and Lease stay', async () => {
  const { clock, api, process } = setup();
  const { heartbeat } = process('one');
  await runClock(clock, 1_000);
  await heartbeat.stop();
  assert.ok(api.store.node && api.store.lease);
  assert.equal(conditionOf(api.store.node, 'Ready')?.status, 'True');
});

test('heartbeat: API server away for a minute: no work meanwhile, work again after', async () => {
  const { clock, api, process } = setup();
  const { heartbeat, changes } = process('one');
  await runClock(clock, 1_000);
  const down = () => clock.monotonic() > 5_000 && clock.monotonic() < 65_000;
  api.failWith(() => (down() ? api.failure('retryable') : undefined));
  await runClock(clock, 60_000);
  assert.equal(heartbeat.mayWork(), false);
  await runClock(clock, 80_000);
  assert.equal(heartbeat.mayWork(), true);
  assert.deepEqual(changes, [true, false, true]);
});

test('heartbeat: cloud away for longer than the set time: not Ready, and Ready again when it is back', async () => {
  const { clock, api, events, cloud, process } = setup();
  process('one');
  await runClock(clock, 1_000);
  events.length = 0;
  cloud.health = { ok: false, sinceMs: 1_000, reason: 'KeystoneUnreachable', message: 'no route' };
  await runClock(clock, 30_000);
  assert.equal(conditionOf(api.store.node, 'ZunAPIAvailable')?.status, 'False');
  assert.equal(conditionOf(api.store.node, 'Ready')?.status, 'True');
  await runClock(clock, 75_000);
  assert.equal(conditionOf(api.store.node, 'Ready')?.reason, 'KeystoneUnreachable');
  cloud.health = { ok: true };
  await runClock(clock, 90_000);
  assert.equal(conditionOf(api.store.node, 'Ready')?.status, 'True');
  assert.deepEqual(events, [
    'Warning ZunAPIUnavailable',
    'Normal NodeNotReady',
    'Normal ZunAPIAvailable',
    'Normal NodeReady',
  ]);
});

test('heartbeat: controller set Ready to Unknown: taken back at the next look', async () => {
  const { clock, api, process } = setup();
  process('one');
  await runClock(clock, 1_000);
  const ready = conditionOf(api.store.node, 'Ready');
  if (ready) ready.status = 'Unknown';
  await runClock(clock, 12_000);
  assert.equal(conditionOf(api.store.node, 'Ready')?.status, 'True');
});

test('heartbeat: Node deleted by hand: registered again, work goes on', async () => {
  const { clock, api, events, process } = setup();
  const { heartbeat, changes } = process('one');
  await runClock(clock, 1_000);
  const before = api.store.node?.metadata.uid;
  api.remove('node');
  api.remove('lease');
  await runClock(clock, 25_000);
  assert.ok(api.store.node);
  assert.notEqual(api.store.node?.metadata.uid, before);
  assert.equal(api.store.lease?.metadata.ownerReferences?.[0]?.uid, api.store.node?.metadata.uid);
  assert.equal(heartbeat.mayWork(), true);
  assert.deepEqual(changes, [true]);
  assert.ok(events.includes('Warning NodeRegisteredAgain'));
});

test('heartbeat: status cannot be written: the Lease is renewed all the same', async () => {
  const { clock, api, cloud, process } = setup();
  const { heartbeat } = process('one');
  await runClock(clock, 1_000);
  api.failWith((call) => (call === 'patch status' ? api.failure('forbidden') : undefined));
  cloud.health = { ok: false, sinceMs: 0, reason: 'ZunUnreachable', message: 'no route' };
  await runClock(clock, 120_000);
  assert.equal(heartbeat.mayWork(), true);
  assert.equal(heartbeat.health().error?.kind, 'forbidden');
});

type Store = ReturnType<typeof createNodeStore>;

for (const [title, sign] of [
  [
    'a Node of another process',
    (api: Store) =>
      void api.client.create('/api/v1/nodes', {
        metadata: { name: 'zun-1', annotations: { 'zunlet.io/instance': 'one' } },
      }),
  ],
  [
    'a Pod that was accepted',
    (api: Store) => void api.store.pods.push(pod({ status: { startTime: '2026-01-01T00:00:00Z' } })),
  ],
] as const) {
  test(`heartbeat: no Lease, but ${title}: another process may still work, so it is waited for`, async () => {
    const { clock, api, process } = setup();
    sign(api);
    const { heartbeat } = process('two');
    await runClock(clock, 39_000);
    assert.equal(heartbeat.mayWork(), false);
    await runClock(clock, 47_000);
    assert.equal(heartbeat.mayWork(), true);
  });
}

test('heartbeat: no Lease and no Node, only Pods that nobody accepted: a first start, at once', async () => {
  const { clock, api, process } = setup();
  api.store.pods.push(pod());
  const { heartbeat } = process('one');
  await runClock(clock, 1_000);
  assert.equal(heartbeat.mayWork(), true);
});
