import assert from 'node:assert/strict';
import { test } from 'node:test';
import { afterResult, initialState, type ProbeKind, probeTimes, type Verdict } from '../../../src/probes/state.ts';

/** Feeds results (`+` success, `-` failure) to a probe and writes the verdict after each. */
function feed(kind: ProbeKind, results: string, thresholds: { success: number; failure: number }, isAdopted = false) {
  let state = initialState(kind, isAdopted);
  const verdicts: Verdict[] = [];
  for (const result of results) {
    const next = afterResult(state, kind, result === '+' ? 'success' : 'failure', {
      successThreshold: thresholds.success,
      failureThreshold: thresholds.failure,
    });
    state = next.state;
    verdicts.push(state.verdict);
  }
  return { state, verdicts };
}

const once = { success: 1, failure: 3 };

const beginnings: [ProbeKind, boolean, Verdict][] = [
  ['Readiness', false, 'failure'],
  ['Liveness', false, 'success'],
  ['Startup', false, 'unknown'],
  ['Readiness', true, 'kept'],
  ['Liveness', true, 'success'],
  ['Startup', true, 'kept'],
];
for (const [kind, isAdopted, verdict] of beginnings) {
  test(`probe state: ${kind} of a run that began ${isAdopted ? 'before us' : 'now'}: ${verdict}`, () => {
    assert.equal(initialState(kind, isAdopted).verdict, verdict);
  });
}

test('probe state: failures below the threshold: the verdict stays, the third changes it', () => {
  assert.deepEqual(feed('Readiness', '+---', once).verdicts, ['success', 'success', 'success', 'failure']);
});

test('probe state: a success between failures: the count begins again', () => {
  assert.deepEqual(feed('Liveness', '--+--', once).verdicts, Array(5).fill('success'));
});

test('probe state: readiness needs two successes: one is not enough', () => {
  assert.deepEqual(feed('Readiness', '+-++', { success: 2, failure: 1 }).verdicts, [
    'failure',
    'failure',
    'failure',
    'success',
  ]);
});

test('probe state: nothing decided after our restart: what was published is kept', () => {
  assert.deepEqual(feed('Readiness', '---', once, true).verdicts, ['kept', 'kept', 'failure']);
});

test('probe state: liveness fails for good: it holds', () => {
  assert.deepEqual(feed('Liveness', '---', once).state, {
    verdict: 'failure',
    last: 'failure',
    count: 0,
    onHold: true,
  });
});

test('probe state: the start is decided either way: it holds', () => {
  assert.equal(feed('Startup', '+', once).state.onHold, true);
  assert.equal(feed('Startup', '---', once).state.onHold, true);
  assert.equal(feed('Startup', '--', once).state.onHold, false);
});

test('probe state: readiness goes back and forth: it never holds', () => {
  assert.equal(feed('Readiness', '---+---', once).state.onHold, false);
});

test('probe times: nothing is given: the defaults of the API', () => {
  assert.deepEqual(probeTimes({}), {
    initialDelayMs: 0,
    timeoutMs: 1_000,
    periodMs: 10_000,
    successThreshold: 1,
    failureThreshold: 3,
  });
});
