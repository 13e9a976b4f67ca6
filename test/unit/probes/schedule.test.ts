import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createSchedule, type Scheduled } from '../../../src/probes/schedule.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

interface Item extends Scheduled {
  name: number;
}

const command = fc.record({
  item: fc.integer({ min: 0, max: 9 }),
  inMs: fc.option(fc.integer({ min: 0, max: 5_000 })),
  waitMs: fc.integer({ min: 0, max: 1_000 }),
});

test('schedule: items are set, moved and cleared in any order: each runs once, at its last due time', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(command, { maxLength: 60 }), async (commands) => {
      const clock = createManualClock();
      const ran: [number, number][] = [];
      const expected = new Map<number, number>();
      const schedule = createSchedule<Item>(clock, (item) => {
        const due = expected.get(item.name);
        assert.ok(due !== undefined, 'nothing else runs');
        assert.ok(Math.abs(clock.monotonic() - due) <= 20, `due ${due}, ran ${clock.monotonic()}`);
        expected.delete(item.name);
        ran.push([item.name, due]);
      });
      const items = Array.from({ length: 10 }, (_, name): Item => ({ name, dueAt: undefined }));
      for (const { item, inMs, waitMs } of commands) {
        const target = items[item];
        if (!target) continue;
        if (inMs === null) {
          schedule.clear(target);
          expected.delete(item);
        } else {
          const dueAt = clock.monotonic() + inMs;
          schedule.set(target, dueAt);
          expected.set(item, dueAt);
        }
        await clock.advance(waitMs);
      }
      await clock.advance(6_000);
      assert.equal(expected.size, 0, 'everything due has run');
    }),
    { numRuns: 60 },
  );
});

test('schedule: thousands of items: one timer at a time', async () => {
  const clock = createManualClock();
  let timers = 0;
  let open = 0;
  let most = 0;
  const counted = {
    ...clock,
    after(ms: number, run: () => void) {
      timers += 1;
      open += 1;
      most = Math.max(most, open);
      const done = clock.after(ms, () => {
        open -= 1;
        run();
      });
      return () => {
        open -= 1;
        done();
      };
    },
  };
  let runs = 0;
  const schedule = createSchedule<Item>(counted, (item) => {
    runs += 1;
    schedule.set(item, clock.monotonic() + 10_000);
  });
  for (let name = 0; name < 3_000; name += 1) schedule.set({ name, dueAt: undefined }, (name * 10_000) / 3_000);
  await clock.advance(20_500);
  assert.ok(runs >= 6_000, `${runs} runs`);
  assert.equal(most, 1);
  assert.ok(timers < 1_100, `${timers} timers for ${runs} runs`);
});

test('schedule: it is closed: nothing runs any more', async () => {
  const clock = createManualClock();
  const schedule = createSchedule<Item>(clock, () => assert.fail('ran'));
  schedule.set({ name: 1, dueAt: undefined }, 100);
  schedule.close();
  await clock.advance(1_000);
});
