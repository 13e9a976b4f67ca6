import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createQueue } from '../../../src/sync/queue.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

function setUp(concurrency = 1) {
  const clock = createManualClock();
  const runs: string[] = [];
  const open: (() => void)[] = [];
  const bugs: string[] = [];
  const queue = createQueue({
    clock,
    concurrency,
    run: (key) => {
      runs.push(key);
      return new Promise((resolve, reject) => open.push(key === 'bad' ? () => reject(new Error('bad')) : resolve));
    },
    onBug: (key) => bugs.push(key),
  });
  /** Ends the oldest run. */
  const finish = async () => {
    open.shift()?.();
    await clock.advance(0);
  };
  return { clock, queue, runs, finish, bugs };
}

test('queue: a key poked while it runs: runs once more, never twice at once', async () => {
  const { queue, runs, finish } = setUp(5);
  queue.poke('a', 'start');
  queue.poke('a', 'start');
  queue.poke('a', 'start');
  assert.deepEqual(runs, ['a']);
  await finish();
  assert.deepEqual(runs, ['a', 'a']);
  await finish();
  assert.deepEqual(runs, ['a', 'a']);
});

test('queue: more keys than places: deletes before starts before refreshes', async () => {
  const { queue, runs, finish } = setUp();
  queue.poke('first', 'refresh');
  queue.poke('refresh', 'refresh');
  queue.poke('start', 'start');
  queue.poke('delete', 'delete');
  queue.poke('refresh', 'delete');
  for (let n = 0; n < 4; n += 1) await finish();
  assert.deepEqual(runs, ['first', 'delete', 'refresh', 'start']);
});

test('queue: several delays for a key: the earliest wins, and a poke beats them all', async () => {
  const { clock, queue, runs, finish } = setUp();
  queue.later('a', 5000, 'refresh');
  queue.later('a', 1000, 'refresh');
  queue.later('a', 9000, 'refresh');
  await clock.advance(999);
  assert.deepEqual(runs, []);
  await clock.advance(1);
  assert.deepEqual(runs, ['a']);
  await finish();
  await clock.advance(10_000);
  assert.deepEqual(runs, ['a']);
  queue.later('a', 5000, 'refresh');
  queue.poke('a', 'start');
  assert.deepEqual(runs, ['a', 'a']);
  await finish();
  await clock.advance(10_000);
  assert.deepEqual(runs, ['a', 'a']);
});

test('queue: a wish for later while the key runs: is kept', async () => {
  const { clock, queue, runs, finish } = setUp();
  queue.poke('a', 'start');
  queue.later('a', 1000, 'start');
  await finish();
  await clock.advance(1000);
  assert.deepEqual(runs, ['a', 'a']);
});

test('queue: a run throws: it is reported and the others go on', async () => {
  const { queue, runs, finish, bugs } = setUp();
  queue.poke('bad', 'start');
  queue.poke('good', 'start');
  await finish();
  assert.deepEqual([runs, bugs], [['bad', 'good'], ['bad']]);
});

test('queue: paused: nothing starts until the time is over', async () => {
  const { clock, queue, runs } = setUp();
  queue.pause(1000);
  queue.poke('a', 'start');
  await clock.advance(999);
  assert.deepEqual(runs, []);
  await clock.advance(1);
  assert.deepEqual(runs, ['a']);
});

test('queue: stopped: resolves when the running ones have ended, starts nothing more', async () => {
  const { clock, queue, runs, finish } = setUp();
  queue.poke('a', 'start');
  queue.poke('b', 'start');
  let stopped = false;
  void queue.stop().then(() => {
    stopped = true;
  });
  await clock.advance(0);
  assert.equal(stopped, false);
  await finish();
  assert.equal(stopped, true);
  queue.poke('c', 'start');
  await clock.advance(1000);
  assert.deepEqual(runs, ['a']);
});
