import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createEventCorrelator, type Occurrence } from '../../../src/kube/event-series.ts';

const nowMs = Date.parse('2026-01-01T00:00:00.500Z');
const about = (parts: Partial<Occurrence> & { name?: string } = {}): Occurrence => ({
  subject: { kind: 'Pod', name: parts.name ?? 'api-0', namespace: 'web', uid: `uid-${parts.name ?? 'api-0'}` },
  type: 'Warning',
  reason: 'BackOff',
  message: 'again',
  ...parts,
});

test('events: first occurrence: a complete core/v1 Event', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const subject = { ...about().subject, resourceVersion: '7', fieldPath: 'spec.containers{app}' };
  const { event } = correlator.observe(about({ subject }), nowMs, 0) ?? assert.fail('held back');
  assert.match(event.metadata.name, /^api-0\.[0-9a-f]{16}$/);
  assert.deepEqual(event, {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: event.metadata.name, namespace: 'web' },
    involvedObject: {
      apiVersion: 'v1',
      kind: 'Pod',
      name: 'api-0',
      namespace: 'web',
      uid: 'uid-api-0',
      resourceVersion: '7',
      fieldPath: 'spec.containers{app}',
    },
    type: 'Warning',
    reason: 'BackOff',
    message: 'again',
    source: { component: 'zunlet', host: 'zun-1' },
    reportingComponent: 'zunlet',
    reportingInstance: 'zun-1',
    firstTimestamp: '2026-01-01T00:00:00Z',
    lastTimestamp: '2026-01-01T00:00:00Z',
    count: 1,
  });
});

test('events: about a Node: lives in the namespace default', () => {
  const subject = { kind: 'Node', name: 'zun-1', namespace: '', uid: 'zun-1' } as const;
  const { event } = createEventCorrelator('zunlet', 'zun-1').observe(about({ subject }), nowMs, 0) ?? assert.fail();
  assert.equal(event.metadata.namespace, 'default');
  assert.equal('namespace' in event.involvedObject, false);
});

test('events: equal occurrences: one Event with a count', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const first = correlator.observe(about(), nowMs, 0);
  const second = correlator.observe(about(), nowMs + 5000, 5000);
  assert.equal(first, second);
  assert.equal(second?.event.count, 2);
  assert.equal(second?.event.lastTimestamp, '2026-01-01T00:00:05Z');
  assert.equal(second?.event.firstTimestamp, '2026-01-01T00:00:00Z');
});

test('events: another container of the Pod: an Event of its own', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const of = (container: string) => ({ ...about().subject, fieldPath: `spec.containers{${container}}` });
  const first = correlator.observe(about({ subject: of('a') }), nowMs, 0);
  assert.notEqual(correlator.observe(about({ subject: of('b') }), nowMs, 0), first);
});

test('events: ten different messages of one reason in ten minutes: the rest is combined', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const messages = Array.from({ length: 12 }, (_, at) => {
    const series = correlator.observe(about({ message: `failure ${at}` }), nowMs, at);
    return `${series?.event.count} ${series?.event.message}`;
  });
  assert.deepEqual(messages.slice(8), [
    '1 failure 8',
    '1 (combined from similar events): failure 9',
    '2 (combined from similar events): failure 10',
    '3 (combined from similar events): failure 11',
  ]);
});

test('events: message from before the flood comes again: counted on its own Event', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  for (let at = 0; at < 15; at++) correlator.observe(about({ message: `failure ${at}` }), nowMs, at);
  const series = correlator.observe(about({ message: 'failure 0' }), nowMs, 20);
  assert.deepEqual([series?.event.message, series?.event.count], ['failure 0', 2]);
});

test('events: quiet for ten minutes: messages stand alone again', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  for (let at = 0; at < 12; at++) correlator.observe(about({ message: `failure ${at}` }), nowMs, at);
  const series = correlator.observe(about({ message: 'new' }), nowMs + 700_000, 700_000);
  assert.equal(series?.event.message, 'new');
});

test('events: a subject that tells too much: 25 at once, then one every five minutes', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const told = (at: number) => correlator.observe(about(), nowMs + at, at) !== undefined;
  assert.equal(Array.from({ length: 30 }, () => told(0)).filter(Boolean).length, 25);
  assert.deepEqual([told(299_000), told(300_000), told(300_001)], [false, true, false]);
});

test('events: one subject tells too much: others are heard', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  for (let at = 0; at < 30; at++) correlator.observe(about(), nowMs, 0);
  assert.ok(correlator.observe(about({ name: 'db-0' }), nowMs, 0));
});

test('events: longest names and texts: cut to what the API takes', () => {
  const name = `${'a'.repeat(252)}b`;
  const subject = { ...about().subject, name };
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const long = about({ subject, reason: 'R'.repeat(200), message: 'm'.repeat(2000) });
  const { event } = correlator.observe(long, nowMs, 0) ?? assert.fail();
  assert.ok(event.metadata.name.length <= 253);
  assert.match(event.metadata.name, /^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  assert.deepEqual([event.reason?.length, event.message?.length], [128, 1024]);
});

test('events: many in one millisecond: all have different names', () => {
  const correlator = createEventCorrelator('zunlet', 'zun-1');
  const names = Array.from(
    { length: 9 },
    (_, at) => correlator.observe(about({ message: `${at}` }), nowMs, 0)?.event.metadata.name,
  );
  assert.equal(new Set(names).size, 9);
});
