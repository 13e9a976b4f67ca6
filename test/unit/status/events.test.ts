import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodStatus } from '../../../src/kube/types.ts';
import { statusEvents } from '../../../src/status/events.ts';
import { pod } from '../../lib/builders.ts';

const waiting = { name: 'debugger', image: 'busybox', imageID: '', ready: false, restartCount: 0, started: false };
const refused: PodStatus = {
  phase: 'Running',
  ephemeralContainerStatuses: [
    { ...waiting, state: { waiting: { reason: 'CreateContainerError', message: 'no way' } } },
  ],
};

test('events: a debug container that cannot be added: one Event about it, no second', () => {
  const expected = { type: 'Warning', reason: 'Failed', message: 'Error: no way' };
  assert.deepEqual(statusEvents({ phase: 'Running' }, refused, pod()), [
    { ...expected, fieldPath: 'spec.ephemeralContainers{debugger}' },
  ]);
  assert.deepEqual(statusEvents(refused, refused, pod()), []);
});

const resizePending: PodStatus = {
  phase: 'Running',
  conditions: [{ type: 'PodResizePending', status: 'True', reason: 'Infeasible', message: 'it keeps 100m' }],
};

test('events: a resize that the capsule does not follow: one Event about it, no second', () => {
  assert.deepEqual(statusEvents({ phase: 'Running' }, resizePending, pod()), [
    { type: 'Warning', reason: 'ResizeInfeasible', message: 'it keeps 100m' },
  ]);
  assert.deepEqual(statusEvents(resizePending, resizePending, pod()), []);
});
