import { AppError } from '../../../src/base/errors.ts';
import type { KubeClient } from '../../../src/kube/client-types.ts';
import type { Lease, Node, NodeCondition, Pod } from '../../../src/kube/types.ts';
import type { NodeFacts, NodeOptions } from '../../../src/node/types.ts';

export const facts: NodeFacts = {
  machineId: 'machine',
  bootId: 'boot',
  zunVersion: '1.40',
  osImage: 'OpenStack Zun',
  kernelVersion: 'none',
  resources: {
    capacity: { cpu: '4', memory: '8Gi', pods: '20' },
    allocatable: { cpu: '4', memory: '8Gi', pods: '20' },
  },
};

export function options(parts: Partial<NodeOptions> = {}): NodeOptions {
  return {
    name: 'zun-1',
    region: 'RegionOne',
    zone: 'nova',
    internalIPs: ['192.0.2.2'],
    kubeletPort: 10250,
    kubernetesVersion: 'v1.37.2',
    version: '0.1.0',
    architecture: 'amd64',
    instanceType: 'zun',
    taints: [{ key: 'virtual-kubelet.io/provider', value: 'zun', effect: 'NoSchedule' }],
    labels: { 'example.com/team': 'web' },
    annotations: {},
    roleLabel: false,
    declaredFeatures: [],
    ...parts,
  };
}

/** The status of a condition of a Node. */
export function conditionOf(node: Node | undefined, type: string): NodeCondition | undefined {
  return node?.status?.conditions?.find((condition) => condition.type === type);
}

type Call = 'get' | 'create' | 'replace' | 'patch';
const failure = (kind: AppError['kind']) => new AppError({ kind, code: `kube.${kind}`, message: kind });

/**
 * A store of one Node and one Lease with the API server's rules on uids and resource versions. `fail` makes calls fail:
 * it is asked with `<verb> <resource>` before each.
 */
export function createNodeStore() {
  const store: { node: Node | undefined; lease: Lease | undefined; pods: Pod[] } = {
    node: undefined,
    lease: undefined,
    pods: [],
  };
  const calls: string[] = [];
  let version = 0;
  let fail: (call: string) => AppError | undefined = () => undefined;
  const slot = (path: string): 'node' | 'lease' => (path.includes('/leases') ? 'lease' : 'node');

  function enter(verb: Call, path: string): 'node' | 'lease' {
    const which = slot(path);
    calls.push(`${verb} ${path.endsWith('/status') ? 'status' : which}`);
    const error = fail(calls.at(-1) ?? '');
    if (error) throw error;
    return which;
  }
  function save<T>(which: 'node' | 'lease', object: object): T {
    const stored = structuredClone(object) as Node & Lease;
    version += 1;
    stored.metadata.resourceVersion = String(version);
    stored.metadata.uid ??= `uid-${version}`;
    store[which] = stored;
    return structuredClone(stored) as T;
  }
  const client: Pick<KubeClient, Call> = {
    async get<T>(path: string) {
      if (path.startsWith('/api/v1/pods?')) return { items: store.pods } as T;
      const object = store[enter('get', path)];
      if (!object) throw failure('not-found');
      return structuredClone(object) as T;
    },
    async create<T>(path: string, body: object) {
      const which = enter('create', path);
      if (store[which]) throw failure('conflict');
      return save<T>(which, body);
    },
    async replace<T>(path: string, body: object) {
      const which = enter('replace', path);
      const stored = store[which];
      if (!stored) throw failure('not-found');
      const given = body as Lease;
      if (given.metadata.resourceVersion !== stored.metadata.resourceVersion) throw failure('conflict');
      return save<T>(which, body);
    },
    async patch<T>(path: string, body: object) {
      const which = enter('patch', path);
      const stored = store[which];
      if (!stored) throw failure('not-found');
      const patch = body as { metadata: { uid: string }; status?: { conditions?: NodeCondition[] } };
      if (patch.metadata.uid !== stored.metadata.uid) throw failure('conflict');
      const merged = merge(stored, patch) as Node;
      const before = stored as Node;
      if (patch.status?.conditions && merged.status) {
        const kept = (before.status?.conditions ?? []).filter(
          ({ type }) => !patch.status?.conditions?.some((condition) => condition.type === type),
        );
        merged.status.conditions = [...kept, ...patch.status.conditions];
      }
      return save<T>(which, merged);
    },
  };
  return {
    client,
    store,
    calls,
    remove(which: 'node' | 'lease') {
      store[which] = undefined;
    },
    failWith(next: typeof fail) {
      fail = next;
    },
    failure,
  };
}

/** Merges objects; lists are replaced. */
function merge(into: object, patch: object): object {
  const result: Record<string, unknown> = { ...into };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    const isDeep = isObject(value) && isObject(old);
    result[key] = isDeep ? merge(old, value) : value;
  }
  return result;
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
