import type { ZunAddresses, ZunRestartPolicy, ZunStatus } from '../../openstack/types.ts';
import type { Process } from './process.ts';

/** A row of Zun's container table: a member of a capsule, or a standalone container. */
export interface ContainerRow {
  kind: 'member' | 'standalone';
  id: number;
  uuid: string;
  name: string | null;
  projectId: string;
  userId: string;
  image: string;
  cpu: number | null;
  /** MiB, as the decimal text that the API shows. */
  memory: string | null;
  command: string[] | null;
  entrypoint: string[] | null;
  environment: Record<string, string> | null;
  workdir: string | null;
  status: ZunStatus;
  statusReason: string | null;
  statusDetail: string | null;
  taskState: string | null;
  restartPolicy: ZunRestartPolicy | null;
  interactive: boolean;
  tty: boolean;
  hostname: string | null;
  ports: number[] | null;
  labels: Record<string, string> | null;
  addresses: ZunAddresses | null;
  securityGroups: string[] | null;
  pullPolicy: string | null;
  privileged: boolean;
  runtime: string | null;
  autoRemove: boolean;
  autoHeal: boolean;
  disk: number;
  healthcheck: Record<string, unknown> | null;
  registryId: string | null;
  imageDriver: string | null;
  host: string | null;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number | null;
  /** What really runs; the API's status may lag behind it. */
  process?: Process;
  mounts: Mount[];
  /** Standalone only. */
  networkId?: string;
  actions?: Action[];
}

/** An entry of a container's history. */
interface Action {
  action: string;
  requestId: string;
  startedAt: number;
  finishedAt: number | null;
}

/** A volume or a file at a path of a container. */
export interface Mount {
  destination: string;
  volumeId?: string;
  /** Made with the container, and removed with it. */
  isOwn?: boolean;
  /** The content of an injected file, in base64. */
  file?: string;
}

/** A row of Zun's capsule table. */
export interface CapsuleRow {
  kind: 'capsule';
  id: number;
  uuid: string;
  name: string | null;
  projectId: string;
  userId: string;
  cpu: number | null;
  memory: string | null;
  status: ZunStatus;
  statusReason: string | null;
  labels: Record<string, string> | null;
  annotations: unknown;
  addresses: ZunAddresses | null;
  restartPolicy: ZunRestartPolicy | null;
  host: string | null;
  createdAt: number;
  updatedAt: number | null;
  containers: ContainerRow[];
  initContainers: ContainerRow[];
  availabilityZone: string | null;
  /** False for what a failed POST left behind: a row that nothing will ever run. */
  accepted: boolean;
  /** The sandbox's id in the container runtime, once there is one. */
  sandboxId: string | null;
  /** Volumes that Zun made for it and removes with it. */
  ownVolumes: string[];
  /** Volumes by the names that the template gives them. */
  volumes: { name: string; id: string }[];
  networkId: string;
  exposedPorts: string[];
  /** The security group that the docker driver made for them. */
  securityGroup: string | null;
}
