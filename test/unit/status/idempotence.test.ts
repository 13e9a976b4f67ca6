import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containerIdScheme } from '../../../src/base/identity.ts';
import type { ContainerStatus, Pod, PodStatus } from '../../../src/kube/types.ts';
import { statusPatch } from '../../../src/status/merge.ts';
import { isTerminalPhase, statusOf } from '../../../src/status/phase.ts';
import { podStatus } from '../../../src/status/pod.ts';
import { epoch, podArbitrary, sceneArbitrary, toContext, toSituation } from '../../lib/pod-scenes.ts';
import { strategicMerge } from '../../lib/strategic-merge.ts';

function allStatuses(status: PodStatus | undefined): ContainerStatus[] {
  return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])];
}

/** The rules by which the API server judges a status write. */
function assertValidWrite(subject: Pod, before: PodStatus | undefined, after: PodStatus): void {
  const policy = subject.spec.restartPolicy;
  const inits = new Map((subject.spec.initContainers ?? []).map((container) => [container.name, container]));
  for (const old of allStatuses(before)) {
    const now = statusOf(allStatuses(after), old.name);
    assert.ok(now, `the status of ${old.name} stays`);
    assert.ok(now.restartCount >= old.restartCount, 'restart counts never drop');
    const exit = old.state?.terminated?.exitCode;
    const isSidecar = inits.get(old.name)?.restartPolicy === 'Always';
    if (exit === undefined || policy === 'Always' || isSidecar || (policy === 'OnFailure' && exit !== 0)) continue;
    assert.ok(now.state?.terminated, `${old.name} may not leave its termination`);
  }
  if (isTerminalPhase(before?.phase)) assert.equal(after.phase, before.phase);
  if (before?.startTime) assert.equal(after.startTime, before.startTime);
  assert.equal(after.qosClass, before?.qosClass);
  assert.ok((after.observedGeneration ?? 0) >= (before?.observedGeneration ?? 0));
  for (const [single, many] of [
    [after.podIP, after.podIPs],
    [after.hostIP, after.hostIPs],
  ] as const) {
    assert.equal(single, many?.[0]?.ip);
    assert.ok((many ?? []).filter(({ ip }) => ip.includes(':')).length <= 1, 'one v6');
    assert.ok((many ?? []).filter(({ ip }) => !ip.includes(':')).length <= 1, 'one v4');
  }
}

function assertConsistent(subject: Pod, status: PodStatus): void {
  const condition = (type: string) => status.conditions?.find((item) => item.type === type)?.status;
  if (isTerminalPhase(status.phase)) {
    assert.equal(condition('Ready'), 'False');
    assert.equal(condition('ContainersReady'), 'False');
    assert.equal(
      allStatuses(status).filter(({ state }) => state?.running).length,
      0,
      'nothing runs in a terminal phase',
    );
  }
  for (const one of allStatuses(status)) {
    assert.equal(Object.keys(one.state ?? {}).length, 1, `${one.name} has one state`);
    if (one.state?.running ?? one.state?.terminated) {
      if (one.containerID !== undefined) assert.ok(one.containerID.startsWith(containerIdScheme));
    }
    const end = one.state?.terminated ?? one.lastState?.terminated;
    if (end?.startedAt && end.finishedAt) assert.ok(end.startedAt <= end.finishedAt, 'runs end after they start');
  }
  if (status.containerStatuses) assert.equal(status.containerStatuses.length, subject.spec.containers.length);
}

test('status: any chain of situations: each write is valid, applies to what was wanted, and is made once', () => {
  fc.assert(
    fc.property(podArbitrary, fc.array(sceneArbitrary, { minLength: 1, maxLength: 6 }), (start, scenes) => {
      let current = start;
      let nowMs = epoch + 500;
      const foreign = (status: PodStatus | undefined) => ({
        gate: status?.conditions?.find(({ type }) => type === 'example.com/gate'),
        claims: status?.resourceClaimStatuses,
        nominated: status?.nominatedNodeName,
      });
      for (const scene of scenes) {
        nowMs += 61_234;
        const seen = { ...current, metadata: { ...current.metadata, generation: scene.generation } };
        const situation = toSituation(seen, scene);
        const frozen = JSON.stringify({ seen, situation });
        const desired = podStatus(seen, situation, toContext(seen, scene, nowMs));
        assert.equal(JSON.stringify({ seen, situation }), frozen, 'inputs are not changed');
        const patch = statusPatch(seen.status, desired);
        const stored = patch ? strategicMerge(seen.status ?? {}, patch) : (seen.status ?? {});
        assert.equal(statusPatch(stored, desired), undefined, 'the stored status is the desired one');
        assertValidWrite(seen, seen.status, stored);
        assertConsistent(seen, stored);
        assert.deepEqual(foreign(stored), foreign(start.status));
        current = { ...seen, status: stored };
        const again = podStatus(current, situation, toContext(current, scene, nowMs + 3_600_000));
        assert.equal(statusPatch(current.status, again), undefined, 'the same an hour later');
      }
    }),
    { numRuns: 600 },
  );
});
