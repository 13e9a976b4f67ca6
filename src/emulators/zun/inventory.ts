import type { ContainerRow } from './model.ts';
import type { Leftover, ZunState } from './state.ts';

interface ContainerSummary {
  uuid: string;
  image: string;
  labels: Record<string, string>;
  /** What the API says. */
  status: string;
  /** What really goes on. */
  process: string;
  exitCode: number;
  restarts: number;
}

interface CapsuleSummary {
  uuid: string;
  name: string | null;
  labels: Record<string, string>;
  status: string;
  /** False for what a failed POST left behind. */
  accepted: boolean;
  containers: ContainerSummary[];
}

/** What exists, in short. */
export interface Inventory {
  capsules: CapsuleSummary[];
  containers: ContainerSummary[];
  leftovers: Leftover[];
}

/** Lists what exists. */
export function inventory(zun: ZunState): Inventory {
  return {
    capsules: zun.store.capsules.all().map((row) => ({
      uuid: row.uuid,
      name: row.name,
      labels: row.labels ?? {},
      status: row.status,
      accepted: row.accepted,
      containers: [...row.initContainers, ...row.containers].map(summary),
    })),
    containers: zun.store.containers.all().map(summary),
    leftovers: [...zun.leftovers],
  };
}

function summary(row: ContainerRow): ContainerSummary {
  return {
    uuid: row.uuid,
    image: row.image,
    labels: row.labels ?? {},
    status: row.status,
    process: row.process?.state ?? 'none',
    exitCode: row.process?.exitCode ?? 0,
    restarts: row.process?.restarts ?? 0,
  };
}
