import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCountingClock } from '../../../src/agent/counting-clock.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

test('counting clock: a timer runs, another is cancelled twice: each counts once while it is set', async () => {
  const manual = createManualClock();
  const clock = createCountingClock(manual);
  let ran = 0;
  clock.after(10, () => {
    ran += 1;
  });
  const cancel = clock.after(20, () => {});
  assert.equal(clock.pending(), 2);
  await manual.advance(10);
  assert.deepEqual([ran, clock.pending()], [1, 1]);
  cancel();
  cancel();
  assert.equal(clock.pending(), 0);
});
