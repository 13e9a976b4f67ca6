import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import { createCapsulePoller } from '../../../src/sync/capsule-poller.ts';
import { createCapsuleStore } from '../../../src/sync/capsule-store.ts';
import { testCluster, testNode } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

/** A poller whose lists take no time, with the moments at which they began. `random` 0 makes every period the shortest. */
function bed(context: TestContext, { random = 0 } = {}) {
  const clock = createManualClock();
  const begun: number[] = [];
  const failing = { now: false };
  const poller = createCapsulePoller({
    zun: {
      get: async () => undefined,
      async list() {
        begun.push(clock.monotonic());
        if (failing.now) throw new Error('zun is away');
        return [];
      },
    },
    store: createCapsuleStore({
      cluster: testCluster,
      node: testNode,
      tombstoneMs: 600_000,
      lagMs: 60_000,
      onChange: () => {},
    }),
    clock,
    random: () => random,
    log: silentLog,
    listEveryMs: 60_000,
    liveEveryMs: 10_000,
    onListed: () => {},
  });
  poller.start();
  context.after(() => poller.stop());
  return { poller, clock, begun, failing };
}

test('poller: a list is wanted after a moment shortly behind the regular one: comes then, not a whole period later', async (context) => {
  const { poller, clock, begun } = bed(context);
  await clock.advance(10);
  poller.wantListAfter(60_000);
  await clock.advance(70_000);
  const wanted = begun.filter((at) => at > 60_000);
  assert.deepEqual(begun.slice(0, 2), [0, 54_000]);
  assert.equal(wanted.length, 1);
  assert.ok(Number(wanted[0]) <= 61_100, `${wanted}`);
});

test('poller: many moments are wanted: each is followed by a list, in at most one a second', async (context) => {
  const { poller, clock, begun } = bed(context);
  await clock.advance(10);
  const moments = Array.from({ length: 300 }, (_, index) => 5000 + index * 10);
  for (const at of moments) poller.wantListAfter(at);
  await clock.advance(10_000);
  for (const at of moments)
    assert.ok(
      begun.some((began) => began > at && began <= at + 1100),
      `nothing soon after ${at}`,
    );
  assert.ok(begun.length <= 6, `${begun.length} lists`);
});

test('poller: the wanted list fails: is tried again soon', async (context) => {
  const { poller, clock, begun, failing } = bed(context);
  await clock.advance(10);
  poller.wantListAfter(5000);
  failing.now = true;
  await clock.advance(6500);
  failing.now = false;
  await clock.advance(4000);
  assert.ok(begun.filter((at) => at > 5000).length >= 2, `${begun}`);
  assert.ok(Math.max(...begun) < 10_000, `${begun}`);
});
