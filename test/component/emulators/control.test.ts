import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { createMovableClock } from '../../../src/emulators/clock.ts';
import type { CloudControl } from '../../../src/emulators/cloud.ts';
import { remoteControl, startControlServer } from '../../../src/emulators/control-server.ts';
import { startCloud } from './lib.ts';

test('control over HTTP: the same functions: faults, time, litter and lists', async (context) => {
  const cloud = await startCloud(context);
  const server = await startControlServer(cloud.control);
  context.after(() => server.close());
  const control = remoteControl<CloudControl>(server.url);
  const rule = await control.zun.faults.add({ operation: 'capsule.list', fault: { kind: 'status', status: 500 } });
  assert.equal((await cloud.call('GET', '/capsules')).status, 500);
  await control.zun.faults.remove(rule);
  const before = cloud.clock.now();
  await control.zun.advance(5000);
  assert.equal(cloud.clock.now() - before, 5000);
  const uuid = await control.zun.putLitter({ name: 'stray', status: 'Running' });
  assert.deepEqual(
    (await control.zun.inventory()).capsules.map((capsule) => capsule.uuid),
    [uuid],
  );
  await control.keystone.revokeTokens();
  assert.equal((await cloud.call('GET', '/capsules')).status, 401);
  await assert.rejects(
    fetch(`${server.url}/zun/nothing`, { method: 'POST' }).then((reply) => assert.equal(reply.status, 200)),
  );
});

test('movable clock: timers set by timers, cancelled ones, ties: in order, at their time', async () => {
  const clock = createMovableClock({ base: systemClock, manual: true });
  const seen: string[] = [];
  const start = clock.monotonic();
  const note = (name: string) => () => seen.push(`${name}@${Math.round(clock.monotonic() - start)}`);
  clock.after(30, note('c'));
  clock.after(10, () => {
    note('a')();
    clock.after(10, note('b'));
  });
  clock.after(30, note('d'));
  const cancel = clock.after(15, note('never'));
  cancel();
  await clock.advance(25);
  assert.deepEqual(seen, ['a@10', 'b@20']);
  await clock.advance(5);
  assert.deepEqual(seen, ['a@10', 'b@20', 'c@30', 'd@30']);
});

test('movable clock: real time underneath: advance adds to it, timers come early', async () => {
  const clock = createMovableClock({ base: systemClock });
  let isDue = false;
  clock.after(60_000, () => {
    isDue = true;
  });
  await clock.advance(61_000);
  assert.equal(isDue, true);
  assert.ok(clock.now() - Date.now() > 60_000);
  clock.stop();
});
