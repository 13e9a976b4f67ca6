import { randomBytes, randomUUID } from 'node:crypto';
import type { Answer } from '../service.ts';
import type { Operation } from './container-operations.ts';
import { requireState } from './container-states.ts';
import { internal, ZunError } from './errors.ts';
import { emptySource } from './guest/pipe.ts';
import { splitWords } from './guest/split-words.ts';
import type { Terminal, TerminalSize } from './guest/terminal.ts';
import type { ContainerRow } from './model.ts';
import type { Process } from './process.ts';
import { remoteError } from './remote-error.ts';
import type { ZunState } from './state.ts';

/** What a token of the WebSocket proxy opens. */
export interface Session {
  token: string;
  container: string;
  process: Process;
  /** Absent: the main process. */
  execution?: Execution;
}

/** A program that waits for its connection, or runs. */
export interface Execution {
  id: string;
  words: string[];
  size: TerminalSize;
  terminal?: Terminal;
}

/** Sessions by token. */
export type Sessions = Map<string, Session>;

/** `POST …/execute`: one-shot with output and code, or a WebSocket's URL (docs/zun.md §5.3). */
export async function execute(operation: Operation): Promise<Answer> {
  const { zun, row, parameters } = operation;
  requireState(row, 'execute');
  const command = parameters['command'];
  if (typeof command !== 'string') throw internal('command is required');
  const isRun = strictTruth(parameters['run'], true, 'run');
  const isInteractive = strictTruth(parameters['interactive'], false, 'interactive');
  const process = liveProcess(row);
  if (isRun) return runOnce(zun, process, splitCommand(command));
  const session = openSession(zun, row, process);
  session.execution = {
    id: randomBytes(32).toString('hex'),
    words: splitCommand(command),
    size: { rows: 24, columns: 80 },
  };
  if (!isInteractive) {
    return { status: 200, json: { output: null, exit_code: null, exec_id: session.execution.id, proxy_url: null } };
  }
  const url = `${proxyUrl(zun, session)}&exec_id=${session.execution.id}`;
  return { status: 200, json: { output: null, exit_code: null, exec_id: session.execution.id, proxy_url: url } };
}

function splitCommand(command: string): string[] {
  try {
    return splitWords(command);
  } catch (error) {
    throw internal(String(error));
  }
}

function strictTruth(value: unknown, fallback: boolean, name: string): boolean {
  if (value === undefined) return fallback;
  if (value === true || value === 'true' || value === 'True') return true;
  if (value === false || value === 'false' || value === 'False') return false;
  throw new ZunError(400, 'invalid-value', `Invalid value for ${name}: ${String(value)}`);
}

function liveProcess(row: ContainerRow): Process {
  if (row.process?.state === 'running') return row.process;
  const text = `Container ${row.uuid} is not running`;
  throw remoteError(409, 'conflict', text, 'container_exec');
}

async function runOnce(zun: ZunState, process: Process, words: string[]): Promise<Answer> {
  const guest = process.guest();
  if (!guest.knows(words[0] ?? '')) return { status: 200, json: outcome(notFoundText(words[0] ?? ''), 126) };
  const pieces: Buffer[] = [];
  const sink = {
    write(bytes: Buffer) {
      pieces.push(bytes);
      return Promise.resolve();
    },
  };
  const ended = guest.run(words, { stdin: emptySource, stdout: sink, stderr: sink }, process.life);
  let cancel = () => {};
  const tooLong = new Promise<'too long'>((resolve) => {
    cancel = zun.clock.after(zun.options.executeTimeoutMs, () => resolve('too long'));
  });
  const code = await Promise.race([ended, tooLong]);
  cancel();
  // The program goes on; nobody will see what becomes of it.
  if (code === 'too long') throw remoteError(409, 'conflict', 'Timeout on executing command', 'container_exec');
  return { status: 200, json: outcome(Buffer.concat(pieces).toString(), code) };
}

function outcome(output: string, exitCode: number) {
  return { output, exit_code: exitCode, exec_id: null, proxy_url: null };
}

/** What the container runtime says when there is no such program. */
export function notFoundText(name: string): string {
  return `OCI runtime exec failed: exec failed: unable to start container process: exec: "${name}": executable file not found in $PATH: unknown\r\n`;
}

/** `POST …/execute_resize?exec_id=&h=&w=`. */
export function resizeExecution({ zun, parameters, row }: Operation): Answer {
  requireState(row, 'execute_resize');
  const id = String(parameters['exec_id'] ?? '');
  for (const { execution } of zun.sessions.values()) {
    if (execution?.id !== id) continue;
    const size = readSize(parameters);
    Object.assign(execution.size, size);
    if (execution.terminal) Object.assign(execution.terminal.size, size);
    return { status: 200, json: null };
  }
  throw remoteError(404, 'exec-instance-not-found', `No such exec instance: ${id}`, 'container_exec_resize');
}

/** `POST …/resize?h=&w=`: the main process's terminal. */
export function resizeMain({ parameters, row }: Operation): Answer {
  requireState(row, 'resize');
  const size = readSize(parameters);
  if (row.process?.terminal) Object.assign(row.process.terminal.size, size);
  return { status: 200, json: null };
}

function readSize(parameters: Record<string, unknown>): TerminalSize {
  const [rows, columns] = [Number(parameters['h']), Number(parameters['w'])];
  if (Number.isInteger(rows) && Number.isInteger(columns) && rows >= 1 && columns >= 1) return { rows, columns };
  throw new ZunError(400, 'schema-validation-error', "Invalid input for field 'h' or 'w'.");
}

/** `GET …/attach`: the URL of a WebSocket on the main process; an earlier one is not good any more. */
export function attach(operation: Operation): Answer {
  const { zun, row } = operation;
  requireState(row, 'attach');
  if (!row.interactive) {
    const text = 'Cannot attach to a container that is not interactive';
    throw new ZunError(400, 'invalid', text);
  }
  const process = liveProcess(row);
  for (const [token, session] of zun.sessions) {
    if (session.container === row.uuid && !session.execution) zun.sessions.delete(token);
  }
  return { status: 200, json: proxyUrl(zun, openSession(zun, row, process)) };
}

function openSession(zun: ZunState, row: ContainerRow, process: Process): Session {
  const session: Session = { token: randomUUID(), container: row.uuid, process };
  zun.sessions.set(session.token, session);
  process.life.addEventListener('abort', () => zun.sessions.delete(session.token), { once: true });
  return session;
}

function proxyUrl(zun: ZunState, session: Session): string {
  return `${zun.proxyUrl()}/?token=${session.token}&uuid=${session.container}`;
}
