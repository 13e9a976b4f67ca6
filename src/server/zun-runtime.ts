import type { Clock } from '../base/clock.ts';
import { AppError, isKind } from '../base/errors.ts';
import type { ZunContainer } from '../openstack/types.ts';
import { createReviewCache } from './review-cache.ts';
import type { ContainerRuntime, ContainerStats, TerminalSession } from './runtime.ts';
import { createCpuCounter } from './zun-cpu.ts';
import type { ConnectTerminal } from './zun-terminal.ts';

/** Rows and columns, as Zun's client takes them. */
interface Size {
  rows: number;
  columns: number;
}

/** What one reading of Zun's statistics says. */
export interface ZunStats {
  cpuPercent: number;
  memoryMiB: number;
  memoryLimitMiB: number;
  blockReadBytes: number;
  blockWrittenBytes: number;
  networkReceivedBytes: number;
  networkSentBytes: number;
}

/** The operations of Zun's `/v1/containers` that the kubelet's API needs. Errors as `AppError`. */
export interface ZunContainers {
  get(uuid: string, signal?: AbortSignal): Promise<ZunContainer | undefined>;
  logs(
    uuid: string,
    query: { stdout: boolean; stderr: boolean; timestamps: boolean; tail?: number; since?: number },
    signal?: AbortSignal,
  ): Promise<string>;
  execute(
    uuid: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ output: string; exitCode: number }>;
  executeInteractive(
    uuid: string,
    command: readonly string[],
    signal?: AbortSignal,
  ): Promise<{ execId: string; proxyUrl: string }>;
  executeResize(uuid: string, execId: string, size: Size, signal?: AbortSignal): Promise<void>;
  resize(uuid: string, size: Size, signal?: AbortSignal): Promise<void>;
  attach(uuid: string, signal?: AbortSignal): Promise<string>;
  stats(uuid: string, signal?: AbortSignal): Promise<ZunStats>;
}

export interface ZunRuntimeOptions {
  containers: ZunContainers;
  connect: ConnectTerminal;
  clock: Clock;
}

const rememberMs = 600_000;
const running = new Set(['Running', 'Paused', 'Unknown']);

/**
 * Serves the kubelet's API from Zun's containers. Stock Zun answers 404 for the members of a capsule
 * (zun/api/controllers/v1/containers.py looks up `objects.Container` only), so the first request for one asks whether
 * this cloud knows better, and the answer stands for ten minutes.
 */
export function createZunRuntime({ containers, connect, clock }: ZunRuntimeOptions): ContainerRuntime {
  const served = createReviewCache<boolean>({ maxEntries: 8, keepMs: () => rememberMs, clock });
  const cpu = createCpuCounter({ execute: containers.execute, clock });

  return {
    async ensureServed(target, signal) {
      if (target.backend === 'container') return;
      if (!(await served.get('members', () => probeMember(containers, target.container, signal)))) throw notServed();
    },
    logs: (target, query, signal) =>
      containers.logs(
        target.container,
        {
          stdout: query.stdout,
          stderr: query.stderr,
          timestamps: true,
          ...(query.tail !== undefined && { tail: query.tail }),
          ...(query.sinceSeconds !== undefined && { since: query.sinceSeconds }),
        },
        signal,
      ),
    async isRunning(target, signal) {
      const container = await containers.get(target.container, signal);
      return container !== undefined && running.has(container.status);
    },
    async execute(target, command, signal) {
      const { output, exitCode } = await containers.execute(target.container, command, signal);
      return { output: Buffer.from(output, 'utf8'), exitCode };
    },
    async openExec(target, command, signal): Promise<TerminalSession> {
      const { execId, proxyUrl } = await containers.executeInteractive(target.container, command, signal);
      const io = await connect(proxyUrl, signal);
      return {
        io,
        resize: ({ width, height }) =>
          containers.executeResize(target.container, execId, { rows: height, columns: width }),
      };
    },
    async openAttach(target, signal): Promise<TerminalSession> {
      const io = await connect(await containers.attach(target.container, signal), signal);
      return {
        io,
        resize: ({ width, height }) => containers.resize(target.container, { rows: height, columns: width }),
      };
    },
    async stats(target, signal) {
      const stats = await containers.stats(target.container, signal);
      const cpuNanoseconds = await cpu.nanoseconds(target.container, stats.cpuPercent, signal);
      return containerStats(stats, cpuNanoseconds);
    },
  } satisfies ContainerRuntime;
}

async function probeMember(containers: ZunContainers, uuid: string, signal: AbortSignal): Promise<boolean> {
  try {
    await containers.logs(uuid, { stdout: true, stderr: true, timestamps: false, tail: 1 }, signal);
    return true;
  } catch (error) {
    if (isKind(error, 'not-found', 'unsupported')) return false;
    if (isKind(error, 'conflict', 'invalid')) return true;
    throw error;
  }
}

function containerStats(stats: ZunStats, cpuNanoseconds: bigint | undefined): ContainerStats {
  return {
    ...(cpuNanoseconds !== undefined && { cpuNanoseconds }),
    memoryWorkingSetBytes: whole(stats.memoryMiB * 1024 * 1024),
    memoryLimitBytes: whole(stats.memoryLimitMiB * 1024 * 1024),
    networkReceivedBytes: whole(stats.networkReceivedBytes),
    networkSentBytes: whole(stats.networkSentBytes),
    blockReadBytes: whole(stats.blockReadBytes),
    blockWrittenBytes: whole(stats.blockWrittenBytes),
  };
}

function whole(value: number): bigint {
  return Number.isFinite(value) && value > 0 ? BigInt(Math.round(value)) : 0n;
}

function notServed(): AppError {
  return new AppError({
    kind: 'unsupported',
    code: 'zun.capsule-members',
    message:
      'this cloud does not serve the containers of a capsule; run the pod on the container backend ' +
      '(annotation zunlet.io/backend: container, or option backend: auto)',
  });
}
