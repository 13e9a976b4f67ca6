import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseStatusDetail, type StatusDetail } from '../../../src/status/status-detail.ts';
import { kubeTime, zunTimeMs } from '../../../src/status/time.ts';

const seconds = { unitMs: 1_000 };
const details: [string | null, StatusDetail | undefined][] = [
  ['Exited(3) 5 seconds ago ', { kind: 'exited', exitCode: 3, withError: false, ageMs: 5_000, ...seconds }],
  ['Exited(0) None ago ', { kind: 'exited', exitCode: 0, withError: false, ageMs: 0, ...seconds }],
  [
    'Exited(127) 2 mins ago (error)',
    { kind: 'exited', exitCode: 127, withError: true, ageMs: 120_000, unitMs: 60_000 },
  ],
  [
    'Exited(-1) 9 days ago ',
    { kind: 'exited', exitCode: -1, withError: false, ageMs: 777_600_000, unitMs: 86_400_000 },
  ],
  ['Exited(1) sometime ago ', { kind: 'exited', exitCode: 1, withError: false, ageMs: 0, ...seconds }],
  ['Up 3 hours', { kind: 'up', ageMs: 10_800_000, unitMs: 3_600_000 }],
  ['Up 1 mins (paused)', { kind: 'up', ageMs: 60_000, unitMs: 60_000 }],
  ['Up forever', undefined],
  ['Created', undefined],
  ['Restarting', undefined],
  ['', undefined],
  [null, undefined],
];

for (const [text, expected] of details) {
  test(`status detail: ${JSON.stringify(text)}: ${expected?.kind ?? 'nothing'}`, () => {
    assert.deepEqual(parseStatusDetail(text), expected);
  });
}

test('times: Zun writes naive UTC, with and without fraction and offset: the same moment', () => {
  const expected = Date.parse('2026-11-23T13:48:37Z');
  assert.equal(zunTimeMs('2026-11-23 13:48:37'), expected);
  assert.equal(zunTimeMs('2026-11-23 13:48:37.253965'), expected + 253);
  assert.equal(zunTimeMs('2026-11-23 13:48:37+00:00'), expected);
  assert.equal(zunTimeMs('2026-11-23T13:48:37'), expected);
  assert.equal(zunTimeMs('soon'), undefined);
  assert.equal(zunTimeMs(null), undefined);
});

test('times: a fraction of a second: it is cut, as the API server stores no more', () => {
  assert.equal(kubeTime(Date.parse('2026-01-01T00:00:00.999Z')), '2026-01-01T00:00:00Z');
});
