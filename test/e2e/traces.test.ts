/** Traces of a real start: what a collector hears. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { path } from './lib/bed.ts';
import { startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { until } from './lib/processes.ts';
import { startZunlet } from './lib/zunlet.ts';

interface WireSpan {
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  attributes: { key: string; value: { stringValue?: string } }[];
}

const spans: WireSpan[] = [];
const collector = createServer((request, response) => {
  void text(request).then((body) => {
    const sent = JSON.parse(body) as { resourceSpans: { scopeSpans: { spans: WireSpan[] }[] }[] };
    spans.push(...sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans)));
    response.end('{}');
  });
});
await new Promise<void>((resolve) => collector.listen(0, '127.0.0.1', resolve));
const endpoint = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
const [plane, cloud] = await Promise.all([startControlPlane(), startEmulatedCloud()]);
const zunlet = await startZunlet({
  plane,
  cloud: { ...cloud.env, OTEL_EXPORTER_OTLP_ENDPOINT: endpoint },
  nodeName: 'zun-node',
  flags: { settle: '2s' },
});
const pods = await observePods(plane.api);
after(async () => {
  await pods.stop();
  await zunlet.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
  collector.close();
});

test('traces: a Pod starts: one trace under its UID, with the create and the request id of Zun', async () => {
  await plane.api.post(path.pods, pod('traced'));
  const running = await pods.until('traced runs', () => isRunning(pods.get('traced')) && pods.get('traced'));
  const traceId = running.metadata.uid.replaceAll('-', '');
  const root = await until('its trace is there', () =>
    spans.find((span) => span.traceId === traceId && span.name === 'start pod'),
  );
  const create = spans.find((span) => span.traceId === traceId && span.name === 'zun capsules.create');
  assert.equal(create?.parentSpanId, root.spanId);
  const id = create?.attributes.find(({ key }) => key === 'openstack.request_id');
  assert.match(id?.value.stringValue ?? '', /^req-/);
});
