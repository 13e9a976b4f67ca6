import type { Clock } from '../base/clock.ts';

/** Makes processor time of what Zun says. */
export interface CpuCounter {
  /** Nanoseconds since the container's start, never less than before; undefined where they cannot be known. */
  nanoseconds(container: string, percent: number, signal: AbortSignal): Promise<bigint | undefined>;
}

/** A host's own counter at one moment: what all its processors did since it was started. */
interface HostCounter {
  atMs: number;
  nanoseconds: number;
  processors: number;
}

interface Known {
  host: HostCounter | undefined;
  checkedMs: number;
  last: bigint;
}

export interface CpuCounterOptions {
  execute(
    uuid: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ output: string; exitCode: number }>;
  clock: Clock;
}

const againMs = 600_000;
const maxEntries = 4096;

/**
 * Makes the counter. Zun's "CPU %" is neither a share of time nor of a processor but the container's whole processor time
 * divided by the host's, both since their start (zun/container/docker/driver.py, stats). The host's counter stands in
 * `/proc/stat`, which a container shows as it is: read there once in ten minutes and carried on with the clock in between,
 * it gives the container's time back. An image without `cat` has no counter then, and no usage is made up.
 */
export function createCpuCounter(options: CpuCounterOptions): CpuCounter {
  const { clock } = options;
  const known = new Map<string, Known>();

  async function hostCounter(container: string, signal: AbortSignal): Promise<HostCounter | undefined> {
    try {
      const { output, exitCode } = await options.execute(container, ['cat', '/proc/stat'], signal);
      return exitCode === 0 ? parseProcStat(output, clock.monotonic()) : undefined;
    } catch {
      return undefined;
    }
  }
  return {
    async nanoseconds(container, percent, signal) {
      const measuredMs = clock.monotonic();
      let entry = known.get(container);
      if (!entry || measuredMs - entry.checkedMs > againMs) {
        const host = (await hostCounter(container, signal)) ?? entry?.host;
        entry = { host, checkedMs: measuredMs, last: entry?.last ?? 0n };
      }
      known.delete(container);
      known.set(container, entry);
      if (known.size > maxEntries) known.delete(known.keys().next().value ?? '');
      if (!entry.host || !Number.isFinite(percent) || percent < 0) return undefined;
      const elapsedNs = (measuredMs - entry.host.atMs) * 1e6;
      const hostNs = entry.host.nanoseconds + elapsedNs * entry.host.processors;
      const now = BigInt(Math.round((percent / 100) * hostNs));
      if (now > entry.last) entry.last = now;
      return entry.last;
    },
  };
}

/**
 * Reads the counter that Docker uses: user to softirq, in hundredths of a second. Source: moby/daemon/stats
 * (getSystemCPUUsage), proc(5).
 */
export function parseProcStat(text: string, atMs: number): HostCounter | undefined {
  const total = /^cpu +((?:\d+ ?){7,})/m.exec(text)?.[1];
  const processors = text.match(/^cpu\d+ /gm)?.length ?? 0;
  if (total === undefined || processors === 0) return undefined;
  const ticks = total
    .trim()
    .split(' ')
    .slice(0, 7)
    .reduce((sum, value) => sum + Number(value), 0);
  return { atMs, nanoseconds: ticks * 1e7, processors };
}
