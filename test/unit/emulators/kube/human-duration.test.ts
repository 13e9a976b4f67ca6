import assert from 'node:assert/strict';
import { test } from 'node:test';
import { age, humanDuration } from '../../../../src/emulators/kube/human-duration.ts';

const minute = 60;
const hour = 60 * minute;
const day = 24 * hour;
const year = 365 * day;
const cases: [seconds: number, wanted: string][] = [
  [-2, '<invalid>'],
  [0, '0s'],
  [119, '119s'],
  [120, '2m'],
  [599, '9m59s'],
  [600, '10m'],
  [179 * minute, '179m'],
  [3 * hour, '3h'],
  [7 * hour + 59 * minute, '7h59m'],
  [8 * hour + 59 * minute, '8h'],
  [47 * hour, '47h'],
  [48 * hour, '2d'],
  [7 * day + 23 * hour, '7d23h'],
  [8 * day + hour, '8d'],
  [2 * year - day, '729d'],
  [2 * year, '2y'],
  [2 * year + 5 * day, '2y5d'],
  [8 * year + 5 * day, '8y'],
];
for (const [seconds, wanted] of cases) {
  test(`age: ${seconds} s: ${wanted}`, () => assert.equal(humanDuration(seconds * 1000), wanted));
}

test('age: no time: unknown', () => assert.equal(age('', 0), '<unknown>'));
