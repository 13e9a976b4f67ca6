import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  compareQuantities,
  cpuMillicores,
  divideUp,
  formatQuantity,
  memoryMiB,
  parseQuantity,
  storageGiB,
  wholeQuantity,
  wholeUnits,
} from '../../../src/base/quantity.ts';

const nano = 1_000_000_000n;

test('parseQuantity: every suffix: its exact value', () => {
  const cases: [string, bigint][] = [
    ['0', 0n],
    ['1', nano],
    ['-1', -nano],
    ['+1', nano],
    ['.5', nano / 2n],
    ['5.', 5n * nano],
    ['1.25', (5n * nano) / 4n],
    ['1n', 1n],
    ['1u', 1000n],
    ['250m', 250_000_000n],
    ['1k', 1000n * nano],
    ['1M', 10n ** 6n * nano],
    ['1G', 10n ** 9n * nano],
    ['1T', 10n ** 12n * nano],
    ['1P', 10n ** 15n * nano],
    ['1E', 10n ** 18n * nano],
    ['1Ki', 1024n * nano],
    ['1Mi', 1024n ** 2n * nano],
    ['1Gi', 1024n ** 3n * nano],
    ['1Ti', 1024n ** 4n * nano],
    ['1Pi', 1024n ** 5n * nano],
    ['1Ei', 1024n ** 6n * nano],
    ['1e3', 1000n * nano],
    ['1E3', 1000n * nano],
    ['1.5e-3', 1_500_000n],
    ['12e+2', 1200n * nano],
    ['1.5Gi', (3n * 1024n ** 3n * nano) / 2n],
  ];
  for (const [text, expected] of cases) assert.equal(parseQuantity(text), expected, text);
});

test('parseQuantity: finer than a billionth: rounded away from zero', () => {
  assert.equal(parseQuantity('0.0000000001'), 1n);
  assert.equal(parseQuantity('-0.0000000001'), -1n);
  assert.equal(parseQuantity('1e-12'), 1n);
});

test('parseQuantity: what is no quantity: undefined', () => {
  const wrong = [
    '',
    ' 1',
    '1 ',
    '1ki',
    '1K',
    '1mi',
    '1e',
    '1e1.5',
    '.',
    '--1',
    '1,5',
    'NaN',
    '0x10',
    '1e99',
    '1GiB',
    '1\n',
  ];
  for (const text of [...wrong, '9'.repeat(65), null, undefined, {}, [], true, Number.NaN, Infinity]) {
    assert.equal(parseQuantity(text), undefined, JSON.stringify(text));
  }
});

test('parseQuantity: a number, as YAML has it: taken like its text', () => {
  assert.equal(parseQuantity(2), 2n * nano);
  assert.equal(parseQuantity(0.1), 100_000_000n);
  assert.equal(parseQuantity(1e21), 10n ** 21n * nano);
});

test('quantities: units for zun: always rounded up', () => {
  assert.equal(cpuMillicores(parseQuantity('100.5m') ?? 0n), 101);
  assert.equal(memoryMiB(parseQuantity('100M') ?? 0n), 96);
  assert.equal(memoryMiB(parseQuantity('1') ?? 0n), 1);
  assert.equal(memoryMiB(parseQuantity('128Mi') ?? 0n), 128);
  assert.equal(storageGiB(parseQuantity('1025Mi') ?? 0n), 2);
  assert.equal(wholeUnits(parseQuantity('1m') ?? 0n), 1);
  assert.equal(wholeUnits(parseQuantity('1e40') ?? 0n), Number.MAX_SAFE_INTEGER);
});

test('formatQuantity: canonical form: the largest suffix that leaves a whole number', () => {
  const cases: [string, 'decimal' | 'binary', string][] = [
    ['0', 'decimal', '0'],
    ['0.5', 'decimal', '500m'],
    ['1000', 'decimal', '1k'],
    ['1500', 'decimal', '1500'],
    ['1.5Gi', 'binary', '1536Mi'],
    ['1024', 'binary', '1Ki'],
    ['1000', 'binary', '1000'],
    ['0.5', 'binary', '500m'],
    ['-2k', 'decimal', '-2k'],
  ];
  for (const [text, form, expected] of cases) assert.equal(formatQuantity(parseQuantity(text) ?? 0n, form), expected);
});

const amount = fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n });

test('quantities: any amount: what is written is read back exactly', () => {
  fc.assert(
    fc.property(amount, fc.constantFrom('decimal' as const, 'binary' as const), (value, form) => {
      assert.equal(parseQuantity(formatQuantity(value, form)), value);
    }),
  );
});

test('quantities: any two: order and sum are those of the numbers', () => {
  fc.assert(
    fc.property(amount, amount, (left, right) => {
      assert.equal(addQuantities(left, right), left + right);
      assert.equal(Math.sign(compareQuantities(left, right)), left < right ? -1 : left > right ? 1 : 0);
    }),
  );
});

test('quantities: any amount: rounding up adds less than one unit', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 24n }), (value) => {
      const over = wholeQuantity(wholeUnits(value)) - value;
      assert.ok(over >= 0n && over < nano);
      assert.ok(divideUp(-value, nano) * nano >= -value);
    }),
  );
});

test('parseQuantity: any text: never throws', () => {
  fc.assert(fc.property(fc.string({ maxLength: 80 }), (text) => void parseQuantity(text)));
  const near = fc.stringMatching(/^[+-]?[0-9.]{0,20}[a-zA-Z]{0,3}[+-]?[0-9]{0,5}$/);
  fc.assert(fc.property(near, (text) => void parseQuantity(text)));
});
