import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import type { Pod } from '../../../src/kube/types.ts';
import { awaitList } from '../../../src/sync/await-list.ts';
import { newMemory } from '../../../src/sync/memory.ts';
import { pod, statusNaming, uuid } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

/** Awaits a list twice, and tells what was wanted and said. */
function awaited(who: Pod | undefined, after: number, change = {}) {
  const wanted: number[] = [];
  const said: string[] = [];
  const run = {
    pod: who,
    memory: { ...newMemory(after), ...change },
    deps: {
      clock: createManualClock(),
      poller: { track: () => {}, wantListAfter: (at: number) => void wanted.push(at) },
      events: {
        record: (_: object, type: string, reason: string, text: string) => void said.push(`${type} ${reason}: ${text}`),
      },
      log: silentLog,
    },
    remember(more: object) {
      run.memory = { ...run.memory, ...more };
    },
  };
  awaitList(after, run);
  awaitList(after, run);
  return { wanted, said };
}

test('await list: a Pod of the process before: one Event says how long and why', () => {
  const { wanted, said } = awaited(pod(), 59_100);
  assert.deepEqual(wanted, [59_100, 59_100]);
  assert.equal(said.length, 1);
  assert.match(
    said[0] ?? '',
    /^Normal CapsuleAwaited: An earlier process .* within 60 s \(option settle\), one is made$/,
  );
});

test('await list: a Pod with a problem that was told, one that goes, one that ended, one that runs, none, a short wait: no word', () => {
  const problems = [{ path: '', message: 'zun did not answer', heals: true }];
  assert.deepEqual(awaited(pod(), 59_100, { problems }).said, []);
  const going = pod();
  going.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
  assert.deepEqual(awaited(going, 59_100).said, []);
  assert.deepEqual(awaited(pod({ status: { phase: 'Failed' } }), 59_100).said, []);
  assert.deepEqual(awaited(pod({ status: statusNaming(uuid(1)) }), 59_100).said, []);
  assert.deepEqual(awaited(undefined, 59_100).said, []);
  assert.deepEqual(awaited(pod(), 2000), { wanted: [2000, 2000], said: [] });
});
