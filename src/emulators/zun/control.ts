import { randomUUID } from 'node:crypto';
import type { ZunStatus } from '../../openstack/types.ts';
import type { Counters, OperationCount } from '../counters.ts';
import type { FaultPlan } from '../faults.ts';
import type { NetworkScene } from '../networks.ts';
import type { Service } from '../service.ts';
import { blankCapsule } from './capsule-create.ts';
import { type Inventory, inventory } from './inventory.ts';
import type { Listeners, Serving } from './listeners.ts';
import type { CapsuleRow, ContainerRow } from './model.ts';
import type { DoubleCapsule } from './monitor.ts';
import type { Leftover, ZunState } from './state.ts';
import { setUsage, type Usage } from './stats.ts';
import type { WebSocketProxy } from './websocket-proxy.ts';

/** A capsule that nobody posted, for sweeps and lists to find. */
interface Litter {
  name?: string | null;
  labels?: Record<string, string> | null;
  status?: ZunStatus;
  /** Default: the project of the first member. */
  projectId?: string;
  /** How long ago it was created. Default 0. */
  ageMs?: number;
}

/** What tests and operators of the emulator can do to Zun. Everything takes and returns JSON, so that it works over HTTP. */
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
  /** Whether sandboxes can be made: without, capsules end in an `Error` that the docker driver cannot delete. */
  setSandboxImage(isThere: boolean): void;
  /** Restarts zun-compute: creates and deletes under way are forgotten (docs/zun.md §2.10). */
  restartCompute(): void;
  setNetworks(scene: NetworkScene): void;
  /** Ends the main process of a container; the restart policy applies. False: there is none. */
  endContainer(uuid: string, code: number): boolean;
  /** Writes into a container's log. */
  writeLog(uuid: string, text: string): boolean;
  /** Sets what the API says of a capsule or container, whatever really goes on. */
  setStatus(uuid: string, status: ZunStatus, reason?: string | null): boolean;
  setUsage(uuid: string, usage: Partial<Usage>): void;
  /** Changes how the HTTP servers of a capsule or container answer. */
  serve(uuid: string, serving: Partial<Serving>): void;
  /** Puts a capsule there; returns its uuid. */
  putLitter(litter: Litter): string;
  /** Takes a capsule or container away as if it had never been. */
  vanish(uuid: string): boolean;
  /** Resets the connections of the WebSocket proxy: execs and attaches under way. */
  cutSessions(): number;
  /** Keeps former states for so long, for the fault `stale`. */
  remember(ms: number): void;
  /** Pods that had more than one live capsule at some moment. */
  doubles(): DoubleCapsule[];
  livePods(): number;
  leftovers(): Leftover[];
  forgetLeftovers(): void;
  /** Ports on Pod addresses that could not be opened. */
  listenFailures(): string[];
  inventory(): Inventory;
}

export interface ControlParts {
  zun: ZunState;
  service: Service;
  faults: FaultPlan;
  counters: Counters;
  listeners: Listeners;
  proxy: WebSocketProxy;
}

/** Makes the control of one emulator. */
export function createControl(parts: ControlParts): ZunControl {
  const { zun, service, faults, counters, listeners } = parts;
  const { capsules, containers } = zun.store;
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
    setSandboxImage(isThere) {
      zun.compute.hasSandboxImage = isThere;
    },
    restartCompute: () => zun.tasks.abandon(),
    setNetworks: (scene) => zun.networks.setScene(scene),
    endContainer(uuid, code) {
      const process = findContainer(zun, uuid)?.row.process;
      process?.end(code);
      return process !== undefined;
    },
    writeLog(uuid, text) {
      const process = findContainer(zun, uuid)?.row.process;
      process?.log.write('stdout', text);
      return process !== undefined;
    },
    setStatus: (uuid, status, reason) => setStatus(zun, uuid, status, reason),
    setUsage: (uuid, usage) => setUsage(zun, uuid, usage),
    serve: listeners.serve,
    putLitter: (litter) => putLitter(zun, litter),
    vanish(uuid) {
      const capsule = capsules.byUuid(uuid);
      if (capsule) capsules.remove(capsule);
      const container = containers.byUuid(uuid);
      if (container) containers.remove(container);
      return Boolean(capsule ?? container);
    },
    cutSessions: parts.proxy.cut,
    remember: zun.store.remember,
    doubles: zun.store.monitor.doubles,
    livePods: zun.store.monitor.livePods,
    leftovers: () => [...zun.leftovers],
    forgetLeftovers() {
      zun.leftovers.length = 0;
    },
    listenFailures: listeners.failures,
    inventory: () => inventory(zun),
  };
}

function findContainer(zun: ZunState, uuid: string): { row: ContainerRow; capsule?: CapsuleRow } | undefined {
  const standalone = zun.store.containers.byUuid(uuid);
  if (standalone) return { row: standalone };
  for (const capsule of zun.store.capsules.all()) {
    const row = [...capsule.initContainers, ...capsule.containers].find((container) => container.uuid === uuid);
    if (row) return { row, capsule };
  }
  return undefined;
}

function setStatus(zun: ZunState, uuid: string, status: ZunStatus, reason: string | null = null): boolean {
  const capsule = zun.store.capsules.byUuid(uuid);
  const found = findContainer(zun, uuid);
  const row = capsule ?? found?.row;
  if (!row) return false;
  row.status = status;
  row.statusReason = reason;
  const changed = capsule ?? found?.capsule;
  if (changed) zun.store.capsules.changed(changed);
  else if (found) zun.store.containers.changed(found.row);
  return true;
}

function putLitter(zun: ZunState, litter: Litter): string {
  const caller = { projectId: litter.projectId ?? zun.memberProject, userId: 'nobody' };
  const row: CapsuleRow = {
    ...blankCapsule(zun, caller, null),
    uuid: randomUUID(),
    name: litter.name ?? null,
    labels: litter.labels ?? null,
    status: litter.status ?? 'Creating',
    createdAt: zun.clock.now() - (litter.ageMs ?? 0),
    accepted: litter.status === 'Running',
  };
  zun.store.capsules.insert(row);
  if (row.accepted) zun.store.capsules.changed(row);
  return row.uuid;
}
