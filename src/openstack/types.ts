/** What Zun sends and takes, as it stands on the wire at microversion 1.32 and later. Source: docs/zun.md. */

/** Status words shared by capsules and containers (zun/common/consts.py). */
export type ZunStatus =
  | 'Error'
  | 'Running'
  | 'Stopped'
  | 'Paused'
  | 'Unknown'
  | 'Creating'
  | 'Created'
  | 'Deleted'
  | 'Deleting'
  | 'Rebuilding'
  | 'Dead'
  | 'Restarting';

export interface ZunAddress {
  addr: string;
  version: 4 | 6;
  port: string;
  subnet_id?: string;
  preserve_on_delete?: boolean;
}

/** Addresses by network uuid. */
export type ZunAddresses = Record<string, ZunAddress[]>;

export interface ZunRestartPolicy {
  Name: 'always' | 'on-failure' | 'no' | 'unless-stopped';
  MaximumRetryCount: string;
}

/** A container inside a capsule, or a standalone one. */
export interface ZunContainer {
  uuid: string;
  name: string | null;
  image: string | null;
  status: ZunStatus;
  status_reason: string | null;
  /** `Exited(3) 5 seconds ago `, `Up 3 seconds`, … Docker driver only. */
  status_detail: string | null;
  environment: Record<string, string>;
  command?: string[] | null;
  entrypoint?: string[] | null;
  cpu?: number | null;
  memory?: string | null;
  hostname?: string | null;
  ports?: number[];
  labels?: Record<string, string>;
  addresses?: ZunAddresses | null;
  restart_policy?: ZunRestartPolicy | null;
  interactive?: boolean;
  tty?: boolean;
  created_at?: string | null;
  updated_at?: string | null;
  task_state?: string | null;
  /** Uuid of the registry whose credentials the image is pulled with; standalone containers only. */
  registry_id?: string | null;
}

/** Which of Zun's two kinds of object carries a Pod. */
export type BackendName = 'capsule' | 'container';

/**
 * A capsule as everything above the seam sees it. A standalone container is presented as a capsule of one: `containers`
 * holds the container itself and `backend` says so.
 */
export interface Capsule {
  backend: BackendName;
  uuid: string;
  name: string | null;
  status: ZunStatus;
  status_reason: string | null;
  labels: Record<string, string>;
  annotations?: unknown;
  addresses: ZunAddresses;
  restart_policy?: ZunRestartPolicy | null;
  /** Naive UTC: `YYYY-MM-DD HH:MM:SS[.ffffff]`. */
  created_at: string | null;
  updated_at: string | null;
  /** Template order. */
  containers: ZunContainer[];
  init_containers: ZunContainer[];
  project_id?: string;
  cpu?: number | null;
  memory?: string | null;
}

/** A container of a capsule template. Source: zun/api/controllers/v1/schemas/parameter_types.py. */
export interface TemplateContainer {
  image: string;
  name?: string;
  command?: string[];
  args?: string[];
  /** cpu in cores, memory in whole MiB. */
  resources?: { requests: { cpu?: number; memory?: number } };
  env?: Record<string, string>;
  workDir?: string;
  imagePullPolicy?: 'always' | 'never' | 'ifnotpresent';
  stdin?: boolean;
  tty?: boolean;
  ports?: { containerPort: number; protocol?: 'TCP' | 'UDP' }[];
  volumeMounts?: { name: string; mountPath: string }[];
}

export interface TemplateVolume {
  name: string;
  cinder: { volumeID: string } | { size: number; autoRemove: boolean };
}

/** The value of `template` in `POST /v1/capsules`. */
export interface CapsuleTemplate {
  capsuleVersion: 'beta';
  kind: 'capsule';
  metadata: { name: string; labels: Record<string, string>; annotations?: Record<string, unknown> };
  spec: {
    restartPolicy: 'Always' | 'OnFailure' | 'Never';
    containers: TemplateContainer[];
    initContainers?: TemplateContainer[];
    volumes?: TemplateVolume[];
  };
  availabilityZone?: string;
}

export type ContainerMount =
  | { type: 'volume'; source: string; destination: string }
  | { type: 'volume'; size: number; destination: string }
  /** `source` is the file's content in base64: Zun writes it on the host and bind-mounts it. */
  | { type: 'bind'; source: string; destination: string };

/** The body of `POST /v1/containers?run=true`. */
export interface ContainerRequest {
  name: string;
  image: string;
  command?: string[];
  entrypoint?: string[];
  environment?: Record<string, string>;
  workdir?: string;
  labels: Record<string, string>;
  cpu?: number;
  /** MiB. */
  memory?: number;
  restart_policy?: { Name: 'no' | 'always' | 'on-failure'; MaximumRetryCount?: number };
  interactive?: boolean;
  tty?: boolean;
  hostname?: string;
  security_groups?: string[];
  nets?: { network?: string; port?: string }[];
  mounts?: ContainerMount[];
  registry?: string;
  auto_remove?: boolean;
  availability_zone?: string;
}

/** What translation makes of a Pod: one of the two requests. */
export type CreateRequest =
  | { backend: 'capsule'; template: CapsuleTemplate }
  | { backend: 'container'; container: ContainerRequest };

/**
 * The calls on Zun that the node needs, for both backends. Every call takes its own time limit; every failure is an
 * `AppError` whose `effect` says whether the call may still take effect.
 */
export interface CapsuleApi {
  /** Errors: `invalid`, `quota`, `forbidden`, `unauthorized`, `retryable` (effect unknown when no answer came). */
  create(request: CreateRequest, signal?: AbortSignal): Promise<Capsule>;
  /** Undefined when Zun says 404. */
  get(backend: BackendName, uuid: string, signal?: AbortSignal): Promise<Capsule | undefined>;
  /** All pages of both kinds of object, complete or not at all. */
  list(signal?: AbortSignal): Promise<Capsule[]>;
  /** Asks for the deletion; a capsule that is gone already counts as success. The effect shows later as a 404. */
  delete(backend: BackendName, uuid: string, graceSeconds: number, signal?: AbortSignal): Promise<void>;
}
