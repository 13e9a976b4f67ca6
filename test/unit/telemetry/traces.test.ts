import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import type { Pod } from '../../../src/kube/types.ts';
import type { Span } from '../../../src/telemetry/otlp.ts';
import { createTraces, tracesFrom } from '../../../src/telemetry/traces.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const uid = '0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0';
const boundAt = '2026-01-01T00:00:00Z';

function pod(status: object = {}): Pod {
  // Only what a trace is made of.
  return {
    metadata: { uid, name: 'web', namespace: 'shop' },
    status: { conditions: [{ type: 'PodScheduled', lastTransitionTime: boundAt }], ...status },
  } as unknown as Pod;
}

const running = pod({ containerStatuses: [{ state: { running: {} } }] });

function traced() {
  const spans: Span[] = [];
  const clock = createManualClock(Date.parse(boundAt) + 1000);
  const exporter = { add: (span: Span) => void spans.push(span), stop: async () => {} };
  return { spans, clock, traces: createTraces(exporter, clock) };
}

const call = {
  service: 'zun',
  operation: 'capsules.create',
  code: '202',
  durationMs: 300,
  requestId: 'req-1',
} as const;

test('traces: a Pod starts: one span from its binding, under the id of the Pod', async () => {
  const { spans, clock, traces } = traced();
  traces.seen(pod());
  await clock.advance(4000);
  traces.seen(running);
  traces.seen(running);
  assert.equal(spans.length, 1);
  const [span] = spans;
  assert.equal(span?.traceId, uid.replaceAll('-', ''));
  assert.equal(span?.startMs, Date.parse(boundAt));
  assert.equal(span?.endMs, Date.parse(boundAt) + 5000);
  assert.equal(span?.error, undefined);
});

test('traces: a call inside the run of a Pod: a child with the request id of the service', async () => {
  const { spans, traces } = traced();
  traces.seen(pod());
  await traces.around(uid, async () => {
    await Promise.resolve();
    traces.call(call);
  });
  traces.seen(running);
  const [child, root] = spans;
  assert.equal(child?.parentSpanId, root?.spanId);
  assert.equal(child?.traceId, root?.traceId);
  assert.equal(child?.name, 'zun capsules.create');
  assert.deepEqual(child?.attributes, { 'http.response.status_code': 202, 'openstack.request_id': 'req-1' });
});

test('traces: a call of nobody, and one for a Pod that had started: no span', async () => {
  const { spans, traces } = traced();
  traces.call(call);
  traces.seen(running);
  await traces.around(uid, async () => traces.call(call));
  assert.deepEqual(spans, []);
});

test('traces: a call without an answer: its child says which error', async () => {
  const { spans, traces } = traced();
  traces.seen(pod());
  await traces.around(uid, async () => traces.call({ ...call, code: 'http.timeout', requestId: undefined }));
  assert.equal(spans[0]?.error, 'http.timeout');
});

test('traces: a Pod fails, another is deleted before its start: their spans say so', () => {
  const failed = traced();
  failed.traces.seen(pod());
  failed.traces.seen(pod({ phase: 'Failed', message: 'no host had room' }));
  assert.equal(failed.spans[0]?.error, 'no host had room');
  const deleted = traced();
  deleted.traces.seen(pod());
  deleted.traces.forget(uid);
  assert.equal(deleted.spans[0]?.error, 'the Pod was deleted before it had started');
});

test('traces: a Pod that is tried for ever: its trace does not grow for ever', async () => {
  const { spans, traces } = traced();
  traces.seen(pod());
  for (let index = 0; index < 1000; index += 1) await traces.around(uid, async () => traces.call(call));
  assert.equal(spans.length, 128);
});

test('traces: no collector in the environment: there are none', () => {
  const deps = { clock: createManualClock(), log: silentLog, node: 'n', version: '1' };
  assert.equal(tracesFrom({}, deps), undefined);
  assert.equal(tracesFrom({ OTEL_EXPORTER_OTLP_ENDPOINT: '' }, deps), undefined);
  assert.notEqual(tracesFrom({ OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1' }, deps), undefined);
});
