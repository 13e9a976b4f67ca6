/** Builders of the objects that tests talk about; each states only what matters to the test. */
import { containerNameVariable, ownerLabels } from '../../src/base/identity.ts';
import type { Container, Pod, PodSpec, PodStatus } from '../../src/kube/types.ts';
import type { Capsule, ZunContainer } from '../../src/openstack/types.ts';
import { capsuleCondition } from '../../src/status/named-capsule.ts';
import { conditionReason } from '../../src/status/reasons.ts';

export const testCluster = 'cluster-1';
export const testNode = 'zun-1';

/** Makes a uuid out of a number, so that tests can tell objects apart. */
export function uuid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
}

export interface PodParts {
  name?: string;
  namespace?: string;
  uid?: string;
  containers?: Container[];
  spec?: Partial<PodSpec>;
  status?: PodStatus;
  annotations?: Record<string, string>;
  labels?: Record<string, string>;
  deleted?: boolean;
  resourceVersion?: string;
}

/** A Pod as the API server stores it. */
export function pod(parts: PodParts = {}): Pod {
  const name = parts.name ?? 'web';
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name,
      namespace: parts.namespace ?? 'default',
      uid: parts.uid ?? uuid(1),
      generation: 1,
      resourceVersion: parts.resourceVersion ?? '1',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ...(parts.annotations && { annotations: parts.annotations }),
      ...(parts.labels && { labels: parts.labels }),
      ...(parts.deleted && { deletionTimestamp: '2026-01-01T01:00:00Z', deletionGracePeriodSeconds: 30 }),
    },
    spec: {
      nodeName: testNode,
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      dnsPolicy: 'ClusterFirst',
      enableServiceLinks: true,
      containers: parts.containers ?? [{ name: 'app', image: 'nginx:1.27', command: ['nginx'] }],
      ...parts.spec,
    },
    status: parts.status ?? { phase: 'Pending', qosClass: 'BestEffort' },
  };
}

/** A status that names a capsule. */
export function statusNaming(capsuleUuid: string, phase = 'Running'): PodStatus {
  return {
    phase,
    startTime: '2026-01-01T00:00:00Z',
    conditions: [{ type: capsuleCondition, status: 'True', message: `capsule ${capsuleUuid}` }],
  };
}

/** A status that says that a capsule was given up for a new one. */
export function statusLettingGo(capsuleUuid: string): PodStatus {
  const condition = { type: capsuleCondition, status: 'False', reason: conditionReason.replaced } as const;
  return {
    phase: 'Running',
    startTime: '2026-01-01T00:00:00Z',
    conditions: [{ ...condition, message: `capsule ${capsuleUuid}` }],
  };
}

/** A container inside a capsule. */
export function zunContainer(parts: Partial<ZunContainer> = {}): ZunContainer {
  return {
    uuid: uuid(500),
    name: 'capsule-web-alpha-1',
    image: 'nginx:1.27',
    status: 'Running',
    status_reason: null,
    status_detail: null,
    environment: { [containerNameVariable]: 'app' },
    created_at: '2026-01-01 00:00:00',
    ...parts,
  };
}

/** A capsule of the Pod with this UID. */
export function capsule(parts: Partial<Capsule> & { uid?: string; pod?: string } = {}): Capsule {
  const { uid, pod: podName, ...rest } = parts;
  return {
    backend: 'capsule',
    uuid: uuid(100),
    name: 'web',
    status: 'Running',
    status_reason: null,
    labels: ownerLabels({
      cluster: testCluster,
      node: testNode,
      namespace: 'default',
      pod: podName ?? 'web',
      uid: uid ?? uuid(1),
    }),
    addresses: { net: [{ addr: '10.0.0.5', version: 4, port: uuid(900) }] },
    created_at: '2026-01-01 00:00:00',
    updated_at: null,
    containers: [zunContainer()],
    init_containers: [],
    ...rest,
  };
}
