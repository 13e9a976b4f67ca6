import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod } from '../../../src/kube/types.ts';
import { createPodStarts } from '../../../src/telemetry/pod-starts.ts';

const createdAt = Date.parse('2026-01-01T00:00:00Z');

function pod(...states: object[]): Pod {
  // Only what a start is seen by.
  return {
    metadata: { uid: 'u', creationTimestamp: new Date(createdAt).toISOString() },
    status: { containerStatuses: states.map((state) => ({ state })) },
  } as unknown as Pod;
}

function watched() {
  const seen: number[] = [];
  const clock = { now: createdAt };
  return {
    seen,
    clock,
    starts: createPodStarts(
      () => clock.now,
      (ms) => void seen.push(ms),
    ),
  };
}

test('pod starts: last container starts: the time since the creation is observed, once', () => {
  const { seen, clock, starts } = watched();
  starts.seen(pod());
  starts.seen(pod({ running: {} }, { waiting: {} }));
  clock.now += 2500;
  starts.seen(pod({ running: {} }, { terminated: {} }));
  starts.seen(pod({ waiting: {} }, { running: {} }));
  starts.seen(pod({ running: {} }, { running: {} }));
  assert.deepEqual(seen, [2500]);
});

test('pod starts: Pod had started when first seen: nothing is observed', () => {
  const { seen, starts } = watched();
  starts.seen(pod({ running: {} }));
  starts.seen(pod({ running: {} }));
  assert.deepEqual(seen, []);
});

test('pod starts: Pod goes and one of its UID comes: nothing is left of the first', () => {
  const { seen, starts } = watched();
  starts.seen(pod());
  starts.forget('u');
  starts.seen(pod({ running: {} }));
  assert.deepEqual(seen, []);
});
