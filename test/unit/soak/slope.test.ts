import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fitSlope } from '../../soak/slope.ts';

const hourMs = 3_600_000;

test('slope: a straight line: found, and sure of it', () => {
  const samples = [0, 1, 2, 3, 4].map((n) => ({ atMs: (n * hourMs) / 10, value: 100 + 3 * n }));
  const { perHour, plusMinus } = fitSlope(samples);
  assert.ok(Math.abs(perHour - 30) < 1e-9);
  assert.ok(plusMinus < 1e-9);
});

test('slope: noise around a level: the interval holds zero', () => {
  const samples = Array.from({ length: 100 }, (_, n) => ({ atMs: n * 1000, value: 50 + (n % 2 === 0 ? 1 : -1) }));
  const { perHour, plusMinus } = fitSlope(samples);
  assert.ok(Math.abs(perHour) < plusMinus);
});

test('slope: two samples: flat, and sure of nothing', () => {
  const samples = [
    { atMs: 0, value: 1 },
    { atMs: 1, value: 2 },
  ];
  assert.deepEqual(fitSlope(samples), { perHour: 0, plusMinus: Number.POSITIVE_INFINITY });
});
