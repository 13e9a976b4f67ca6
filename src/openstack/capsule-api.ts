import { readOwner } from '../base/identity.ts';
import { type CallLimits, createCapsules, defaultLimits } from './capsules.ts';
import { createContainers } from './containers.ts';
import type { Capsule, CapsuleApi, CreateRequest, ZunContainer } from './types.ts';
import type { Zun } from './zun.ts';

export interface CapsuleApiOptions {
  /** Whether standalone containers are listed, too. A cloud that has none to offer need not be asked. Default true. */
  containers?: boolean;
  limits?: CallLimits;
}

/** Makes the seam between the node and Zun: both of its kinds of object behind one interface. */
export function createCapsuleApi(zun: Zun, options: CapsuleApiOptions = {}): CapsuleApi {
  const limits = options.limits ?? defaultLimits;
  const capsules = createCapsules(zun, limits);
  const containers = createContainers(zun, limits);
  const withContainers = options.containers ?? true;
  return {
    async create(request, signal) {
      const attempt = `creating ${request.backend} ${requestName(request)}`;
      return request.backend === 'capsule'
        ? capsules.create(request.template, attempt, signal)
        : capsuleOfOne(await containers.create(request.container, attempt, signal));
    },
    async get(backend, uuid, signal) {
      if (backend === 'capsule') return capsules.get(uuid, signal);
      const container = await containers.get(uuid, signal);
      return container && capsuleOfOne(container);
    },
    async list(signal) {
      const [found, standalone] = await Promise.all([
        capsules.list(signal),
        withContainers ? containers.list(signal) : [],
      ]);
      const ours = standalone.filter((container) => readOwner(container.labels) !== undefined);
      return [...found, ...ours.map(capsuleOfOne)];
    },
    async delete(backend, uuid, graceSeconds, signal) {
      await (backend === 'capsule' ? capsules.delete(uuid, signal) : containers.delete(uuid, graceSeconds, signal));
    },
  };
}

function requestName(request: CreateRequest): string {
  return request.backend === 'capsule' ? request.template.metadata.name : request.container.name;
}

/** Presents a standalone container as a capsule with one member. */
export function capsuleOfOne(container: ZunContainer): Capsule {
  return {
    backend: 'container',
    uuid: container.uuid,
    name: container.name,
    status: container.status,
    status_reason: container.status_reason,
    labels: container.labels ?? {},
    addresses: container.addresses ?? {},
    restart_policy: container.restart_policy ?? null,
    created_at: container.created_at ?? null,
    updated_at: container.updated_at ?? null,
    containers: [container],
    init_containers: [],
    cpu: container.cpu ?? null,
    memory: container.memory ?? null,
  };
}
