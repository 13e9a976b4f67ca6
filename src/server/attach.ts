import type { Clock } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { LogOptions } from './log-options.ts';
import { sendLogs } from './logs.ts';
import type { ContainerRuntime, ContainerTarget } from './runtime.ts';
import type { CommandStatus } from './streams/command-status.ts';
import type { RemoteStreams } from './streams/remote-command.ts';
import { pumpTerminal, writeAll } from './terminal-copy.ts';

/**
 * Joins a client to a container's main process. A container that was started without stdin has nothing to join on Zun;
 * its output is shown by following its log from now on. Never rejects.
 */
export async function attach(
  runtime: ContainerRuntime,
  clock: Clock,
  request: { target: ContainerTarget; streams: RemoteStreams },
): Promise<CommandStatus> {
  const { target, streams } = request;
  try {
    return await pumpTerminal(await runtime.openAttach(target, streams.gone), streams);
  } catch (error) {
    if (!isKind(error, 'invalid') || streams.stdin) return failure(error);
  }
  try {
    await sendLogs(fromNowOn, logsOf(runtime, target), {
      sink: { begin() {}, write: (bytes) => writeAll(streams.stdout ?? streams.stderr, bytes) },
      clock,
      signal: streams.gone,
    });
    return { kind: 'success' };
  } catch (error) {
    return failure(error);
  }
}

const fromNowOn: LogOptions = {
  follow: true,
  previous: false,
  timestamps: false,
  tailLines: 0,
  limitBytes: undefined,
  since: undefined,
  stream: 'All',
};

function logsOf(runtime: ContainerRuntime, target: ContainerTarget) {
  return {
    fetch: (query: Parameters<ContainerRuntime['logs']>[1], signal: AbortSignal) => runtime.logs(target, query, signal),
    isRunning: (signal: AbortSignal) => runtime.isRunning(target, signal),
  };
}

function failure(error: unknown): CommandStatus {
  return { kind: 'failure', cause: error instanceof Error ? error.message : String(error) };
}
