import type { Counters, OperationCount } from '../counters.ts';
import type { FaultPlan } from '../faults.ts';
import type { NetworkScene } from '../networks.ts';
import type { Service } from '../service.ts';
import type { DoubleCapsule } from './monitor.ts';
import type { Leftover, ZunState } from './state.ts';

/** What exists, in short. */
export interface Inventory {
  capsules: { uuid: string; name: string | null; status: string; accepted: boolean; containers: ContainerSummary[] }[];
  containers: ContainerSummary[];
  leftovers: Leftover[];
}

export interface ContainerSummary {
  uuid: string;
  image: string;
  /** What the API says. */
  status: string;
  /** What really goes on. */
  process: string;
  exitCode: number;
  restarts: number;
}

/** What tests and operators of the emulator can do to Zun. */
export interface ZunControl {
  faults: FaultPlan;
  counters(): Record<string, OperationCount>;
  resetCounters(): void;
  /** Moves the time forward and lets everything happen that would have. */
  advance(ms: number): Promise<void>;
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
  /** Takes the compute host away or brings it back: deletes fail, creates find no host. */
  setComputeUp(isUp: boolean): void;
  /** Restarts zun-compute: creates and deletes under way are forgotten (docs/zun.md §2.10). */
  restartCompute(): void;
  setNetworks(scene: NetworkScene): void;
  /** Pods that had more than one live capsule at some moment. */
  doubles(): DoubleCapsule[];
  livePods(): number;
  leftovers(): Leftover[];
  inventory(): Inventory;
}

/** Makes the control of one emulator. */
export function createControl(zun: ZunState, service: Service, faults: FaultPlan, counters: Counters): ZunControl {
  return {
    faults,
    counters: counters.read,
    resetCounters: counters.reset,
    advance: (ms) => zun.clock.advance(ms),
    goDown: service.refuse,
    comeUp: service.accept,
    setComputeUp(isUp) {
      zun.compute.isUp = isUp;
    },
    restartCompute: () => zun.tasks.abandon(),
    setNetworks: (scene) => zun.networks.setScene(scene),
    doubles: zun.store.monitor.doubles,
    livePods: zun.store.monitor.livePods,
    leftovers: () => [...zun.leftovers],
    inventory: () => inventory(zun),
  };
}

function inventory(zun: ZunState): Inventory {
  const summary = (row: ZunState['store']['containers'] extends { all(): readonly (infer R)[] } ? R : never) => ({
    uuid: row.uuid,
    image: row.image,
    status: row.status,
    process: row.process?.state ?? 'none',
    exitCode: row.process?.exitCode ?? 0,
    restarts: row.process?.restarts ?? 0,
  });
  return {
    capsules: zun.store.capsules.all().map((row) => ({
      uuid: row.uuid,
      name: row.name,
      status: row.status,
      accepted: row.accepted,
      containers: [...row.initContainers, ...row.containers].map(summary),
    })),
    containers: zun.store.containers.all().map(summary),
    leftovers: [...zun.leftovers],
  };
}
