import { z } from 'zod';
import type { ZunAddresses, ZunContainer, ZunRestartPolicy, ZunStatus } from './types.ts';

/** Every status that Zun has. Source: zun/common/consts.py. */
const statuses: ReadonlySet<string> = new Set<ZunStatus>([
  'Error',
  'Running',
  'Stopped',
  'Paused',
  'Unknown',
  'Creating',
  'Created',
  'Deleted',
  'Deleting',
  'Rebuilding',
  'Dead',
  'Restarting',
]);

const text = z.string().max(4_194_304);
const nullableText = text.nullish().transform((value) => value ?? null);
const uuid = z.string().regex(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/, 'must be a lower-case UUID with dashes');
/** A word that this version does not know is `Unknown`, which changes nothing about a Pod. */
const status = z
  .string()
  .max(64)
  .transform((word): ZunStatus => (statuses.has(word) ? (word as ZunStatus) : 'Unknown')); // the set holds the union's words
const time = z
  .string()
  .max(64)
  .nullish()
  .transform((value) => value ?? null);

/** Zun writes maps that are not set as null in the answer to a create, as `{}` later. */
const textMap = z
  .record(z.string(), z.union([text, z.number(), z.boolean(), z.null()]))
  .nullish()
  .transform((map) => {
    const result: Record<string, string> = {};
    for (const [key, value] of Object.entries(map ?? {})) result[key] = String(value ?? '');
    return result;
  });

const address = z.looseObject({
  addr: z.string().max(64),
  version: z.union([z.literal(4), z.literal(6)]),
  port: z
    .string()
    .max(64)
    .nullish()
    .transform((value) => value ?? ''),
  subnet_id: z.string().max(64).optional().catch(undefined),
  preserve_on_delete: z.boolean().optional().catch(undefined),
});
const addresses = z
  .record(z.string().max(255), z.array(address).max(1000))
  .nullish()
  .transform((map): ZunAddresses => (map ?? {}) as ZunAddresses); // the optional keys are absent or of their type

/** `{}` on a row that failed before the policy was set. */
const restartPolicy = z
  .looseObject({
    Name: z.enum(['always', 'on-failure', 'no', 'unless-stopped']).optional(),
    MaximumRetryCount: z.union([z.string().max(16), z.number()]).optional(),
  })
  .nullish()
  .transform((policy): ZunRestartPolicy | null =>
    policy?.Name ? { Name: policy.Name, MaximumRetryCount: String(policy.MaximumRetryCount ?? '0') } : null,
  );

const textList = z
  .array(text)
  .max(10_000)
  .nullish()
  .transform((value) => value ?? null);

/** A container, standalone or inside a capsule. Source: zun/api/controllers/v1/views/containers_view.py. */
export const containerSchema = z
  .looseObject({
    uuid,
    name: nullableText,
    image: nullableText,
    status,
    status_reason: nullableText,
    status_detail: nullableText,
    environment: textMap,
    command: textList,
    entrypoint: textList,
    cpu: z
      .number()
      .nullish()
      .transform((value) => value ?? null),
    memory: z
      .union([z.string().max(64), z.number()])
      .nullish()
      .transform((value) => (value === null || value === undefined ? null : String(value))),
    hostname: nullableText,
    ports: z
      .array(z.number())
      .max(65_536)
      .nullish()
      .transform((value) => value ?? []),
    labels: textMap,
    addresses,
    restart_policy: restartPolicy,
    interactive: z
      .boolean()
      .nullish()
      .transform((value) => value ?? false),
    tty: z
      .boolean()
      .nullish()
      .transform((value) => value ?? false),
    created_at: time,
    updated_at: time,
    task_state: nullableText,
    registry_id: nullableText,
  })
  .transform(
    (c): ZunContainer => ({
      uuid: c.uuid,
      name: c.name,
      image: c.image,
      status: c.status,
      status_reason: c.status_reason,
      status_detail: c.status_detail,
      environment: c.environment,
      command: c.command,
      entrypoint: c.entrypoint,
      cpu: c.cpu,
      memory: c.memory,
      hostname: c.hostname,
      ports: c.ports,
      labels: c.labels,
      addresses: c.addresses,
      restart_policy: c.restart_policy,
      interactive: c.interactive,
      tty: c.tty,
      created_at: c.created_at,
      updated_at: c.updated_at,
      task_state: c.task_state,
      registry_id: c.registry_id,
    }),
  );

const containerList = z.array(containerSchema).max(1000);

/** A capsule at microversion 1.32 or later. Source: zun/api/controllers/v1/views/capsules_view.py. */
export const capsuleSchema = z
  .looseObject({
    uuid,
    name: nullableText,
    status,
    status_reason: nullableText,
    labels: textMap,
    annotations: z.unknown().optional(),
    addresses,
    restart_policy: restartPolicy,
    created_at: time,
    updated_at: time,
    containers: containerList,
    init_containers: containerList.nullish().transform((value) => value ?? []),
    project_id: z.string().max(255).optional(),
    cpu: z
      .number()
      .nullish()
      .transform((value) => value ?? null),
    memory: z
      .union([z.string().max(64), z.number()])
      .nullish()
      .transform((value) => (value === null || value === undefined ? null : String(value))),
  })
  .transform((c) => ({
    backend: 'capsule' as const,
    uuid: c.uuid,
    name: c.name,
    status: c.status,
    status_reason: c.status_reason,
    labels: c.labels,
    annotations: c.annotations,
    addresses: c.addresses,
    restart_policy: c.restart_policy,
    created_at: c.created_at,
    updated_at: c.updated_at,
    containers: c.containers,
    init_containers: c.init_containers,
    ...(c.project_id !== undefined && { project_id: c.project_id }),
    cpu: c.cpu,
    memory: c.memory,
  }));

const next = z.string().max(4096).nullish();
/** One page of capsules. */
export const capsulePageSchema = z.looseObject({ capsules: z.array(capsuleSchema).max(10_000), next });
/** One page of containers. */
export const containerPageSchema = z.looseObject({ containers: z.array(containerSchema).max(10_000), next });
