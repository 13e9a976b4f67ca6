import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { goldenCases } from './cases.ts';

const cases = goldenCases();

test('golden cases: all of them: at least 60, each with what came out and nothing else', (t) => {
  const names = new Set(cases.map(({ name }) => name));
  t.diagnostic(`${names.size} cases, ${cases.length} outputs`);
  assert.ok(names.size >= 60);
  for (const { expected, name } of cases) {
    const files = readdirSync(dirname(expected)).sort();
    const wanted = cases.filter((other) => other.name === name).map(({ variant }) => `expected.${variant}.yaml`);
    assert.deepEqual(files, [...wanted, 'input.yaml', 'options.json'].sort(), name);
  }
});

for (const { name, variant, expected, run } of cases) {
  test(`translate: ${name} on ${variant}: as before (else: node test/golden/translate/update.ts)`, async () => {
    assert.equal(await run(), readFileSync(expected, 'utf8'));
  });
}
