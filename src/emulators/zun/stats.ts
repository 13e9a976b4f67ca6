import type { Answer } from '../service.ts';
import type { Operation } from './container-operations.ts';
import { requireState } from './container-states.ts';
import type { ZunState } from './state.ts';

/** What a container uses, as `control.setUsage` says; at first a little. */
export interface Usage {
  cpuPercent: number;
  memoryMiB: number;
  /** Bytes a second, for the counters of block and network I/O. */
  readPerSecond: number;
  writePerSecond: number;
  receivePerSecond: number;
  sendPerSecond: number;
}

const littleUsage: Usage = {
  cpuPercent: 10,
  memoryMiB: 1,
  readPerSecond: 0,
  writePerSecond: 0,
  receivePerSecond: 1,
  sendPerSecond: 2,
};

/** Changes what a container uses; usages are kept by uuid. */
export function setUsage(zun: ZunState, uuid: string, usage: Partial<Usage>): void {
  zun.usages.set(uuid, { ...littleUsage, ...zun.usages.get(uuid), ...usage });
}

/** `GET …/stats` (docs/zun.md §5.3). */
export function containerStats({ zun, row }: Operation): Answer {
  requireState(row, 'stats');
  const usage = zun.usages.get(row.uuid) ?? littleUsage;
  const limitMiB = row.memory === null ? zun.options.host.memoryMiB : Number(row.memory);
  const seconds = Math.max(1, Math.floor((zun.clock.now() - (row.process?.startedAt ?? zun.clock.now())) / 1000));
  const pair = (first: number, second: number) => `${Math.floor(first * seconds)}/${Math.floor(second * seconds)}`;
  return {
    status: 200,
    json: {
      CONTAINER: row.name,
      'CPU %': usage.cpuPercent,
      'MEM USAGE(MiB)': usage.memoryMiB,
      'MEM LIMIT(MiB)': limitMiB,
      'MEM %': (usage.memoryMiB / limitMiB) * 100,
      'BLOCK I/O(B)': pair(usage.readPerSecond, usage.writePerSecond),
      'NET I/O(B)': pair(usage.receivePerSecond, usage.sendPerSecond),
    },
  };
}

/** `GET …/top` (docs/zun.md §5.3). */
export function containerTop({ row }: Operation): Answer {
  requireState(row, 'top');
  const command = row.process?.spec.command.join(' ') || row.image;
  return {
    status: 200,
    json: { Titles: ['PID', 'USER', 'TIME', 'COMMAND'], Processes: [['4242', 'root', '0:00', command]] },
  };
}
