import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextReads, type PollState, type Tracked } from '../../../src/sync/next-reads.ts';
import { uuid } from '../../lib/builders.ts';

const tracked = (n: number, part: Partial<Tracked> = {}): Tracked => ({
  backend: 'capsule',
  uuid: uuid(n),
  pace: 'transition',
  dueAt: 1000,
  delayMs: 1000,
  reading: false,
  ...part,
});
const state = (part: Partial<PollState>): PollState => ({
  tracked: [],
  listSize: 100,
  listDueAt: 60_000,
  listing: false,
  freeReads: 16,
  ...part,
});

test('next reads: calm: sleeps until the list is due, then lists once', () => {
  assert.deepEqual(nextReads(state({}), 1000), { list: false, gets: [], sleepMs: 59_000 });
  assert.equal(nextReads(state({}), 60_000).list, true);
  assert.equal(nextReads(state({ listing: true }), 60_000).list, false);
});

test('next reads: few in transition: reads them one by one', () => {
  const { list, gets } = nextReads(state({ tracked: [tracked(1), tracked(2), tracked(3, { dueAt: 5000 })] }), 1000);
  assert.deepEqual([list, gets.length], [false, 2]);
});

test('next reads: so many in transition that a list is cheaper: lists, and reads only the live ones', () => {
  const many = Array.from({ length: 80 }, (_, n) => tracked(n));
  const { list, gets } = nextReads(state({ tracked: [...many, tracked(900, { pace: 'live' })] }), 1000);
  assert.deepEqual([list, gets.map((entry) => entry.uuid)], [true, [uuid(900)]]);
  const during = nextReads(state({ tracked: many, listing: true }), 1000);
  assert.deepEqual([during.list, during.gets.length], [false, 0]);
});

test('next reads: one capsule alone: a GET, not a list', () => {
  assert.deepEqual(nextReads(state({ tracked: [tracked(1)], listSize: 1 }), 1000).list, false);
});

test('next reads: no free place, or a read under way: starts none', () => {
  const full = nextReads(state({ tracked: [tracked(1)], freeReads: 0 }), 1000);
  assert.deepEqual([full.gets.length, full.sleepMs], [0, 50]);
  assert.equal(nextReads(state({ tracked: [tracked(1, { reading: true })] }), 1000).gets.length, 0);
});

test('next reads: due soon: wakes then', () => {
  assert.equal(nextReads(state({ tracked: [tracked(1, { dueAt: 1700 })] }), 1000).sleepMs, 700);
});
