import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cpuMillicores, formatQuantity, memoryMiB, parseQuantity } from '../../../src/base/quantity.ts';

const suffix = fc.constantFrom(
  '',
  'n',
  'u',
  'm',
  'k',
  'M',
  'G',
  'T',
  'P',
  'E',
  'Ki',
  'Mi',
  'Gi',
  'Ti',
  'Pi',
  'Ei',
  'e3',
  'E-3',
  'e+64',
);
const digits = fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 1, maxLength: 20 });
const form = fc.oneof(
  digits,
  fc.tuple(digits, digits).map(([whole, fraction]) => `${whole}.${fraction}`),
  digits.map((fraction) => `.${fraction}`),
  digits.map((whole) => `${whole}.`),
);
const wellFormed = fc.tuple(fc.constantFrom('', '+', '-'), form, suffix).map((parts) => parts.join(''));

test('fuzz quantities: every form that Kubernetes knows: read, and read again as it was written', () => {
  fc.assert(
    fc.property(wellFormed, (text) => {
      const quantity = parseQuantity(text);
      assert.notEqual(quantity, undefined, text);
      if (quantity === undefined) return;
      assert.equal(parseQuantity(formatQuantity(quantity)), quantity, text);
      assert.equal(typeof cpuMillicores(quantity), 'number');
      assert.equal(typeof memoryMiB(quantity), 'number');
    }),
    { numRuns: 1000 },
  );
});

test('fuzz quantities: anything at all: a quantity or nothing, at once', () => {
  const odd = fc.oneof(
    fc.string(),
    fc.string({ unit: fc.constantFrom(...'0123456789.eE+-kKMi \u0000'.split(''), '😀') }),
    fc.anything(),
    fc.constantFrom('9'.repeat(1e6), `1e${'9'.repeat(50)}`, '1e65', '-1e-65', '0x1', 'NaN', 'Infinity', '1 Ki', '１'),
  );
  fc.assert(
    fc.property(odd, (value) => {
      const quantity = parseQuantity(value);
      assert.ok(quantity === undefined || typeof quantity === 'bigint');
    }),
    { numRuns: 1000 },
  );
});
