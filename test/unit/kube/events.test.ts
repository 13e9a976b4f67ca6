import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { KubeClient } from '../../../src/kube/client-types.ts';
import { createEventRecorder } from '../../../src/kube/events.ts';
import type { EventSubject } from '../../../src/sync/ports.ts';
import { runClock, settled } from '../../lib/run-clock.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';

const subject: EventSubject = { kind: 'Pod', name: 'api-0', namespace: 'web', uid: 'u1' };
const failure = (kind: AppError['kind'], code = kind) => new AppError({ kind, code, message: code });

/** A recorder whose API server answers calls with what `answer` throws or returns. */
function setup(answer: (call: string, count: number) => Promise<void> | void = () => {}, capacity = 1000) {
  const clock = createVirtualClock();
  const calls: string[] = [];
  const call = async (text: string) => {
    calls.push(text);
    await answer(text, calls.length);
  };
  const client: Pick<KubeClient, 'create' | 'patch'> = {
    async create<T>(path: string, body: object) {
      const event = body as { reason: string; message: string; count: number };
      await call(`POST ${path.split('/')[4]} ${event.reason} "${event.message}" x${event.count}`);
      return {} as T;
    },
    async patch<T>(_: string, body: object) {
      const event = body as { message: string; count: number };
      await call(`PATCH "${event.message}" x${event.count}`);
      return {} as T;
    },
  };
  const recorder = createEventRecorder({
    // Only these two calls are made.
    client: client as KubeClient,
    clock,
    random: seededRandom(1),
    log: silentLog,
    component: 'zunlet',
    host: 'zun-1',
    capacity,
  });
  const tell = (message: string, reason = 'BackOff') => recorder.record(subject, 'Warning', reason, message);
  return { clock, calls, recorder, tell };
}

test('event recorder: one occurrence: one POST', async () => {
  const { calls, tell } = setup();
  tell('again');
  await settled();
  assert.deepEqual(calls, ['POST web BackOff "again" x1']);
});

test('event recorder: it happens again later: PATCH of the count', async () => {
  const { calls, tell } = setup();
  tell('again');
  await settled();
  tell('again');
  await settled();
  assert.deepEqual(calls, ['POST web BackOff "again" x1', 'PATCH "again" x2']);
});

test('event recorder: many equal ones while the first is under way: one PATCH for all', async () => {
  const gate = Promise.withResolvers<void>();
  const { calls, tell } = setup((_, count) => (count === 1 ? gate.promise : undefined));
  tell('again');
  await settled();
  for (let at = 0; at < 5; at++) tell('again');
  gate.resolve();
  await settled();
  assert.deepEqual(calls, ['POST web BackOff "again" x1', 'PATCH "again" x6']);
});

test('event recorder: event expired on the server: made anew', async () => {
  const { calls, tell } = setup((call) => {
    if (call.startsWith('PATCH')) throw failure('not-found');
  });
  tell('again');
  await settled();
  tell('again');
  await settled();
  assert.deepEqual(calls, ['POST web BackOff "again" x1', 'PATCH "again" x2', 'POST web BackOff "again" x2']);
});

test('event recorder: POST that arrived before: counts as stored', async () => {
  const { calls, tell } = setup((_, count) => {
    if (count === 1) throw failure('conflict', 'conflict');
  });
  tell('again');
  await settled();
  tell('again');
  await settled();
  assert.equal(calls[1], 'PATCH "again" x2');
});

test('event recorder: refused by the API server: dropped and counted', async () => {
  const { calls, recorder, tell } = setup(() => {
    throw failure('forbidden', 'forbidden');
  });
  tell('again');
  await settled();
  assert.deepEqual([calls.length, recorder.lost()], [1, 1]);
});

test('event recorder: server out of reach: tried again with growing pauses, then given up', async () => {
  const { clock, calls, recorder, tell } = setup(() => {
    throw failure('retryable');
  });
  tell('again');
  await runClock(clock, 3_000_000);
  assert.deepEqual([calls.length, recorder.lost()], [12, 1]);
});

test('event recorder: server back: what waited is sent', async () => {
  let isDown = true;
  const { clock, calls, recorder, tell } = setup(() => {
    if (isDown) throw failure('retryable');
  });
  tell('one');
  tell('two', 'Other');
  await runClock(clock, 100);
  isDown = false;
  calls.length = 0;
  await runClock(clock, 20_000);
  assert.deepEqual(calls.sort(), ['POST web BackOff "one" x1', 'POST web Other "two" x1']);
  assert.equal(recorder.lost(), 0);
});

test('event recorder: Retry-After: obeyed', async () => {
  const at: number[] = [];
  const { clock, tell } = setup((_, count) => {
    at.push(clock.monotonic());
    if (count === 1) throw new AppError({ kind: 'retryable', code: 'x', message: 'x', retryAfterMs: 30_000 });
  });
  tell('again');
  await runClock(clock, 60_000);
  assert.deepEqual(at, [0, 30_000]);
});

test('event recorder: too many wait: the newest are lost, nobody is blocked', async () => {
  const { recorder } = setup(() => new Promise(() => {}), 10);
  for (let at = 0; at < 50; at++) {
    recorder.record({ ...subject, name: `p-${at}`, uid: `u-${at}` }, 'Normal', 'Created', 'Container created');
  }
  await settled();
  // Sixteen are under way and ten wait.
  assert.equal(recorder.lost(), 24);
});

test('event recorder: flush with nothing waiting: true at once', async () => {
  assert.equal(await setup().recorder.flush(1000), true);
});

test('event recorder: flush while some are under way: true when they are sent', async () => {
  const gate = Promise.withResolvers<void>();
  const { recorder, tell } = setup(() => gate.promise);
  tell('last words');
  const flushed = recorder.flush(1000);
  gate.resolve();
  assert.equal(await flushed, true);
});

test('event recorder: flush and the server does not answer: false when the time is over', async () => {
  const { clock, recorder, tell } = setup(() => new Promise(() => {}));
  tell('last words');
  const flushed = recorder.flush(1000);
  await runClock(clock, 1000);
  assert.equal(await flushed, false);
});

test('event recorder: stopped: sends nothing more', async () => {
  const { calls, recorder, tell } = setup();
  recorder.stop();
  tell('too late');
  await settled();
  assert.deepEqual(calls, []);
});
