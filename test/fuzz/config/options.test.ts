import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { AppError } from '../../../src/base/errors.ts';
import { loadOptions, type Sources } from '../../../src/config/load.ts';
import { envOf, flagOf, options } from '../../../src/config/options.ts';

const keys = Object.keys(options);
const oddText = fc.constantFrom(
  '',
  'a',
  'a'.repeat(253),
  'x'.repeat(70_000),
  '\u0000',
  '😀',
  '__proto__',
  'a=b,c',
  '1e999',
  '-0',
  '0x10',
  '1Ki',
  '5m5m',
  '\n',
  '${HOME}',
);
const oddValue = fc.oneof(oddText, fc.jsonValue({ maxDepth: 3 }), fc.constantFrom(null, [], {}, -1, 1e308, true));

/** Loads, and holds that a refusal is one of ours, short, and says which option. */
function load(sources: Partial<Sources>): void {
  try {
    const { values } = loadOptions({ flags: {}, env: {}, ...sources });
    assert.deepEqual(Object.keys(values).toSorted(), keys.toSorted());
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.equal(thrown.code, 'config.invalid');
    const longest = Math.max(...thrown.message.split('\n').map((line) => line.length));
    assert.ok(longest < 1000, `a line of ${longest} characters: ${thrown.message.slice(0, 200)}`);
  }
}

const file = (text: string) => ({ file: { name: 'zunlet.yaml', text } });

test('fuzz options file: any value for any option: options, or an error', () => {
  const content = fc.dictionary(fc.oneof(fc.constantFrom(...keys), oddText), oddValue, { maxKeys: 4 });
  fc.assert(
    fc.property(content, (value) => load(file(stringify(value)))),
    { numRuns: 300 },
  );
});

test('fuzz options file: letters that YAML likes: options, or an error', () => {
  const letters = [...'a: \n-{}[]"\'&*!|>%@#\t?,'.split(''), '<<', '\u0000', 'nodeName:', '😀'];
  const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 80 });
  fc.assert(
    fc.property(text, (given) => load(file(given))),
    { numRuns: 500 },
  );
});

for (const [name, text] of [
  ['deep lists', `nodeName: ${'['.repeat(20_000)}`],
  ['deep maps', `nodeName: ${'{a: '.repeat(5000)}`],
  ['an alias bomb', `a: &a [x,x]\nb: &b [*a,*a]\nc: &c [*b,*b]\nnodeName: [*c,*c]`],
  ['two megabytes', `nodeName: ${'a'.repeat(2 << 20)}`],
  ['bytes', '\u0000\u0001\ufffe\ud800'],
] as const) {
  test(`options file: ${name}: an error at once`, () => {
    const began = performance.now();
    load(file(text));
    assert.ok(performance.now() - began < 2000);
    assert.throws(() => loadOptions({ flags: {}, env: {}, ...file(text) }), { code: 'config.invalid' });
  });
}

test('fuzz variables and flags: any text for any option: options, or an error', () => {
  const text = fc.oneof(oddText, fc.string());
  const env = fc.dictionary(fc.constantFrom(...keys.map(envOf), 'ZUNLET_NO_SUCH'), text, { maxKeys: 4 });
  const flags = fc.dictionary(fc.constantFrom(...keys.map(flagOf)), fc.oneof(text, fc.boolean()), { maxKeys: 4 });
  fc.assert(
    fc.property(env, flags, (variables, given) => load({ env: variables, flags: given })),
    { numRuns: 500 },
  );
});
