import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createObjectCache } from '../../../src/kube/object-cache.ts';
import { runClock } from '../../lib/run-clock.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';

test('object cache: answer to a question from before the wanted moment: asked again', async () => {
  const clock = createVirtualClock();
  const cache = createObjectCache<string>(clock, 5_000);
  await cache.get('key', async () => 'old');
  await runClock(clock, 100);
  assert.equal(await cache.get('key', async () => 'new', 50), 'new');
  assert.equal(await cache.get('key', async () => 'newest', 50), 'new');
});

test('object cache: older answer comes after the newer one: the newer one stays', async () => {
  const clock = createVirtualClock();
  const cache = createObjectCache<string>(clock, 5_000);
  const slow = Promise.withResolvers<string>();
  const early = cache.get('key', () => slow.promise);
  await runClock(clock, 100);
  await cache.get('key', async () => 'new', 50);
  slow.resolve('old');
  assert.equal(await early, 'old');
  assert.equal(await cache.get('key', async () => 'newest'), 'new');
});

test('object cache: asked while a question is open that is new enough: shares it', async () => {
  const cache = createObjectCache<string>(createVirtualClock(), 5_000);
  const slow = Promise.withResolvers<string>();
  const first = cache.get('key', () => slow.promise);
  const second = cache.get('key', async () => assert.fail('asked twice'));
  slow.resolve('once');
  assert.deepEqual(await Promise.all([first, second]), ['once', 'once']);
});

test('object cache: put by somebody: counts as asked now', async () => {
  const clock = createVirtualClock();
  const cache = createObjectCache<string>(clock, 5_000);
  cache.put('key', 'seen');
  assert.equal(await cache.get('key', async () => 'asked', 0), 'seen');
  await runClock(clock, 5_000);
  assert.equal(await cache.get('key', async () => 'asked'), 'asked');
});
