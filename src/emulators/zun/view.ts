import type { CapsuleRow, ContainerRow } from './model.ts';

/** Who looks, and at which version. */
export interface ViewFor {
  /** Scheme and host for links. */
  root: string;
  isAdmin: boolean;
  /** False below 1.32: the legacy shape of capsules (docs/zun.md §3.3). */
  isModern: boolean;
  /** The answer to the POST itself, which shows the row before the database filled its gaps (docs/zun.md §3.1). */
  isFresh: boolean;
}

type Json = Record<string, unknown>;

/** A time as Zun prints it: naive UTC, with microseconds only in the answer to the POST (docs/zun.md §3.2). */
function zunTime(at: number | null, withMicroseconds = false): string | null {
  if (at === null) return null;
  const iso = new Date(at).toISOString();
  const micro = withMicroseconds ? `.${iso.slice(20, 23)}${String(Math.floor((at % 1) * 1000)).padStart(3, '0')}` : '';
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${micro}`;
}

/** The two links of a resource. */
export function links(root: string, kind: string, uuid: string): Json[] {
  return [
    { href: `${root}/v1/${kind}/${uuid}`, rel: 'self' },
    { href: `${root}/${kind}/${uuid}`, rel: 'bookmark' },
  ];
}

/** A capsule as the API shows it (docs/zun.md §3.1, §3.3). */
export function capsuleJson(row: CapsuleRow, view: ViewFor): Json {
  const { isFresh, isModern } = view;
  const memberView = { ...view, isFresh: false };
  const labels = isFresh ? row.labels : (row.labels ?? {});
  const policy = row.restartPolicy ?? {};
  return {
    uuid: row.uuid,
    links: links(view.root, 'capsules', row.uuid),
    ...(isModern
      ? { name: row.name, labels, restart_policy: policy }
      : {
          meta_name: row.name,
          meta_labels: labels,
          restart_policy: row.restartPolicy?.Name ?? null,
          volumes_info: {},
          containers_uuids: [],
          init_containers_uuids: [],
          capsule_version: '',
        }),
    project_id: row.projectId,
    user_id: row.userId,
    cpu: row.cpu,
    memory: row.memory,
    status: row.status,
    status_reason: row.statusReason,
    addresses: isFresh ? null : (row.addresses ?? {}),
    annotations: row.annotations ?? null,
    created_at: zunTime(row.createdAt, isFresh),
    updated_at: isFresh ? null : zunTime(row.updatedAt),
    containers: row.containers.map((container) => containerJson(container, memberView)),
    init_containers: row.initContainers.map((container) => containerJson(container, memberView)),
    ...(view.isAdmin ? { host: row.host } : {}),
  };
}

/** A container as the API shows it (docs/zun.md §3.2, §5). Members of capsules have no links. */
export function containerJson(row: ContainerRow, view: ViewFor): Json {
  const filled = <T>(value: T | null, empty: T): T | null => (view.isFresh ? value : (value ?? empty));
  return {
    uuid: row.uuid,
    ...(row.kind === 'standalone' ? { links: links(view.root, 'containers', row.uuid) } : {}),
    name: row.name,
    project_id: row.projectId,
    user_id: row.userId,
    image: row.image,
    cpu: row.cpu,
    cpu_policy: 'shared',
    memory: row.memory,
    command: filled<string[]>(row.command, []),
    status: row.status,
    status_reason: row.statusReason,
    task_state: row.taskState,
    environment: filled<Record<string, string>>(row.environment, {}),
    workdir: row.workdir,
    auto_remove: row.autoRemove,
    ports: filled<number[]>(row.ports, []),
    hostname: row.hostname,
    labels: filled<Record<string, string>>(row.labels, {}),
    addresses: filled<object>(row.addresses, {}),
    restart_policy: filled<object>(row.restartPolicy, {}),
    status_detail: row.statusDetail,
    interactive: row.interactive,
    tty: row.tty,
    image_driver: row.imageDriver,
    security_groups: filled<string[]>(row.securityGroups, []),
    disk: row.disk,
    auto_heal: row.autoHeal,
    healthcheck: filled<object>(row.healthcheck, {}),
    registry_id: row.registryId,
    entrypoint: filled<string[]>(row.entrypoint, []),
    created_at: zunTime(row.createdAt, view.isFresh),
    updated_at: view.isFresh ? null : zunTime(row.updatedAt),
    ...(view.isAdmin
      ? { image_pull_policy: row.pullPolicy, host: row.host, runtime: row.runtime, privileged: row.privileged }
      : {}),
  };
}
