import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emptyFollow, type FollowState, parseLog, takeNewLines } from '../../../src/server/log-merge.ts';

/** A line as Docker writes it: half seconds since the start, and a text. */
interface Written {
  halfSeconds: number;
  text: string;
}

function stamp(halfSeconds: number): string {
  return `${new Date(Date.UTC(2026, 0, 1) + halfSeconds * 500).toISOString().slice(0, 23)}000000Z`;
}

function answerOf(lines: Written[], sinceSeconds: number | undefined): string {
  const from = sinceSeconds === undefined ? '' : new Date(sinceSeconds * 1000).toISOString().slice(0, 19);
  return lines
    .map(({ halfSeconds, text }) => `${stamp(halfSeconds)} ${text}\n`)
    .filter((line) => line >= from)
    .join('');
}

/** Few texts and few times, so that lines often share both. */
const steps = fc.array(
  fc.record({
    /** Written since the last poll; times may stand still, and step back by up to one second. */
    lines: fc.array(fc.record({ advance: fc.integer({ min: -2, max: 3 }), text: fc.constantFrom('a', 'b', '') }), {
      maxLength: 6,
    }),
    /** The last line's end has not come yet when it is polled. */
    cut: fc.boolean(),
  }),
  { maxLength: 12 },
);

test('following a log: any lines, any polls, equal times and texts: none is lost, none comes twice', () => {
  fc.assert(
    fc.property(steps, (polls) => {
      const written: Written[] = [];
      const seen: string[] = [];
      let newest = 0;
      let state: FollowState = emptyFollow;
      const poll = (cut: boolean, isFinal: boolean): void => {
        const whole = answerOf(written, state.sinceSeconds);
        const text = cut ? whole.slice(0, -1) : whole;
        const taken = takeNewLines(state, parseLog(text), isFinal);
        state = taken.state;
        seen.push(...taken.fresh.map((line) => `${line.key} ${line.text}`));
      };
      for (const { lines, cut } of polls) {
        for (const { advance, text } of lines) {
          const halfSeconds = Math.max(0, newest + advance);
          written.push({ halfSeconds, text });
          newest = Math.max(newest, halfSeconds);
        }
        poll(cut && lines.length > 0, false);
      }
      poll(false, true);
      assert.deepEqual(
        seen,
        written.map(({ halfSeconds, text }) => `${stamp(halfSeconds)} ${text}`),
      );
    }),
    { numRuns: 2000 },
  );
});

test('following a log: asks for the newest two seconds only', () => {
  const lines = [
    { halfSeconds: 0, text: 'a' },
    { halfSeconds: 20, text: 'b' },
  ];
  const { state } = takeNewLines(emptyFollow, parseLog(answerOf(lines, undefined)), false);
  assert.equal(state.sinceSeconds, Date.UTC(2026, 0, 1) / 1000 + 8);
});

test('following a log that was rotated away: lines after the newest seen count as new', () => {
  const first = takeNewLines(
    emptyFollow,
    parseLog(
      answerOf(
        [1, 2, 3].map((n) => ({ halfSeconds: n, text: 'x' })),
        0,
      ),
    ),
    false,
  );
  const second = takeNewLines(first.state, parseLog(answerOf([{ halfSeconds: 4, text: 'y' }], 0)), false);
  assert.deepEqual(
    second.fresh.map((line) => line.text),
    ['y'],
  );
});

test('parsing a log: a line longer than 16 KiB, which Docker writes in parts with a time each: one line', () => {
  const long = 'x'.repeat(40_000);
  const parts = [0, 16_384, 32_768].map((at) => `${stamp(0)} ${long.slice(at, at + 16_384)}`).join('');
  assert.deepEqual(
    parseLog(`${parts}\n${stamp(1)} next\n`).map((line) => line.text),
    [long, 'next'],
  );
});

test('parsing a log: no line end at its end: the last line is not whole', () => {
  assert.deepEqual(
    parseLog(`${stamp(0)} a\n${stamp(0)} b`).map((line) => [line.text, line.isWhole]),
    [
      ['a', true],
      ['b', false],
    ],
  );
});

test('parsing a log: empty lines and lines of blanks: kept', () => {
  assert.deepEqual(
    parseLog(`${stamp(0)} \n${stamp(0)}   x\n`).map((line) => line.text),
    ['', '  x'],
  );
});
