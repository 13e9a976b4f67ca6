import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { containerIdScheme, containerNameVariable } from '../../../src/base/identity.ts';
import type { Container, ContainerStatus, Pod, PodStatus } from '../../../src/kube/types.ts';
import type { Capsule, ZunContainer, ZunStatus } from '../../../src/openstack/types.ts';
import { statusPatch } from '../../../src/status/merge.ts';
import { isTerminalPhase, statusOf } from '../../../src/status/phase.ts';
import { podStatus } from '../../../src/status/pod.ts';
import type { Situation, StatusContext } from '../../../src/status/types.ts';
import { capsule, pod, uuid, zunContainer } from '../../lib/builders.ts';
import { applyPatch } from './strategic-merge.ts';

const epoch = Date.parse('2026-01-01T00:00:00Z');
const zunStatuses: ZunStatus[] = [
  'Error',
  'Running',
  'Stopped',
  'Paused',
  'Unknown',
  'Creating',
  'Created',
  'Deleting',
  'Rebuilding',
  'Dead',
  'Restarting',
];

const containerArbitrary = fc.record({
  restartPolicy: fc.constantFrom(undefined, 'Always'),
  startupProbe: fc.boolean(),
  readinessProbe: fc.boolean(),
});

function toContainer(
  name: string,
  shape: { restartPolicy: string | undefined; startupProbe: boolean; readinessProbe: boolean },
): Container {
  const probe = { httpGet: { port: 80 } };
  return {
    name,
    image: `image-${name}`,
    ...(shape.restartPolicy && name.startsWith('init') ? { restartPolicy: shape.restartPolicy } : {}),
    ...(shape.startupProbe ? { startupProbe: probe } : {}),
    ...(shape.readinessProbe ? { readinessProbe: probe } : {}),
  };
}

/** What others may have written before us, or beside us. */
const foreignStatus = fc.constantFrom<PodStatus | undefined>(
  undefined,
  {},
  { phase: 'Pending', qosClass: 'Burstable' },
  {
    phase: 'Pending',
    qosClass: 'BestEffort',
    reason: 'NodeLost',
    message: 'someone else wrote this',
    nominatedNodeName: 'other',
    resourceClaimStatuses: [{ name: 'claim', resourceClaimName: 'x' }],
    conditions: [
      { type: 'PodScheduled', status: 'True', lastTransitionTime: '2025-12-31T23:59:59Z' },
      { type: 'example.com/gate', status: 'True', reason: 'Yes', message: 'yes' },
    ],
  },
);

const podArbitrary = fc
  .record({
    policy: fc.constantFrom('Always', 'OnFailure', 'Never'),
    mains: fc.array(containerArbitrary, { minLength: 1, maxLength: 3 }),
    inits: fc.array(containerArbitrary, { maxLength: 2 }),
    gate: fc.boolean(),
    ephemeral: fc.boolean(),
    status: foreignStatus,
  })
  .map(({ policy, mains, inits, gate, ephemeral, status }): Pod => {
    const { status: _, ...rest } = pod({
      containers: mains.map((shape, index) => toContainer(`c${mains.length - index}`, shape)),
      spec: {
        restartPolicy: policy,
        initContainers: inits.map((shape, index) => toContainer(`init${index}`, shape)),
        ...(gate ? { readinessGates: [{ conditionType: 'example.com/gate' }] } : {}),
        ...(ephemeral ? { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] } : {}),
      },
    });
    return status === undefined ? rest : { ...rest, status };
  });

const memberArbitrary = fc.record({
  status: fc.constantFrom(...zunStatuses),
  detail: fc.constantFrom(
    null,
    'Exited(0) 3 seconds ago ',
    'Exited(2) 5 mins ago (error)',
    'Up 3 seconds',
    'Up 2 days',
    'Up 4 mins (paused)',
  ),
  generation: fc.integer({ min: 0, max: 1 }),
  updated: fc.option(fc.integer({ min: -3600, max: 7200 })),
});

interface Scene {
  kind: Situation['kind'];
  capsuleStatus: ZunStatus;
  backend: 'capsule' | 'container';
  terminating: boolean;
  members: { status: ZunStatus; detail: string | null; generation: number; updated: number | null }[];
  addresses: number;
  problem: boolean;
  ready: boolean | undefined;
  started: boolean | undefined;
  restarts: number;
  generation: number;
}

const sceneArbitrary: fc.Arbitrary<Scene> = fc.record({
  kind: fc.constantFrom<Situation['kind']>(
    'waiting',
    'present',
    'present',
    'present',
    'present',
    'rejected',
    'lost',
    'finished',
    'failed',
  ),
  capsuleStatus: fc.constantFrom(...zunStatuses),
  backend: fc.constantFrom('capsule', 'container'),
  terminating: fc.boolean(),
  members: fc.array(memberArbitrary, { minLength: 5, maxLength: 5 }),
  addresses: fc.integer({ min: 0, max: 3 }),
  problem: fc.boolean(),
  ready: fc.constantFrom(true, false, undefined),
  started: fc.constantFrom(true, false, undefined),
  restarts: fc.integer({ min: 0, max: 3 }),
  generation: fc.integer({ min: 1, max: 3 }),
});

function zunTime(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replace('T', ' ');
}

function sceneCapsule(subject: Pod, scene: Scene): Capsule {
  const member = ({ name }: Container, index: number): ZunContainer => {
    const { status, detail, generation, updated } = scene.members[index] ?? {
      status: 'Running',
      detail: null,
      generation: 0,
      updated: null,
    };
    return zunContainer({
      uuid: uuid(500 + 10 * generation + index),
      status,
      status_detail: detail,
      environment: { [containerNameVariable]: name },
      updated_at: updated === null ? null : zunTime(epoch + updated * 1000),
    });
  };
  const inits = subject.spec.initContainers ?? [];
  const address = (addr: string, version: 4 | 6) => ({ addr, version, port: uuid(900) });
  const addresses = [
    {},
    { net: [address('10.0.0.5', 4)] },
    { net: [address('2001:DB8:0::1', 6), address('10.0.0.5', 4)] },
    { other: [address('10.0.0.9', 4)], net: [address('bogus', 4)] },
  ];
  return capsule({
    backend: scene.backend,
    status: scene.capsuleStatus,
    containers: subject.spec.containers.map((container, index) => member(container, index + inits.length)),
    init_containers: inits.map(member),
    addresses: addresses[scene.addresses] ?? {},
  });
}

function toSituation(subject: Pod, scene: Scene): Situation {
  const seen = sceneCapsule(subject, scene);
  const reason = 'Cause';
  const message = 'it is so';
  switch (scene.kind) {
    case 'waiting':
      return {
        kind: 'waiting',
        problems: scene.problem ? [{ path: '', code: 'x', message, heals: true, reason: 'OutOfQuota' }] : [],
      };
    case 'present':
      return { kind: 'present', capsule: seen, terminating: scene.terminating };
    case 'rejected':
      return { kind: 'rejected', reason, message };
    case 'finished':
      return { kind: 'finished', last: scene.problem ? undefined : seen };
    default:
      return { kind: scene.kind, reason, message, last: scene.problem ? undefined : seen };
  }
}

function toContext(subject: Pod, scene: Scene, nowMs: number): StatusContext {
  const names = [...(subject.spec.initContainers ?? []), ...subject.spec.containers].map(({ name }) => name);
  const view = {
    ...(scene.ready === undefined ? {} : { ready: scene.ready }),
    ...(scene.started === undefined ? {} : { started: scene.started }),
  };
  return {
    nowMs,
    hostIPs: ['192.168.1.10', '192.168.1.11', 'fd00::10'],
    probes: Object.fromEntries(names.map((name) => [name, view])),
    restarts: Object.fromEntries(names.map((name) => [name, scene.restarts])),
  };
}

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
        const stored = patch ? applyPatch(seen.status, patch) : (seen.status ?? {});
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
