import type { Duplex } from 'node:stream';
import type { BackendName } from '../openstack/types.ts';
import type { TerminalSize } from './streams/terminal-size.ts';

/** A container as the cloud knows it. */
export interface ContainerTarget {
  backend: BackendName;
  /** Of the capsule; the same as `container` for a standalone container. */
  capsule: string;
  container: string;
}

/** Which log lines to fetch. */
export interface LogQuery {
  /** The last this many lines; all when undefined. */
  tail?: number;
  /** Lines of this second and later, in seconds since 1970. */
  sinceSeconds?: number;
  stdout: boolean;
  stderr: boolean;
}

/** How a command ran that was waited for. */
export interface ExecResult {
  output: Buffer;
  exitCode: number;
}

/** A running command or main process with its terminal, as raw bytes. */
export interface TerminalSession {
  /** Ends when the process or the connection does. */
  io: Duplex;
  resize(size: TerminalSize): Promise<void>;
}

/** What one measurement says; what a cloud does not tell is missing, never zero. */
export interface ContainerStats {
  /** Processor time used since the container's start, in nanoseconds. */
  cpuNanoseconds?: bigint;
  /** Bytes in use without reclaimable cache. */
  memoryWorkingSetBytes?: bigint;
  memoryLimitBytes?: bigint;
  networkReceivedBytes?: bigint;
  networkSentBytes?: bigint;
  blockReadBytes?: bigint;
  blockWrittenBytes?: bigint;
}

/**
 * What the kubelet's API needs of the cloud for one container. Errors are `AppError`s: `not-found` when the container is
 * gone, `unsupported` when this cloud does not serve it (its message is one sentence for the user), `conflict` when its
 * state does not allow it, `retryable` and the rest as everywhere.
 */
export interface ContainerRuntime {
  /** Returns when the container can be served; throws `unsupported` otherwise. Cheap: the answer is remembered. */
  ensureServed(target: ContainerTarget, signal: AbortSignal): Promise<void>;
  /** Lines `<RFC 3339 with nine decimals> <text>`, oldest first. */
  logs(target: ContainerTarget, query: LogQuery, signal: AbortSignal): Promise<string>;
  /** Tells whether the main process runs now. */
  isRunning(target: ContainerTarget, signal: AbortSignal): Promise<boolean>;
  /** Runs a command without input and waits for it; only for short ones. stdout and stderr come merged. */
  execute(target: ContainerTarget, command: string[], signal: AbortSignal): Promise<ExecResult>;
  /** Starts a command on a terminal. Its exit code is not told. */
  openExec(target: ContainerTarget, command: string[], signal: AbortSignal): Promise<TerminalSession>;
  /** Joins the main process's terminal. Errors: `invalid` when it was started without stdin. */
  openAttach(target: ContainerTarget, signal: AbortSignal): Promise<TerminalSession>;
  stats(target: ContainerTarget, signal: AbortSignal): Promise<ContainerStats>;
}
