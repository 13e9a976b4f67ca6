import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { KubeClient } from '../../../src/kube/client-types.ts';
import { runWatch } from '../../../src/kube/watch-session.ts';

test('watch: thousands of events in one piece: the event loop turns between slices of five milliseconds', async () => {
  const line = `${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a', uid: 'a' } } })}\n`;
  const watch: KubeClient['watch'] = async () => ({
    status: 200,
    headers: {},
    body: Readable.from([Buffer.from(line.repeat(1000))], { objectMode: false }),
  });
  let ms = 0;
  let turns = 0;
  let events = 0;
  let isDone = false;
  const turn = () => {
    turns += 1;
    if (!isDone) setImmediate(turn);
  };
  turn();
  await runWatch({
    // Nothing else is called.
    client: { watch } as KubeClient,
    // Each look at this clock takes a millisecond.
    clock: { now: () => 0, monotonic: () => ms++, after: () => () => {} },
    path: '/api/v1/pods',
    query: {},
    resourceVersion: '1',
    timeoutSeconds: 300,
    idleMs: 1e9,
    onOpen: () => {},
    onEvent: () => {
      events += 1;
    },
    attempt: 'watching',
    signal: new AbortController().signal,
  });
  isDone = true;
  assert.equal(events, 1000);
  assert.ok(turns > 100, `${turns} turns`);
});
