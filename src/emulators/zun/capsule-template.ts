import type { ZunRestartPolicy } from '../../openstack/types.ts';
import { internal, ZunError } from './errors.ts';

/** A JSON object that passed the schema, or that the schema does not look at. */
export type Fields = Record<string, unknown>;

/** The parts of a template, picked apart and nothing more. */
export interface TemplateParts {
  metadata: Fields;
  spec: Fields;
  containers: Fields[];
  initContainers: Fields[];
  volumes: Fields[];
  availabilityZone: string | null;
}

/**
 * Picks a valid template apart. Errors: 500 before any row is made, for what the schema lets through and Zun stumbles over
 * at once (docs/zun.md §2.9).
 */
export function readTemplate(template: Fields): TemplateParts {
  const spec = template['spec'] as Fields;
  const containers = spec['containers'] as Fields[];
  if (containers.length === 0) throw internal('Capsule need to have one container at least');
  const initContainers = (spec['initContainers'] ?? []) as Fields[];
  for (const container of initContainers) {
    if (!container['image']) throw internal('Container image is needed');
  }
  const volumes = (spec['volumes'] ?? []) as Fields[];
  for (const volume of volumes) {
    const cinder = volume['cinder'] as Fields;
    const ways = ['volumeID', 'size'].filter((key) => cinder[key] !== undefined && cinder[key] !== '');
    if (ways.length !== 1) throw internal('Volume size or volume ID is needed');
  }
  return {
    metadata: template['metadata'] as Fields,
    spec,
    containers,
    initContainers,
    volumes,
    availabilityZone: (template['availabilityZone'] as string | undefined) ?? null,
  };
}

const policyNames = { Always: 'always', OnFailure: 'on-failure', Never: 'no' } as const;

/** The policy in `spec`; the one at the top is accepted and ignored (docs/zun.md §8 B12). */
export function restartPolicyOf(spec: Fields): ZunRestartPolicy {
  const name = spec['restartPolicy'] as keyof typeof policyNames | undefined;
  return { MaximumRetryCount: '0', Name: policyNames[name ?? 'Always'] };
}

/** Labels as texts. Errors: 500 for a null or nested value (docs/zun.md §2.1). */
export function coerceLabels(labels: unknown): Record<string, string> | null {
  if (!labels || Object.keys(labels).length === 0) return null;
  const texts: Record<string, string> = {};
  for (const [key, value] of Object.entries(labels)) {
    if (value === null || typeof value === 'object') throw internal(`label ${key} is not a text`);
    texts[key] = value === true ? 'True' : value === false ? 'False' : String(value);
  }
  return texts;
}

/** What a container of a template asks for, after Zun's renaming. */
export interface ContainerWish {
  image: string;
  command: string[];
  environment: Record<string, string>;
  workdir: string | null;
  cpu: number | null;
  memoryMiB: number | null;
  interactive: boolean;
  tty: boolean;
  pullPolicy: string | null;
  mounts: { name: string; path: string }[];
  /** `80/tcp` */
  exposedPorts: string[];
}

const maxTextBytes = 65_535;

/**
 * Reads one container. Errors: 500 for each thing that the schema lets through and that then breaks: null items, numbers in
 * texts, init containers of wrong types, texts longer than their column (docs/zun.md §2.3, §2.4, §2.9, §8 B9, B10, B27).
 */
export function readContainer(container: Fields, isInit: boolean, isFaithful: boolean): ContainerWish {
  const { cpu, memory } = readRequests(container['resources'], isInit, isFaithful);
  const command = [...textsOf(container['command']), ...textsOf(container['args'])];
  const environment = (container['env'] ?? {}) as Record<string, string>;
  if (typeof environment !== 'object' || Array.isArray(environment)) throw internal('env is not an object');
  if (isTooLong(command) || isTooLong(environment)) throw internal('data too long for column');
  const workdir = (container['workDir'] ?? null) as string | null;
  if (workdir !== null && (typeof workdir !== 'string' || workdir.length > 255))
    throw internal('data too long for column');
  if (container['imagePullPolicy'] === null && isFaithful) throw internal("'NoneType' object has no attribute 'lower'");
  const exposedPorts = ((container['ports'] ?? []) as Fields[]).map((port) => {
    if (port['containerPort'] === undefined) throw internal("'containerPort'");
    return `${port['containerPort']}/${String(port['protocol'] ?? 'TCP').toLowerCase()}`;
  });
  return {
    image: container['image'] as string,
    command,
    environment: Object.fromEntries(Object.entries(environment).map(([key, value]) => [key, String(value)])),
    workdir,
    cpu,
    memoryMiB: memory,
    // Truth in Python's sense: the text "False" is true (docs/zun.md §8 B17).
    interactive: isFaithful ? Boolean(container['stdin']) : isTrue(container['stdin']),
    tty: isFaithful ? Boolean(container['tty']) : isTrue(container['tty']),
    pullPolicy: (container['imagePullPolicy'] as string | null | undefined)?.toLowerCase() ?? null,
    mounts: ((container['volumeMounts'] ?? []) as Fields[]).map((mount) => ({
      name: String(mount['name']),
      path: String(mount['mountPath']),
    })),
    exposedPorts,
  };
}

function readRequests(resources: unknown, isInit: boolean, isFaithful: boolean) {
  const requests = (resources as Fields | undefined)?.['requests'] as Fields | undefined;
  if (isInit && resources !== undefined && requests === undefined) throw internal("'requests'");
  const amount = (value: unknown): number | null => {
    if (value === undefined || value === null) return null;
    if (typeof value === 'number') return value;
    // Numeric texts pass the schema and break the sum (docs/zun.md §8 B9).
    if (isFaithful) throw internal("unsupported operand type(s) for +: 'float' and 'str'");
    return Number(value);
  };
  return { cpu: amount(requests?.['cpu']), memory: amount(requests?.['memory']) };
}

function textsOf(list: unknown): string[] {
  if (list === undefined || list === null) return [];
  if (!Array.isArray(list) || list.some((item) => typeof item !== 'string')) throw internal('A string is required');
  return list as string[];
}

function isTooLong(value: unknown): boolean {
  return Buffer.byteLength(JSON.stringify(value)) > maxTextBytes;
}

function isTrue(value: unknown): boolean {
  return value === true || (typeof value === 'string' && value.toLowerCase() === 'true');
}

/** Refuses labels that do not fit their column. Errors: 500; the row keeps no name then (docs/zun.md §8 B27). */
export function requireShortLabels(labels: Record<string, string> | null): void {
  if (labels && isTooLong(labels)) throw internal('data too long for column');
}

/** Refuses volumes that nobody mounts (docs/zun.md §2.8). */
export function requireMounted(volumes: Fields[], wishes: ContainerWish[]): void {
  const mounted = new Set(wishes.flatMap((wish) => wish.mounts.map((mount) => mount.name)));
  if (volumes.every((volume) => mounted.has(String(volume['name'])))) return;
  throw new ZunError(400, 'invalid', 'volume mount parameters is invalid.');
}
