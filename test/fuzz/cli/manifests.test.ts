import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { main } from '../../../src/cli/main.ts';

/** Runs one command with this text on its standard input. */
async function run(argv: string[], text: string): Promise<{ code: number; errors: string }> {
  let errors = '';
  const code = await main(argv, {
    stdout: { write: () => true },
    stderr: {
      write(part) {
        errors += part;
      },
    },
    stdin: (async function* () {
      yield text;
    })(),
    env: {},
    signal: new AbortController().signal,
  });
  return { code, errors };
}

async function holds(argv: string[], text: string): Promise<void> {
  const { code, errors } = await run(argv, text);
  assert.ok(code === 0 || code === 1 || code === 2, String(code));
  assert.ok(!errors.includes('this is a bug'), errors);
}

const translate = ['translate', '-f', '-'];
const name = fc.constantFrom(
  'a',
  'a'.repeat(253),
  'A',
  '',
  '\u0000',
  '😀',
  'x'.repeat(70_000),
  '__proto__',
  7,
  null,
  [],
);
const odd = fc.oneof(name, fc.jsonValue({ maxDepth: 3 }));
const manifest = fc.record(
  {
    apiVersion: fc.oneof(fc.constant('v1'), odd),
    kind: fc.oneof({ weight: 4, arbitrary: fc.constant('Pod') }, fc.constantFrom('List', 'Secret', 'ConfigMap'), odd),
    metadata: fc.oneof(fc.record({ name, namespace: name, labels: odd, annotations: odd }, { requiredKeys: [] }), odd),
    spec: fc.oneof(
      fc.record({
        containers: fc.oneof(fc.array(fc.record({ name, image: name, resources: odd }), { maxLength: 2 }), odd),
      }),
      odd,
    ),
    items: fc.oneof(fc.constant([]), odd),
    data: odd,
  },
  { requiredKeys: [] },
);

test('fuzz translate: manifests with any value anywhere: an answer, or a clear error', async () => {
  await fc.assert(
    fc.asyncProperty(manifest, (value) => holds(translate, JSON.stringify(value))),
    { numRuns: 200 },
  );
});

test('fuzz translate: any letters: an answer, or a clear error', async () => {
  const letters = [...'a: \n-{}[]"\'&*!|>%@#\t?,'.split(''), '\u0000', 'kind: Pod\n', '---\n', '😀'];
  const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 80 });
  await fc.assert(
    fc.asyncProperty(text, (given) => holds(translate, given)),
    { numRuns: 200 },
  );
});

for (const [what, text] of [
  ['deep lists', `kind: Pod\nspec: ${'['.repeat(20_000)}`],
  ['deep maps', `kind: Pod\nspec: ${'{a: '.repeat(5000)}`],
  ['deep JSON', `{"kind":"Pod","spec":${'{"a":'.repeat(5000)}1${'}'.repeat(5001)}`],
  ['an alias bomb', `kind: Pod\na: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nspec: [*c,*c,*c]`],
  ['bytes', '\u0000\u0001\ufffe\ud800'],
] as const) {
  test(`translate: ${what}: a clear error, at once`, async () => {
    const began = performance.now();
    const { code, errors } = await run(translate, text);
    assert.notEqual(code, 0);
    assert.ok(errors !== '' && !errors.includes('this is a bug'), errors.slice(0, 500));
    assert.ok(performance.now() - began < 3000);
  });
}
