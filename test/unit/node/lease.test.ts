import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createNodeLease } from '../../../src/node/lease.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';
import { createNodeStore } from './support.ts';

function setup() {
  const clock = createVirtualClock();
  const api = createNodeStore();
  const leaseOf = (instance: string, worked = false) => {
    const wasWorked = () => Promise.resolve(worked);
    return createNodeLease({ client: api.client, clock, node: 'zun-1', instance, durationSeconds: 40, wasWorked });
  };
  return { clock, api, leaseOf };
}

test('lease: none there: made, owned by the Node, with six digits of a second', async () => {
  const { api, leaseOf } = setup();
  assert.deepEqual(await leaseOf('a').hold('node-uid'), { isHeld: true });
  assert.deepEqual(api.store.lease?.spec, {
    holderIdentity: 'zun-1',
    leaseDurationSeconds: 40,
    renewTime: '2026-01-01T00:00:00.000000Z',
  });
  assert.deepEqual(api.store.lease?.metadata.ownerReferences, [
    { apiVersion: 'v1', kind: 'Node', name: 'zun-1', uid: 'node-uid' },
  ]);
  assert.deepEqual(api.store.lease?.metadata.annotations, { 'zunlet.io/instance': 'a' });
});

test('lease: ours: renewed with one PUT and no GET', async () => {
  const { clock, api, leaseOf } = setup();
  const lease = leaseOf('a');
  await lease.hold('u');
  api.calls.length = 0;
  await clock.runUntil(10_000);
  await lease.hold('u');
  assert.deepEqual(api.calls, ['replace lease']);
  assert.equal(api.store.lease?.spec?.renewTime, '2026-01-01T00:00:10.000000Z');
});

test('lease: renewals fail: held until five seconds before others may take it', async () => {
  const { clock, leaseOf } = setup();
  const lease = leaseOf('a');
  await lease.hold('u');
  await clock.runUntil(34_999);
  assert.equal(lease.isHeld(), true);
  await clock.runUntil(35_000);
  assert.equal(lease.isHeld(), false);
});

test('lease: renewed by another instance: not taken, and nothing is written', async () => {
  const { clock, api, leaseOf } = setup();
  const a = leaseOf('a');
  const b = leaseOf('b');
  for (let at = 0; at <= 200_000; at += 10_000) {
    await clock.runUntil(at);
    await a.hold('u');
    api.calls.length = 0;
    assert.deepEqual(await b.hold('u'), { isHeld: false, holder: 'a' });
    assert.deepEqual(api.calls, ['get lease']);
  }
});

test('lease: the other instance died: taken when it has not changed for its duration on our clock', async () => {
  const { clock, leaseOf } = setup();
  await leaseOf('a').hold('u');
  const b = leaseOf('b');
  await clock.runUntil(30_000);
  assert.equal((await b.hold('u')).isHeld, false);
  await clock.runUntil(69_999);
  assert.equal((await b.hold('u')).isHeld, false);
  await clock.runUntil(70_000);
  assert.equal((await b.hold('u')).isHeld, true);
});

test('lease: never two holders: the old one is off before the new one may start', async () => {
  const { clock, leaseOf } = setup();
  const a = leaseOf('a');
  const b = leaseOf('b');
  await a.hold('u');
  let takenAt = 0;
  for (let at = 0; takenAt === 0; at += 500) {
    await clock.runUntil(at);
    if ((await b.hold('u')).isHeld) takenAt = at;
    assert.equal(a.isHeld() && b.isHeld(), false, `at ${at}`);
  }
  assert.equal(takenAt, 40_000);
});

test('lease: taken over while ours was out of reach: noticed at the next renewal', async () => {
  const { clock, leaseOf } = setup();
  const a = leaseOf('a');
  const b = leaseOf('b');
  await a.hold('u');
  await b.hold('u');
  await clock.runUntil(40_000);
  await b.hold('u');
  assert.deepEqual(await a.hold('u'), { isHeld: false, holder: 'b' });
  assert.equal(a.isHeld(), false);
});

test('lease: released: the next instance has it at once', async () => {
  const { leaseOf } = setup();
  const a = leaseOf('a');
  await a.hold('u');
  await a.release();
  assert.equal(a.isHeld(), false);
  assert.deepEqual(await leaseOf('b').hold('u'), { isHeld: true });
});

test('lease: new process with the same name: has it at once', async () => {
  const { leaseOf } = setup();
  await leaseOf('a').hold('u');
  assert.deepEqual(await leaseOf('a').hold('u'), { isHeld: true });
});

test('lease: hours overdue by the wall clock, because one of two clocks is wrong: watched all the same', async () => {
  const { clock, api, leaseOf } = setup();
  const holder = leaseOf('a');
  await holder.hold('u');
  const jumped = { ...clock, now: () => clock.now() + 3_600_000 };
  const other = createNodeLease({
    client: api.client,
    clock: jumped,
    node: 'zun-1',
    instance: 'b',
    durationSeconds: 40,
    wasWorked: () => Promise.resolve(false),
  });
  assert.deepEqual(await other.hold('u'), { isHeld: false, holder: 'a' });
  await clock.runUntil(39_999);
  assert.deepEqual(await other.hold('u'), { isHeld: false, holder: 'a' });
  await clock.runUntil(40_000);
  assert.deepEqual(await other.hold('u'), { isHeld: true });
});

test('lease: renewed by something that is not zunlet: not taken', async () => {
  const { api, leaseOf } = setup();
  await leaseOf('a').hold('u');
  delete api.store.lease?.metadata.annotations;
  assert.deepEqual(await leaseOf('b').look(), { isHeld: false, holder: 'something that is not zunlet' });
});

test('lease: changed by somebody without taking it: renewed on the new version', async () => {
  const { api, leaseOf } = setup();
  const lease = leaseOf('a');
  await lease.hold('u');
  if (api.store.lease) api.store.lease.metadata.resourceVersion = '77';
  assert.deepEqual(await lease.hold('u'), { isHeld: true });
});

test('lease: deleted with its Node: made again for the new one', async () => {
  const { api, leaseOf } = setup();
  const lease = leaseOf('a');
  await lease.hold('u1');
  api.remove('lease');
  await lease.hold('u2');
  assert.equal(api.store.lease?.metadata.ownerReferences?.[0]?.uid, 'u2');
});

test('lease: deleted with its Node under a holder that lives: a standby that saw the holder waits until it ran out', async () => {
  const { clock, api, leaseOf } = setup();
  const standby = leaseOf('b');
  await leaseOf('a').hold('u');
  assert.deepEqual(await standby.look(), { isHeld: false, holder: 'a' });
  api.store.lease = undefined;
  await clock.runUntil(39_999);
  assert.deepEqual(await standby.look(), { isHeld: false, holder: 'a' });
  await clock.runUntil(40_000);
  assert.deepEqual(await standby.hold('u2'), { isHeld: true });
});

test('lease: look: writes nothing', async () => {
  const { api, leaseOf } = setup();
  assert.deepEqual(await leaseOf('a').look(), { isHeld: true });
  assert.equal(api.store.lease, undefined);
});

test('lease: deleted with its Node under a holder that lives: a new process waits as long as the holder may work', async () => {
  const { clock, api, leaseOf } = setup();
  const holder = leaseOf('a');
  await holder.hold('u');
  api.store.lease = undefined;
  const other = leaseOf('b', true);
  assert.equal((await other.look()).isHeld, false);
  await clock.runUntil(39_999);
  assert.equal((await other.look()).isHeld, false);
  assert.equal(holder.isHeld(), false);
  await clock.runUntil(40_000);
  assert.deepEqual(await other.hold('u2'), { isHeld: true });
});

test('lease: deleted with its Node: the holder makes it anew while a new process waits: the holder keeps it', async () => {
  const { clock, api, leaseOf } = setup();
  const holder = leaseOf('a');
  await holder.hold('u');
  api.store.lease = undefined;
  const other = leaseOf('b', true);
  await other.look();
  await clock.runUntil(10_000);
  assert.deepEqual(await holder.hold('u2'), { isHeld: true });
  await clock.runUntil(45_000);
  assert.deepEqual(await other.look(), { isHeld: false, holder: 'a' });
});
