import { AppError } from '../base/errors.ts';
import { readOwner } from '../base/identity.ts';
import { type CallLimits, createCapsules, defaultLimits } from './capsules.ts';
import { createContainers } from './containers.ts';
import type { Capsule, CapsuleApi, CreateRequest, ZunContainer } from './types.ts';
import { isUuid } from './wire.ts';
import type { Zun } from './zun.ts';

export interface CapsuleApiOptions {
  /** Asked before each list: whether standalone containers are listed, too. Where there can be none, one list is saved. Default true. */
  listContainers?: () => boolean;
  limits?: CallLimits;
}

/** Makes the seam between the node and Zun: both of its kinds of object behind one interface. */
export function createCapsuleApi(zun: Zun, options: CapsuleApiOptions = {}): CapsuleApi {
  const limits = options.limits ?? defaultLimits;
  const capsules = createCapsules(zun, limits);
  const containers = createContainers(zun, limits);
  const listContainers = options.listContainers ?? (() => true);
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
        listContainers() ? containers.list(signal) : [],
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
function capsuleOfOne(container: ZunContainer): Capsule {
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

/**
 * Finds a capsule by uuid, or by its name among all: Zun's own lookup by name fails for names that end like a file name
 * or look like a uuid. Errors: `zun.not-found`, `zun.ambiguous`.
 */
export async function findCapsule(
  api: Pick<CapsuleApi, 'get' | 'list'>,
  nameOrUuid: string,
  signal?: AbortSignal,
): Promise<Capsule> {
  const attempt = `looking for capsule ${nameOrUuid}`;
  if (isUuid(nameOrUuid.toLowerCase())) {
    const uuid = nameOrUuid.toLowerCase();
    const found = (await api.get('capsule', uuid, signal)) ?? (await api.get('container', uuid, signal));
    if (found) return found;
  }
  const named = (await api.list(signal)).filter((capsule) => capsule.name === nameOrUuid);
  const [first, ...others] = named;
  if (!first) throw new AppError({ kind: 'not-found', code: 'zun.not-found', message: `${attempt}: there is none` });
  if (others.length === 0) return first;
  throw new AppError({
    kind: 'conflict',
    code: 'zun.ambiguous',
    message: `${attempt}: ${named.length} have this name, use a uuid: ${named
      .map((each) => each.uuid)
      .slice(0, 10)
      .join(', ')}`,
  });
}
