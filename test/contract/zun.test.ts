import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
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
  context.diagnostic(`${agreeing.length} of ${vectors.length} vectors agree; ${identical.length} to the last value`);
  if (!target.isReal) assert.equal(agreeing.length, vectors.length);
});

test('docs/zun.md: conversations with other values: exactly those it names', (context) => {
  if (target.isReal) return context.skip('the list is about the emulator');
  const others = [...outcomes].filter(([, outcome]) => !outcome.isIdentical).map(([id]) => id);
  assert.deepEqual(namedDifferences(), others.sort());
});

/** The first column of the table under "Where the emulator differs". */
function namedDifferences(): string[] {
  const page = readFileSync(new URL('../../docs/zun.md', import.meta.url), 'utf8');
  const section = page.slice(page.indexOf('## Where the emulator differs'));
  const rows = section.split('\n').filter((line) => line.startsWith('| `'));
  return rows
    .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1] ?? ''))
    .sort();
}
