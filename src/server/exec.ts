import type { Clock } from '../base/clock.ts';
import { AppError, isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { kitProbe } from './exec-script.ts';
import { runScript } from './exec-terminal.ts';
import { createReviewCache } from './review-cache.ts';
import type { ContainerRuntime, ContainerTarget } from './runtime.ts';
import type { CommandStatus } from './streams/command-status.ts';
import type { RemoteStreams, WantedStreams } from './streams/remote-command.ts';
import { pumpTerminal, writeAll } from './terminal-copy.ts';

export interface ExecOptions {
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
  /** Makes a token of letters and digits that nobody can guess. */
  createToken: () => string;
}

/** What to run for whom. */
export interface ExecRequest {
  target: ContainerTarget;
  command: string[];
  wanted: WantedStreams;
}

/** Runs commands in containers. */
export interface Exec {
  /** Runs a command for a client and says how it ended. Never rejects: what went wrong is in the status. */
  run(request: ExecRequest, streams: RemoteStreams): Promise<CommandStatus>;
}

const rememberMs = 600_000;

/**
 * Makes the way in which commands run on Zun.
 *
 * - Where the image has `sh`, `stty`, `dd`, `tr` and `cat` (asked once a container), a script on a terminal: streaming, binary
 *   safe, stdin with an end, stderr apart, exit code known, no time limit. See `exec-script.ts`.
 * - Else without stdin and terminal: Zun's one-shot exec: exit code known, stdout and stderr merged, 5 s at most.
 * - Else with a terminal: Zun's terminal as it is; its exit code cannot be known, and counts as success.
 * - Else refused with a sentence.
 */
export function createExec(options: ExecOptions): Exec {
  const { runtime, clock, log } = options;
  const kits = createReviewCache<boolean>({ maxEntries: 4096, keepMs: () => rememberMs, clock });

  async function hasKit(target: ContainerTarget, signal: AbortSignal): Promise<boolean> {
    try {
      return await kits.get(target.container, async () => {
        const answer = await runtime.execute(target, kitProbe, signal);
        return answer.exitCode === 0 && answer.output.toString('latin1') === 'x';
      });
    } catch (error) {
      // A runtime without `sh` may say so with an error; whatever else is wrong, the command itself will meet again.
      if (isKind(error, 'unauthorized', 'forbidden', 'not-found', 'unsupported')) throw error;
      log.debug('probing a container for a shell failed', { container: target.container, err: error });
      return false;
    }
  }
  async function start(request: ExecRequest, streams: RemoteStreams): Promise<CommandStatus> {
    const { target, command, wanted } = request;
    if (await hasKit(target, streams.gone)) return runScript({ ...options, ...request, streams });
    if (wanted.tty) return pumpTerminal(await runtime.openExec(target, command, streams.gone), streams);
    if (wanted.stdin) {
      throw new AppError({
        kind: 'unsupported',
        code: 'exec.no-shell',
        message:
          'stdin without a terminal needs sh, stty, dd, tr and cat in the image on this cloud; use a terminal (-it)',
      });
    }
    const result = await runtime.execute(target, command, streams.gone);
    await writeAll(streams.stdout ?? streams.stderr, result.output);
    return { kind: 'exit', code: result.exitCode };
  }
  return {
    async run(request, streams) {
      try {
        return await start(request, streams);
      } catch (error) {
        if (!streams.gone.aborted) log.info('running a command failed', { ...request.target, err: error });
        return { kind: 'failure', cause: error instanceof Error ? error.message : String(error) };
      }
    },
  };
}
