import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import type { Log } from '../../../src/base/log.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createExporter, type Span } from '../../../src/telemetry/otlp.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const received: { url: string | undefined; header: string | undefined; body: unknown }[] = [];
let status = 200;
const collector = createServer((request, response) => {
  void text(request).then((body) => {
    received.push({ url: request.url, header: request.headers['x-key']?.toString(), body: JSON.parse(body) });
    response.writeHead(status).end('{}');
  });
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(collector.address() as AddressInfo).port}/v1/traces`;
after(() => collector.close());

const span: Span = {
  traceId: '0f1e2d3c4b5a69788796a5b4c3d2e1f0',
  spanId: '0011223344556677',
  name: 'start pod',
  startMs: 1_767_225_600_000.25,
  endMs: 1_767_225_601_000,
  attributes: { 'k8s.pod.name': 'web', 'http.response.status_code': 202 },
};

function exporter(log: Log = silentLog) {
  const clock = createManualClock();
  const made = createExporter({
    url,
    headers: { 'x-key': 'k' },
    resource: { 'service.name': 'zunlet' },
    clock,
    log,
    send: fetch,
  });
  return { clock, made };
}

test('otlp: spans of five seconds: go in one request, as the protocol has them', async () => {
  const { clock, made } = exporter();
  made.add(span);
  made.add({ ...span, spanId: '8899aabbccddeeff', parentSpanId: span.spanId, isClient: true, error: 'http.timeout' });
  await clock.advance(5000);
  await made.stop();
  assert.equal(received.length, 1);
  const [{ url: path, header, body } = { url: '', header: '', body: {} }] = received;
  assert.equal(path, '/v1/traces');
  assert.equal(header, 'k');
  const [resource] = (body as { resourceSpans: { scopeSpans: { spans: Record<string, unknown>[] }[] }[] })
    .resourceSpans;
  const [first, second] = resource?.scopeSpans[0]?.spans ?? [];
  assert.equal(first?.['startTimeUnixNano'], '1767225600000250000');
  assert.deepEqual(first?.['status'], { code: 1 });
  assert.deepEqual(first?.['attributes'], [
    { key: 'k8s.pod.name', value: { stringValue: 'web' } },
    { key: 'http.response.status_code', value: { intValue: '202' } },
  ]);
  assert.equal(second?.['kind'], 3);
  assert.equal(second?.['parentSpanId'], span.spanId);
  assert.deepEqual(second?.['status'], { code: 2, message: 'http.timeout' });
});

test('otlp: collector refuses again and again: one line in the log, and nothing is thrown', async () => {
  status = 503;
  const lines: string[] = [];
  const { made } = exporter({ ...silentLog, warn: (message) => void lines.push(message) });
  made.add(span);
  await made.stop();
  made.add(span);
  await made.stop();
  assert.deepEqual(lines, ['traces not sent']);
});
