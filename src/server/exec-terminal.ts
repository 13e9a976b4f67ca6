import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { ExecRequest } from './exec.ts';
import { createInputSender, type InputSender } from './exec-input.ts';
import { createMarkScanner, type OutputPart } from './exec-marks.ts';
import { bootstrapCommand, execScript, hangUpCommand } from './exec-script.ts';
import type { ContainerRuntime, TerminalSession } from './runtime.ts';
import type { CommandStatus } from './streams/command-status.ts';
import type { RemoteStreams } from './streams/remote-command.ts';
import { endSoon, toBuffer, writeAll } from './terminal-copy.ts';

export interface ScriptRun extends ExecRequest {
  runtime: ContainerRuntime;
  clock: Clock;
  log: Log;
  createToken: () => string;
  streams: RemoteStreams;
}

/** How long output may still come after the exit code: a process in the background can hold stdout open for ever. */
const drainMs = 1_000;
const maxPreludeBytes = 1024;
const hangUpMs = 30_000;

interface RunState {
  prelude: Buffer;
  pid: number | undefined;
  exitCode: number | undefined;
  outputDone: boolean;
  errorsDone: boolean;
  input: InputSender | undefined;
}

/** Runs a command by a script on Zun's terminal. Errors: those of the runtime, and `exec.not-started`, `exec.cut`. */
export async function runScript(run: ScriptRun): Promise<CommandStatus> {
  const { streams, wanted, clock } = run;
  const token = run.createToken();
  const terminal = await run.runtime.openExec(run.target, bootstrapCommand(token, wanted.tty), streams.gone);
  const { io } = terminal;
  const scanner = createMarkScanner(token);
  const state: RunState = {
    prelude: Buffer.alloc(0),
    pid: undefined,
    exitCode: undefined,
    outputDone: wanted.tty,
    errorsDone: wanted.tty,
    input: undefined,
  };
  const leave = (): void => void io.destroy();
  streams.gone.addEventListener('abort', leave, { once: true });
  let cancelDrain = (): void => {};
  try {
    for await (const chunk of io.iterator({ destroyOnReturn: false })) {
      cancelDrain();
      for (const part of scanner.push(toBuffer(chunk))) await takePart(run, state, { terminal, token, part });
      if (state.exitCode === undefined) continue;
      if (state.outputDone && state.errorsDone) break;
      cancelDrain = clock.after(drainMs, leave);
    }
  } catch (error) {
    if (state.exitCode === undefined && !streams.gone.aborted) throw error;
  } finally {
    cancelDrain();
    streams.gone.removeEventListener('abort', leave);
    state.input?.stop();
    endSoon(io, clock);
  }
  await writeAll(streams.stdout, scanner.flush());
  if (state.exitCode !== undefined) return { kind: 'exit', code: state.exitCode };
  if (streams.gone.aborted) await hangUp(run, state);
  throw missingExit(state);
}

async function takePart(
  run: ScriptRun,
  state: RunState,
  at: { terminal: TerminalSession; token: string; part: OutputPart },
): Promise<void> {
  const { streams, wanted } = run;
  const { terminal, part, token } = at;
  if (part.kind === 'bytes') {
    if (state.pid === undefined)
      state.prelude = Buffer.concat([state.prelude, part.bytes]).subarray(0, maxPreludeBytes);
    else await writeAll(streams.stdout, part.bytes);
    return;
  }
  switch (part.letter) {
    case 'r':
      terminal.io.write(execScript({ command: run.command, token, tty: wanted.tty, stdin: wanted.stdin }));
      return;
    case 'p':
      state.pid = Number.parseInt(part.text.toString('latin1'), 10);
      begin(run, state, terminal);
      return;
    case 'k':
      state.input?.taken();
      return;
    case 'e':
      await writeAll(streams.stderr, part.text);
      return;
    case 'n':
      await writeAll(streams.stderr, Buffer.concat([part.text, Buffer.from('\n')]));
      return;
    case 'o':
      state.outputDone = true;
      return;
    case 'd':
      state.errorsDone = true;
      return;
    case 'x':
      state.exitCode = Number.parseInt(part.text.toString('latin1'), 10) || 0;
      // The script's input loop waits for an end.
      state.input?.stop();
      return;
    default:
      part.letter satisfies never;
  }
}

/** The command runs: now input and sizes have where to go. */
function begin(run: ScriptRun, state: RunState, terminal: TerminalSession): void {
  const { streams, wanted, log } = run;
  if (wanted.tty) {
    streams.onResize((size) => {
      terminal.resize(size).catch((error: unknown) => log.debug('resizing a terminal failed', { err: error }));
    });
  }
  if (!streams.stdin) return;
  if (wanted.tty)
    copyKeys(streams, terminal).catch((error: unknown) => log.debug('copying keys ended', { err: error }));
  else state.input = createInputSender(streams.stdin, terminal.io);
}

async function copyKeys(streams: RemoteStreams, terminal: TerminalSession): Promise<void> {
  for await (const chunk of streams.stdin ?? []) {
    if (terminal.io.destroyed) return;
    await writeAll(terminal.io, toBuffer(chunk));
  }
  // A pipe instead of a keyboard: say what Ctrl-D says.
  if (!terminal.io.destroyed) terminal.io.write(Buffer.from([0x04]));
}

/** The client has gone: what it started is told so. */
async function hangUp(run: ScriptRun, state: RunState): Promise<void> {
  if (state.pid === undefined || !(state.pid > 1)) return;
  try {
    await run.runtime.execute(run.target, hangUpCommand(state.pid), AbortSignal.timeout(hangUpMs));
  } catch (error) {
    run.log.debug('ending a command whose client has gone failed', { err: error });
  }
}

function missingExit(state: RunState): AppError {
  if (state.pid !== undefined) {
    return new AppError({
      kind: 'retryable',
      code: 'exec.cut',
      message: 'the connection to the container ended before the exit code was known',
      effect: 'unknown',
    });
  }
  const said = state.prelude.toString('utf8').trim().replace(/\s+/g, ' ');
  return new AppError({ kind: 'invalid', code: 'exec.not-started', message: said || 'the command did not start' });
}
