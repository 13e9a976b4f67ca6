import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { isRefusal, type LogOptions, logOptions, timeKey } from '../../../src/server/log-options.ts';
import { type LogSource, sendLogs } from '../../../src/server/logs.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const nowMs = Date.UTC(2026, 0, 1, 0, 1, 0);

function stamped(second: number, text: string, nanos = '000000000'): string {
  return `2026-01-01T00:00:${String(second).padStart(2, '0')}.${nanos}Z ${text}\n`;
}

const three = [stamped(10, 'one'), stamped(20, 'two'), stamped(30, 'three', '000000001')];

function optionsOf(query: string): LogOptions {
  const options = logOptions(new URLSearchParams(query), nowMs);
  assert.ok(!isRefusal(options));
  return options;
}

/** A source with Docker's way of `tail` and `since`. */
function source(lines: string[], isRunning: () => boolean = () => false): LogSource & { calls: number } {
  const self = {
    calls: 0,
    fetch({ tail, sinceSeconds }: { tail?: number; sinceSeconds?: number }) {
      self.calls += 1;
      const last = tail === undefined ? lines : lines.slice(lines.length - tail);
      const from = sinceSeconds === undefined ? '' : new Date(sinceSeconds * 1000).toISOString().slice(0, 19);
      return Promise.resolve(last.filter((line) => line >= from).join(''));
    },
    isRunning: () => Promise.resolve(isRunning()),
  };
  return self;
}

async function logsOf(query: string, lines = three): Promise<string> {
  let text = '';
  await sendLogs(optionsOf(query), source(lines), {
    sink: {
      begin() {},
      write(bytes) {
        text += bytes.toString();
        return Promise.resolve();
      },
    },
    clock: createManualClock(nowMs),
    signal: new AbortController().signal,
  });
  return text;
}

for (const [query, expected] of [
  ['', 'one\ntwo\nthree\n'],
  ['tailLines=0', ''],
  ['tailLines=2', 'two\nthree\n'],
  ['tail=1', 'three\n'],
  ['tail=all', 'one\ntwo\nthree\n'],
  ['sinceSeconds=40', 'two\nthree\n'],
  ['sinceTime=2026-01-01T00:00:30Z', 'three\n'],
  ['sinceTime=2026-01-01T01:00:30.000000002%2B01:00', ''],
  ['sinceTime=2026-01-01T00:00:10Z&tailLines=1', 'three\n'],
  ['limitBytes=6', 'one\ntw'],
  ['limitBytes=1', 'o'],
  ['timestamps=true&tailLines=1', '2026-01-01T00:00:30.000000001Z three\n'],
  ['timestamps=1&limitBytes=12', '2026-01-01T0'],
  ['tailLines=1000', 'one\ntwo\nthree\n'],
] as const) {
  test(`logs: ?${query}: ${JSON.stringify(expected)}`, async () => {
    assert.equal(await logsOf(query), expected);
  });
}

test('logs: the last line has no end: none is added', async () => {
  assert.equal(await logsOf('', [stamped(1, 'a'), stamped(2, 'b').trimEnd()]), 'a\nb');
});

for (const [query, status] of [
  ['tailLines=x', 400],
  ['limitBytes=1.5', 400],
  ['sinceSeconds=', 0],
  ['sinceSeconds=0', 422],
  ['sinceTime=yesterday', 400],
  ['tailLines=-1', 422],
  ['limitBytes=0', 422],
  ['sinceSeconds=1&sinceTime=2026-01-01T00:00:00Z', 422],
  ['stream=Stdout&tailLines=1', 422],
  ['stream=Other', 422],
  ['stream=Stderr', 0],
] as const) {
  test(`log options: ?${query}: ${status || 'accepted'}`, () => {
    const options = logOptions(new URLSearchParams(query), nowMs);
    assert.equal(isRefusal(options) ? options.status : 0, status);
  });
}

for (const [query, follow] of [
  ['', false],
  ['follow=true', true],
  ['follow=1', true],
  ['follow', true],
  ['follow=false', false],
  ['follow=False', false],
  ['follow=0', false],
] as const) {
  test(`log options: ?${query}: ${follow ? 'follows' : 'does not follow'}`, () => {
    assert.equal(optionsOf(query).follow, follow);
  });
}

for (const [text, key] of [
  ['2026-01-01T00:00:00Z', '2026-01-01T00:00:00.000000000Z'],
  ['2026-01-01T00:00:00.5z', '2026-01-01T00:00:00.500000000Z'],
  ['2026-01-01T02:00:00.123456789+02:00', '2026-01-01T00:00:00.123456789Z'],
  ['2025-12-31T23:00:00-01:00', '2026-01-01T00:00:00.000000000Z'],
  ['2026-13-01T00:00:00Z', undefined],
  ['2026-01-01', undefined],
] as const) {
  test(`time key: ${text}: ${key}`, () => assert.equal(timeKey(text), key));
}

for (const tail of [undefined, 0, 1, 2, 3, 99]) {
  test(`following with tail ${tail}: lines of one second come while the question is asked: each once`, async () => {
    const lines = [stamped(10, 'one'), stamped(20, 'two'), stamped(20, 'three')];
    let isRunning = true;
    const clock = createManualClock(nowMs);
    const source_ = source(lines, () => isRunning);
    const seen: string[] = [];
    const query = `follow=true${tail === undefined ? '' : `&tailLines=${tail}`}`;
    const done = sendLogs(optionsOf(query), source_, {
      sink: {
        begin() {},
        write(bytes) {
          seen.push(bytes.toString());
          return Promise.resolve();
        },
      },
      clock,
      signal: new AbortController().signal,
    });
    await clock.advance(10);
    lines.push(stamped(20, 'three'), stamped(21, 'four'));
    await clock.advance(5_000);
    isRunning = false;
    lines.push(stamped(22, 'last words'));
    await clock.advance(20_000);
    await done;
    const before = tail === undefined ? ['one', 'two', 'three'] : ['one', 'two', 'three'].slice(3 - Math.min(3, tail));
    assert.equal(seen.join(''), [...before, 'three', 'four', 'last words', ''].join('\n'));
  });
}

test('following: the cloud does not answer for a while: goes on afterwards', async () => {
  const lines = [stamped(10, 'one')];
  let failures = 0;
  const plain = source(lines, () => false);
  const clock = createManualClock(nowMs);
  let text = '';
  const done = sendLogs(
    optionsOf('follow=1'),
    {
      ...plain,
      fetch(query, signal) {
        if (plain.calls === 1 && failures++ < 3) {
          return Promise.reject(new AppError({ kind: 'retryable', code: 'x', message: 'no answer' }));
        }
        return plain.fetch(query, signal);
      },
    },
    {
      sink: {
        begin() {},
        write(bytes) {
          text += bytes.toString();
          return Promise.resolve();
        },
      },
      clock,
      signal: new AbortController().signal,
    },
  );
  await clock.advance(10);
  lines.push(stamped(11, 'two'));
  await clock.advance(120_000);
  await done;
  assert.equal(text, 'one\ntwo\n');
});

test('following: the client goes: nothing is asked any more', async () => {
  const clock = createManualClock(nowMs);
  const gone = new AbortController();
  const plain = source(three, () => true);
  const done = sendLogs(optionsOf('follow=1'), plain, {
    sink: { begin() {}, write: () => Promise.resolve() },
    clock,
    signal: gone.signal,
  });
  done.catch(() => {});
  await clock.advance(10_000);
  gone.abort(new Error('gone'));
  await assert.rejects(done, /gone/);
  const { calls } = plain;
  await clock.advance(60_000);
  assert.equal(plain.calls, calls);
});
