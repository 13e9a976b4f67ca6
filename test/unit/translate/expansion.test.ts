import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { expand } from '../../../src/translate/expansion.ts';

const variables: Record<string, string> = { A: 'one', B: '$(A)', EMPTY: '', 'with space': 'x' };
const lookup = (name: string) => variables[name];

test('expand: each form of the grammar: as the kubelet does', () => {
  const cases: [string, string][] = [
    ['plain', 'plain'],
    ['$(A)', 'one'],
    ['-$(A)-$(A)-', '-one-one-'],
    ['$(B)', '$(A)'],
    ['$(EMPTY)', ''],
    ['$(with space)', 'x'],
    ['$(MISSING)', '$(MISSING)'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$one'],
    ['$$$$', '$$'],
    ['$A', '$A'],
    ['$', '$'],
    ['a$', 'a$'],
    ['$(A', '$(A'],
    ['$(', '$('],
    ['$()', '$()'],
    ['$(A$(A))', '$(A$(A))'],
    ['$(A))', 'one)'],
    ['\\$(A)', '\\one'],
  ];
  for (const [text, expected] of cases) assert.equal(expand(text, lookup), expected, text);
});

test('expand: text without a dollar: stays as it is', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const plain = text.replaceAll('$', '');
      assert.equal(expand(plain, lookup), plain);
    }),
  );
});

test('expand: a text whose dollars are doubled: gives that text', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      assert.equal(expand(text.replaceAll('$', '$$$$'), lookup), text);
    }),
  );
});
