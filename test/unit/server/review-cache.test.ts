import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createReviewCache } from '../../../src/server/review-cache.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

function scene(maxEntries = 10) {
  const clock = createManualClock();
  const cache = createReviewCache<boolean>({ maxEntries, keepMs: (answer) => (answer ? 300_000 : 30_000), clock });
  let asked = 0;
  const ask = (answer: boolean | Error) => () => {
    asked += 1;
    return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
  };
  return { clock, cache, ask, asked: () => asked };
}

test('review cache: the same question at the same time: asked once', async () => {
  const { cache, ask, asked } = scene();
  const answers = await Promise.all([1, 2, 3].map(() => cache.get('a', ask(true))));
  assert.deepEqual([answers, asked()], [[true, true, true], 1]);
});

test('review cache: answers: kept as long as they are good for, and no longer', async () => {
  const { cache, ask, asked, clock } = scene();
  await cache.get('yes', ask(true));
  await cache.get('no', ask(false));
  await clock.advance(29_999);
  await cache.get('no', ask(false));
  assert.equal(asked(), 2);
  await clock.advance(1);
  await cache.get('no', ask(false));
  await cache.get('yes', ask(true));
  assert.equal(asked(), 3);
  await clock.advance(270_000);
  await cache.get('yes', ask(true));
  assert.equal(asked(), 4);
});

test('review cache: a question that failed: asked again', async () => {
  const { cache, ask, asked } = scene();
  await assert.rejects(cache.get('a', ask(new Error('no answer'))));
  assert.equal(await cache.get('a', ask(true)), true);
  assert.equal(asked(), 2);
});

test('review cache: full: what was not used for longest goes', async () => {
  const { cache, ask, asked } = scene(2);
  await cache.get('a', ask(true));
  await cache.get('b', ask(true));
  await cache.get('a', ask(true));
  await cache.get('c', ask(true));
  await cache.get('a', ask(true));
  assert.equal(asked(), 3);
  await cache.get('b', ask(true));
  assert.equal(asked(), 4);
});
