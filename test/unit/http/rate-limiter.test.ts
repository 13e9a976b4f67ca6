import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRateLimiter } from '../../../src/http/rate-limiter.ts';
import { runClock } from '../../lib/run-clock.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';

test('rate limiter: more calls than the burst: the rest goes at the rate, first come first served', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter(10, 2, clock);
  const served: [number, number][] = [];
  for (let call = 0; call < 5; call++) void limiter.take().then(() => served.push([call, clock.monotonic()]));
  await runClock(clock, 1000);
  assert.deepEqual(served, [
    [0, 0],
    [1, 0],
    [2, 100],
    [3, 200],
    [4, 300],
  ]);
});

test('rate limiter: a waiter gives up: it takes no turn from the next', async () => {
  const clock = createVirtualClock();
  const limiter = createRateLimiter(10, 1, clock);
  const giveUp = new AbortController();
  const served: number[] = [];
  await limiter.take();
  const first = limiter.take(giveUp.signal);
  void limiter.take().then(() => served.push(clock.monotonic()));
  giveUp.abort(new Error('too long'));
  await assert.rejects(first, /too long/);
  await runClock(clock, 1000);
  assert.deepEqual(served, [100]);
});

test('rate limiter: a burst below one: still serves', async () => {
  const limiter = createRateLimiter(10, 0, createVirtualClock());
  await limiter.take();
});

test('rate limiter: rate zero: never waits', async () => {
  const limiter = createRateLimiter(0, 1, createVirtualClock());
  for (let call = 0; call < 1000; call++) await limiter.take();
});
