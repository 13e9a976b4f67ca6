import { randomUUID } from 'node:crypto';
import type { ZunRestartPolicy } from '../../openstack/types.ts';
import { VolumeError } from '../volumes.ts';
import { pickNetwork } from './capsule-create.ts';
import type { Fields } from './capsule-template.ts';
import { containerSchema, fieldSince } from './container-schema.ts';
import { forbidden, internal, notFound, ZunError } from './errors.ts';
import type { ContainerRow, Mount } from './model.ts';
import { generatedName } from './names.ts';
import { plainNumbers } from './python-text.ts';
import { findRegistry } from './registries.ts';
import type { Caller } from './request.ts';
import type { ZunState } from './state.ts';
import { validate } from './validate.ts';

/** Makes the row of a standalone container (docs/zun.md §5.1). Errors: 400, 403 for policies and quota, 404, 409. */
export function insertContainer(zun: ZunState, body: Fields, caller: Caller): ContainerRow {
  checkVersions(body, caller.minor);
  validate(body, containerSchema);
  const wish = plainNumbers(body) as Fields;
  checkPolicies(wish, caller);
  const restartPolicy = readRestartPolicy(wish['restart_policy'] as Fields | undefined);
  if (wish['security_groups'] && wish['exposed_ports']) {
    throw new ZunError(400, 'invalid-value', 'Cannot specify both security_groups and exposed_ports');
  }
  const cpu = Number(wish['cpu'] ?? 1);
  const memory = String(wish['memory'] ?? 512);
  checkQuota(zun, caller, cpu, Number(memory), Number(wish['disk'] ?? 0));
  const networkId = chooseNetwork(zun, wish['nets'] as Fields[] | undefined, caller);
  const registry = wish['registry'] as string | undefined;
  const row: ContainerRow = {
    kind: 'standalone',
    id: zun.store.nextId(),
    uuid: randomUUID(),
    name: (wish['name'] as string | null | undefined) ?? `${generatedName(zun.random)}-container`,
    projectId: caller.projectId,
    userId: caller.userId,
    image: wish['image'] as string,
    cpu,
    memory,
    command: readCommand(wish['command']),
    entrypoint: (wish['entrypoint'] as string[] | undefined) ?? null,
    environment: (wish['environment'] as Record<string, string> | undefined) ?? null,
    workdir: (wish['workdir'] as string | undefined) ?? null,
    status: 'Creating',
    statusReason: null,
    statusDetail: null,
    taskState: null,
    restartPolicy,
    interactive: isTruth(wish['interactive']),
    tty: caller.minor >= 36 ? isTruth(wish['tty']) : isTruth(wish['interactive']),
    hostname: (wish['hostname'] as string | undefined) ?? null,
    ports: null,
    labels: readLabels(wish['labels']),
    addresses: null,
    securityGroups: (wish['security_groups'] as string[] | undefined) ?? null,
    pullPolicy: (wish['image_pull_policy'] as string | undefined) ?? 'always',
    privileged: false,
    runtime: (wish['runtime'] as string | undefined) ?? null,
    autoRemove: isTruth(wish['auto_remove']),
    autoHeal: isTruth(wish['auto_heal']),
    disk: Number(wish['disk'] ?? 0),
    healthcheck: (wish['healthcheck'] as Fields | undefined) ?? null,
    registryId: registry === undefined ? null : findRegistry(zun, registry, caller).uuid,
    imageDriver: (wish['image_driver'] as string | undefined) ?? 'docker',
    host: null,
    createdAt: zun.clock.now(),
    updatedAt: null,
    mounts: reserveMounts(zun, wish['mounts'] as Fields[] | undefined, caller.projectId),
    networkId,
    actions: [],
  };
  zun.store.containers.insert(row);
  return row;
}

function checkVersions(body: Fields, minor: number): void {
  for (const [field, since] of Object.entries(fieldSince)) {
    if (body[field] === undefined || minor >= since) continue;
    const text = `Invalid param ${field} because current request version is 1.${minor}. ${field} is only supported from version 1.${since}`;
    throw new ZunError(400, 'invalid-param-in-version', text);
  }
}

function checkPolicies(wish: Fields, caller: Caller): void {
  if (isTruth(wish['privileged'])) throw forbidden('container:create:privileged');
  for (const field of ['image_pull_policy', 'runtime', 'host']) {
    if (wish[field] !== undefined && wish[field] !== null && !caller.isAdmin)
      throw forbidden(`container:create:${field}`);
  }
}

function readRestartPolicy(policy: Fields | undefined): ZunRestartPolicy | null {
  if (!policy) return null;
  const name = policy['Name'] as ZunRestartPolicy['Name'];
  const count = String(policy['MaximumRetryCount'] ?? '0');
  if (name !== 'on-failure' && Number(count) !== 0) {
    throw new ZunError(400, 'invalid-value', `maximum retry count not valid with restart policy of ${name}`);
  }
  return { Name: name, MaximumRetryCount: count };
}

/** Before 1.20 a command is one text that a shell would split. */
function readCommand(command: unknown): string[] | null {
  if (command === undefined || command === null) return null;
  return Array.isArray(command) ? (command as string[]) : String(command).split(/\s+/);
}

function readLabels(labels: unknown): Record<string, string> | null {
  if (!labels) return null;
  return Object.fromEntries(Object.entries(labels).map(([key, value]) => [key, String(value)]));
}

function isTruth(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

function checkQuota(zun: ZunState, caller: Caller, cpu: number, memory: number, disk: number): void {
  const { quota } = zun.options;
  const own = zun.store.containers.all().filter((row) => row.projectId === caller.projectId);
  const used = own.reduce(
    (sum, row) => ({
      cpu: sum.cpu + (row.cpu ?? 0),
      memory: sum.memory + Number(row.memory),
      disk: sum.disk + row.disk,
    }),
    { cpu, memory, disk },
  );
  const wanted = { containers: own.length + 1, ...used };
  const over = (['containers', 'cpu', 'disk', 'memory'] as const).filter(
    (name) => quota[name] >= 0 && wanted[name] > quota[name],
  );
  if (over.length === 0) return;
  const names = over.sort().map((name) => `'${name}'`);
  throw new ZunError(403, 'over-quota', `Quota exceeded for resources: [${names.join(', ')}]`);
}

function chooseNetwork(zun: ZunState, nets: Fields[] | undefined, caller: Caller): string {
  const [first] = nets ?? [];
  if (!first) return pickNetwork(zun, caller).id;
  const wanted = (first['network'] ?? '') as string;
  if (Boolean(first['network']) === Boolean(first['port'])) {
    throw new ZunError(400, 'invalid-value', 'Either network or port should be specified');
  }
  const port = zun.networks.ports().find((item) => item.id === first['port']);
  const networks = zun.networks.networks(caller.projectId);
  const network = networks.find((item) => item.id === (port?.networkId ?? wanted) || item.name === wanted);
  if (!network) throw new ZunError(404, 'network-not-found', `Neutron network ${wanted} could not be found.`);
  return network.id;
}

function reserveMounts(zun: ZunState, mounts: Fields[] | undefined, projectId: string): Mount[] {
  return (mounts ?? []).map((mount) => {
    const destination = String(mount['destination']);
    const source = mount['source'] as string | undefined;
    const type = mount['type'] ?? 'volume';
    if (type === 'bind') return { destination, file: String(source ?? '') };
    if (type !== 'volume') throw internal(`mount type ${String(type)}`);
    if (source !== undefined) {
      const volume = zun.volumes.find(source);
      if (!volume || volume.projectId !== projectId) {
        throw new ZunError(404, 'volume-not-found', `Volume ${source} could not be found.`);
      }
      return { destination, volumeId: volume.id };
    }
    try {
      const volume = zun.volumes.create({ projectId, sizeGiB: Number(mount['size']) });
      return { destination, volumeId: volume.id, isOwn: true };
    } catch (error) {
      if (!(error instanceof VolumeError)) throw error;
      throw new ZunError(error.status, 'volume-create-failed', `Volume Creation failed: ${error.message}`);
    }
  });
}

/** Finds a container that operations may be asked of; with `bugs: fixed` members of capsules, too (docs/zun.md §4.6). */
export function findMember(zun: ZunState, ident: string, caller: Caller): ContainerRow {
  if (!zun.isFaithful) {
    for (const capsule of zun.store.capsules.all()) {
      if (capsule.projectId !== caller.projectId && !caller.isAdmin) continue;
      const member = [...capsule.initContainers, ...capsule.containers].find(
        (row) => row.uuid === ident || row.name === ident,
      );
      if (member) return member;
    }
  }
  throw notFound(ident);
}
