/** Random Pods and what happens to them, for tests of status: in memory, and against a real API server. */
import fc from 'fast-check';
import { containerNameVariable } from '../../src/base/identity.ts';
import type { Container, Pod, PodStatus } from '../../src/kube/types.ts';
import type { Capsule, ZunContainer, ZunStatus } from '../../src/openstack/types.ts';
import type { Situation, StatusContext } from '../../src/status/types.ts';
import { capsule, pod, uuid, zunContainer } from './builders.ts';

/** When scenes begin. */
export const epoch = Date.parse('2026-01-01T00:00:00Z');
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
  const isInit = name.startsWith('init');
  const restartPolicy = isInit ? shape.restartPolicy : undefined;
  const mayProbe = !isInit || restartPolicy !== undefined;
  return {
    name,
    image: `image-${name}`,
    ...(restartPolicy === undefined ? {} : { restartPolicy }),
    ...(mayProbe && shape.startupProbe ? { startupProbe: probe } : {}),
    ...(mayProbe && shape.readinessProbe ? { readinessProbe: probe } : {}),
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

/** Pods with all that matters to status, some already written to by others. */
export const podArbitrary = fc
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

/** What is seen of a Pod at one moment, before it is made into a situation. */
export interface Scene {
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

/** Any scene, sensible or not. */
export const sceneArbitrary: fc.Arbitrary<Scene> = fc.record({
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

/** Makes the situation of a Pod out of a scene. */
export function toSituation(subject: Pod, scene: Scene): Situation {
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

/** Makes what else the status is computed from. */
export function toContext(subject: Pod, scene: Scene, nowMs: number): StatusContext {
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
