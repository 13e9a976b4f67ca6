import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { type Outcome, replay } from './replay.ts';
import { openTarget, type Target } from './target.ts';
import { readVectors } from './vectors.ts';

const vectors = readVectors();
const outcomes = new Map<string, Outcome>();
let target: Target;

before(async () => {
  target = await openTarget();
});
after(() => target.close());

for (const vector of vectors) {
  test(`zun: ${vector.id}: ${vector.claim}`, async (context) => {
    const missing = vector.needs.filter((need) => !target.has.includes(need));
    if (missing.length > 0) return context.skip(`this cloud has no ${missing.join(', ')}`);
    const outcome = await replay(vector, target);
    outcomes.set(vector.id, outcome);
    assert.deepEqual(outcome.differences, []);
  });
}

test('zun: all recorded conversations: they agree', (context) => {
  const agreeing = [...outcomes.values()].filter((outcome) => outcome.differences.length === 0);
  const identical = agreeing.filter((outcome) => outcome.isIdentical);
  const others = [...outcomes].filter(([, outcome]) => !outcome.isIdentical).map(([id]) => id);
  context.diagnostic(`${agreeing.length} of ${vectors.length} vectors agree; ${identical.length} to the last value`);
  if (others.length > 0) context.diagnostic(`other values in: ${others.join(', ')}`);
  assert.equal(agreeing.length, vectors.length);
});
