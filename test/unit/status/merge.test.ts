import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ContainerStatus, PodCondition, PodStatus } from '../../../src/kube/types.ts';
import { liveStatusCondition } from '../../../src/status/conditions.ts';
import { statusPatch } from '../../../src/status/merge.ts';
import { strategicMerge } from '../../lib/strategic-merge.ts';

function container(parts: Partial<ContainerStatus> = {}): ContainerStatus {
  return {
    name: 'app',
    image: 'nginx',
    imageID: '',
    ready: true,
    started: true,
    restartCount: 0,
    state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
    lastState: {},
    ...parts,
  };
}

function condition(parts: Partial<PodCondition> = {}): PodCondition {
  return { type: 'Ready', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', ...parts };
}

test('patch: nothing is stored: everything is sent', () => {
  const desired: PodStatus = {
    phase: 'Pending',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }],
    conditions: [condition()],
  };
  assert.deepEqual(statusPatch(undefined, desired), desired);
});

test('patch: what the API server adds and leaves out: nothing is sent', () => {
  const stored: PodStatus = {
    phase: 'Running',
    qosClass: 'BestEffort',
    startTime: '2026-01-01T00:00:00Z',
    // As it stands on the wire: null where the types know only absence.
    conditions: [{ ...condition(), lastProbeTime: null, reason: '' } as unknown as PodCondition],
    containerStatuses: [
      container({ name: 'b', allocatedResources: { cpu: '1' }, volumeMounts: [{ name: 'v', mountPath: '/v' }] }),
      container({ name: 'a' }),
    ],
  };
  const { lastState: _, ...bare } = container({ name: 'a' });
  const desired: PodStatus = {
    phase: 'Running',
    startTime: '2026-01-01T00:00:00.900Z',
    message: '',
    conditions: [condition({ lastTransitionTime: '2026-01-01T01:00:00.123+01:00' })],
    containerStatuses: [bare, container({ name: 'b' })],
  };
  assert.equal(statusPatch(stored, desired), undefined);
});

test('patch: reason and message are no longer wanted: they are cleared', () => {
  const patch = statusPatch({ phase: 'Pending', reason: 'NodeLost', message: 'x' }, { phase: 'Pending' });
  assert.deepEqual(patch, { reason: null, message: null });
});

test('patch: the address changes: the old one does not survive the merge', () => {
  const stored: PodStatus = { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }] };
  const desired: PodStatus = { podIP: '10.0.0.2', podIPs: [{ ip: '10.0.0.2' }] };
  const patch = statusPatch(stored, desired);
  assert.deepEqual(patch, { podIP: '10.0.0.2', podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.2' }] });
  assert.deepEqual(strategicMerge(stored, patch ?? {}), desired);
});

test('patch: only the order of addresses changes: the list is replaced', () => {
  const patch = statusPatch({ hostIPs: [{ ip: 'a' }, { ip: 'b' }] }, { hostIPs: [{ ip: 'b' }, { ip: 'a' }] });
  assert.deepEqual(patch, { hostIPs: [{ $patch: 'replace' }, { ip: 'b' }, { ip: 'a' }] });
});

test('patch: one condition flips: only it is sent, with nulls for what went', () => {
  const stored: PodStatus = {
    conditions: [
      condition({ status: 'False', reason: 'ContainersNotReady', message: 'containers with unready status: [app]' }),
      condition({ type: 'Initialized' }),
      condition({ type: 'example.com/gate', reason: 'Mine' }),
    ],
  };
  const desired: PodStatus = {
    conditions: [condition({ lastTransitionTime: '2026-01-02T00:00:00Z' }), condition({ type: 'Initialized' })],
  };
  const patch = statusPatch(stored, desired);
  assert.deepEqual(patch, {
    conditions: [
      { type: 'Ready', status: 'True', reason: null, message: null, lastTransitionTime: '2026-01-02T00:00:00Z' },
    ],
  });
  assert.equal(strategicMerge(stored, patch ?? {}).conditions?.[2]?.reason, 'Mine');
});

test('patch: a condition of ours is no longer wanted: it is deleted, that of others is not', () => {
  const stored: PodStatus = { conditions: [condition({ type: liveStatusCondition }), condition({ type: 'other' })] };
  const patch = statusPatch(stored, { conditions: [] });
  assert.deepEqual(patch, { conditions: [{ $patch: 'delete', type: liveStatusCondition }] });
});

test('patch: one container changes: the whole list is sent, because the API server replaces it', () => {
  const stored: PodStatus = { containerStatuses: [container({ name: 'a' }), container({ name: 'b' })] };
  const desired: PodStatus = { containerStatuses: [container({ name: 'a' }), container({ name: 'b', ready: false })] };
  assert.deepEqual(statusPatch(stored, desired), { containerStatuses: desired.containerStatuses });
});

test('patch: fields of others differ: they are not sent', () => {
  const stored: PodStatus = { phase: 'Running', nominatedNodeName: 'x', qosClass: 'Burstable', resize: 'Proposed' };
  assert.equal(statusPatch(stored, { phase: 'Running' }), undefined);
});
