import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { FaultPlan } from './faults.ts';

export interface Volume {
  id: string;
  name: string | null;
  projectId: string;
  sizeGiB: number;
  status: 'creating' | 'available' | 'attaching' | 'in-use' | 'detaching' | 'deleting' | 'error';
  multiattach: boolean;
  /** Who has it attached: uuids of capsules or containers. */
  attachedTo: string[];
  createdAt: number;
}

/** A refusal of Cinder, with its status and sentence. */
export class VolumeError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** What a volume is made of. */
export interface NewVolume {
  projectId: string;
  sizeGiB: unknown;
  name?: string;
  multiattach?: boolean;
  id?: string;
}

/** Volumes, as Cinder keeps them; Zun uses them from inside, the Cinder emulator shows them. */
export interface VolumeState {
  create(wanted: NewVolume): Volume;
  find(idOrName: string): Volume | undefined;
  /** Errors: `VolumeError` 400 unless it is available, or in use and may have several users. */
  attach(id: string, user: string): void;
  detach(id: string, user: string): void;
  /** Errors: `VolumeError` 404, or 400 while it is in use. */
  remove(id: string): void;
  all(): Volume[];
}

/** Makes an empty block storage. */
export function createVolumeState(clock: Clock, faults: FaultPlan): VolumeState {
  const volumes = new Map<string, Volume>();

  function known(id: string): Volume {
    const volume = volumes.get(id);
    if (!volume) throw new VolumeError(404, `Volume ${id} could not be found.`);
    return volume;
  }

  return {
    create({ projectId, sizeGiB, name, multiattach = false, id = randomUUID() }) {
      if (faults.pick('volume.create', '/volumes')) throw new VolumeError(500, 'scripted failure');
      if (typeof sizeGiB !== 'number' || !Number.isInteger(sizeGiB) || sizeGiB < 1) {
        throw new VolumeError(400, `Invalid input for field/attribute size. Value: ${sizeGiB}.`);
      }
      const volume: Volume = {
        id,
        name: name ?? null,
        projectId,
        sizeGiB,
        status: 'available',
        multiattach,
        attachedTo: [],
        createdAt: clock.now(),
      };
      volumes.set(id, volume);
      return volume;
    },
    find: (idOrName) => volumes.get(idOrName) ?? [...volumes.values()].find((volume) => volume.name === idOrName),
    attach(id, user) {
      const volume = known(id);
      if (volume.attachedTo.includes(user)) return;
      if (volume.status !== 'available' && !(volume.status === 'in-use' && volume.multiattach)) {
        throw new VolumeError(
          400,
          `Invalid volume: Volume status must be available to reserve, but the status is ${volume.status}.`,
        );
      }
      volume.attachedTo.push(user);
      volume.status = 'in-use';
    },
    detach(id, user) {
      const volume = volumes.get(id);
      if (!volume) return;
      volume.attachedTo = volume.attachedTo.filter((other) => other !== user);
      if (volume.attachedTo.length === 0) volume.status = 'available';
    },
    remove(id) {
      const volume = known(id);
      if (volume.attachedTo.length > 0) {
        throw new VolumeError(400, 'Invalid volume: Volume status must be available or error.');
      }
      volumes.delete(id);
    },
    all: () => [...volumes.values()],
  };
}
