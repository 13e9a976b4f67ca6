import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chaosPlan } from '../../chaos/plan.ts';

const fiveMinutesMs = 300_000;

test('chaos plan: the same seed: the same plan; another seed: another', () => {
  assert.deepEqual(chaosPlan(1, fiveMinutesMs), chaosPlan(1, fiveMinutesMs));
  assert.notDeepEqual(chaosPlan(1, fiveMinutesMs), chaosPlan(2, fiveMinutesMs));
});

test('chaos plan: five minutes: everything has its turn, in order and in time', () => {
  const { users, world, weather } = chaosPlan(1, fiveMinutesMs);
  for (const things of [users, world, weather]) {
    const moments = things.map(({ atMs }) => atMs);
    assert.deepEqual(
      moments,
      moments.toSorted((a, b) => a - b),
    );
    assert.ok(moments.every((atMs) => atMs >= 0 && atMs < fiveMinutesMs));
  }
  const kinds = new Set(weather.flatMap((entry) => entry.weather.zun.map(({ fault }) => fault.kind)));
  for (const kind of ['reset-before', 'reset-after', 'late', 'stale', 'cut', 'garbage', 'status', 'delay', 'refuse']) {
    assert.ok(
      [...kinds].some((found) => found === kind),
      kind,
    );
  }
});

test('chaos plan: what makes zunlet wait for minutes: not near the end', () => {
  const { weather } = chaosPlan(1, fiveMinutesMs);
  const late = weather.filter(({ atMs }) => atMs > fiveMinutesMs / 2).flatMap((entry) => entry.weather.zun);
  assert.ok(late.length > 0);
  assert.ok(late.every(({ fault }) => fault.kind !== 'hang' && fault.kind !== 'lose-answer'));
  assert.ok(late.every(({ fault }) => fault.kind !== 'status' || fault.status !== 403));
});
