import { randomUUID } from 'node:crypto';
import type { Network } from '../networks.ts';
import { type Volume, VolumeError } from '../volumes.ts';
import {
  type ContainerWish,
  coerceLabels,
  type Fields,
  readContainer,
  readTemplate,
  requireMounted,
  requireShortLabels,
  restartPolicyOf,
  type TemplateParts,
} from './capsule-template.ts';
import { internal, ZunError } from './errors.ts';
import type { CapsuleRow, ContainerRow } from './model.ts';
import { generatedName } from './names.ts';
import type { Caller } from './request.ts';
import type { ZunState } from './state.ts';

/**
 * Makes the rows of a capsule, in Zun's order, so that a failure in the middle leaves behind what it leaves behind there
 * (docs/zun.md §2.9): an unnamed row, or a named one with some of its containers.
 */
export function insertCapsule(zun: ZunState, template: Fields, caller: Caller): CapsuleRow {
  const parts = readTemplate(template);
  const row = blankCapsule(zun, caller, parts.availabilityZone);
  const made: Volume[] = [];
  try {
    reserveVolumes(zun, parts, row, made);
    zun.store.capsules.insert(row);
    row.networkId = pickNetwork(zun, caller).id;
    fillCapsule(zun, row, parts, caller);
    row.accepted = true;
    return row;
  } catch (error) {
    if (error instanceof VolumeError) throw volumeFailure(error);
    const leavesNothing = error instanceof ZunError && error.status === 400;
    if (leavesNothing || !zun.isFaithful) {
      zun.store.capsules.remove(row);
      for (const volume of made) zun.volumes.remove(volume.id);
    }
    if (!zun.isFaithful && error instanceof ZunError && error.status === 500) {
      throw new ZunError(400, 'invalid-capsule-template', `Invalid capsule template: ${error.message}.`);
    }
    throw error;
  }
}

/** Makes the row as it is before anything of the template is in it. */
export function blankCapsule(
  zun: ZunState,
  caller: Pick<Caller, 'projectId' | 'userId'>,
  availabilityZone: string | null,
): CapsuleRow {
  return {
    kind: 'capsule',
    id: zun.store.nextId(),
    uuid: randomUUID(),
    name: null,
    projectId: caller.projectId,
    userId: caller.userId,
    cpu: null,
    memory: null,
    status: 'Creating',
    statusReason: null,
    labels: null,
    annotations: null,
    addresses: null,
    restartPolicy: null,
    host: null,
    createdAt: zun.clock.now(),
    updatedAt: null,
    containers: [],
    initContainers: [],
    availabilityZone,
    accepted: false,
    networkId: '',
    exposedPorts: [],
    securityGroup: null,
    sandboxId: null,
    ownVolumes: [],
    volumes: [],
  };
}

function fillCapsule(zun: ZunState, row: CapsuleRow, parts: TemplateParts, caller: Caller): void {
  const { metadata, spec } = parts;
  const labels = coerceLabels(metadata['labels']);
  requireShortLabels(labels);
  row.name = (metadata['name'] ?? null) as string | null;
  row.labels = labels;
  row.annotations = metadata['annotations'] ?? null;
  row.restartPolicy = restartPolicyOf(spec);
  zun.store.capsules.changed(row);
  const policies = containerPolicies(row, parts, zun.isFaithful);
  const wishes: ContainerWish[] = [];
  const add = (container: Fields, isInit: boolean, index: number) => {
    const wish = readContainer(container, isInit, zun.isFaithful);
    wishes.push(wish);
    const policy = (isInit ? policies.init[index] : policies.app) ?? null;
    const member = newMember(zun, row, wish, caller);
    member.restartPolicy = policy;
    (isInit ? row.initContainers : row.containers).push(member);
    return wish;
  };
  const initWishes = parts.initContainers.map((container, index) => add(container, true, index));
  const appWishes = parts.containers.map((container, index) => add(container, false, index));
  requireMounted(parts.volumes, wishes);
  row.exposedPorts = wishes.flatMap((wish) => wish.exposedPorts);
  const sum = (amounts: (number | null)[]) => amounts.reduce<number>((total, amount) => total + (amount ?? 0), 0);
  const peak = (pick: (wish: ContainerWish) => number | null) =>
    Math.max(sum(appWishes.map(pick)), ...initWishes.map((wish) => pick(wish) ?? 0));
  row.cpu = Math.round(peak((wish) => wish.cpu) * 1e6) / 1e6;
  row.memory = String(peak((wish) => wish.memoryMiB));
}

/** With `Always` and init containers, app containers get the init containers' policy (docs/zun.md §8 B2). */
function containerPolicies(row: CapsuleRow, parts: TemplateParts, isFaithful: boolean) {
  const own = row.restartPolicy;
  const retry = { MaximumRetryCount: '10', Name: 'on-failure' } as const;
  const isAlways = own?.Name === 'always';
  const init = parts.initContainers.map(() => (isAlways ? retry : own));
  return { init, app: isAlways && init.length > 0 && isFaithful ? retry : own };
}

function newMember(zun: ZunState, capsule: CapsuleRow, wish: ContainerWish, caller: Caller): ContainerRow {
  const name = `capsule-${capsule.name ?? capsule.uuid}-${generatedName(zun.random)}`;
  if (name.length > 255) throw internal("Data too long for column 'name'");
  const sources = new Map(capsule.volumes.map((volume) => [volume.name, volume.id]));
  return {
    kind: 'member',
    id: zun.store.nextId(),
    uuid: randomUUID(),
    name,
    projectId: caller.projectId,
    userId: caller.userId,
    image: wish.image,
    cpu: wish.cpu,
    memory: wish.memoryMiB === null ? null : String(wish.memoryMiB),
    command: wish.command,
    entrypoint: [],
    environment: wish.environment,
    workdir: wish.workdir,
    status: 'Creating',
    statusReason: null,
    statusDetail: null,
    taskState: null,
    restartPolicy: null,
    interactive: wish.interactive,
    tty: wish.tty,
    hostname: null,
    ports: [],
    labels: {},
    addresses: {},
    securityGroups: [],
    // A member's wish is dropped without a word (docs/zun.md §8 B11).
    pullPolicy: caller.isAdmin && wish.pullPolicy !== null ? wish.pullPolicy : 'always',
    privileged: false,
    runtime: null,
    autoRemove: false,
    autoHeal: false,
    disk: 0,
    healthcheck: {},
    registryId: null,
    imageDriver: null,
    host: null,
    createdAt: zun.clock.now(),
    updatedAt: null,
    mounts: wish.mounts.flatMap(({ name: volume, path }) => {
      const volumeId = sources.get(volume);
      // A mount of a volume that was not declared is dropped without a word (docs/zun.md §2.2).
      return volumeId === undefined ? [] : [{ destination: path, volumeId }];
    }),
  };
}

/** Finds or makes the volumes. */
function reserveVolumes(zun: ZunState, parts: TemplateParts, row: CapsuleRow, made: Volume[]): void {
  for (const volume of parts.volumes) {
    const cinder = volume['cinder'] as Fields;
    if (cinder['size'] !== undefined) {
      const created = zun.volumes.create({ projectId: row.projectId, sizeGiB: cinder['size'] });
      made.push(created);
      if (cinder['autoRemove']) row.ownVolumes.push(created.id);
      row.volumes.push({ name: String(volume['name']), id: created.id });
      continue;
    }
    const id = String(cinder['volumeID']);
    const found = zun.volumes.find(id);
    if (!found || found.projectId !== row.projectId)
      throw new ZunError(404, 'volume-not-found', `Volume ${id} could not be found.`);
    if (found.status === 'in-use' && !found.multiattach) {
      throw new ZunError(400, 'volume-in-use', `Volume ${id} is in use.`);
    }
    row.volumes.push({ name: String(volume['name']), id });
  }
}

function volumeFailure(error: VolumeError): ZunError {
  return new ZunError(
    error.status,
    'volume-create-failed',
    `Volume Creation failed: ${error.message} (HTTP ${error.status})`,
  );
}

/** Picks the network: the project's oldest own one, else the oldest shared one (docs/zun.md §2.7). Errors: 409, 403. */
export function pickNetwork(zun: ZunState, caller: Caller): Network {
  const visible = zun.networks.networks(caller.projectId);
  const oldest = (networks: Network[]) => networks.sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))[0];
  const network = oldest(visible.filter((item) => !item.shared)) ?? oldest(visible.filter((item) => item.shared));
  if (!network) throw new ZunError(409, 'conflict', 'There is no neutron network available');
  if (network.isExternal && !network.shared && !caller.isAdmin) {
    const text = `It is not allowed to create an interface on external network ${network.id}`;
    throw new ZunError(403, 'external-network-attach-forbidden', text);
  }
  return network;
}
