import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** A program that runs until it is stopped, its output in a file. */
export interface Service {
  readonly name: string;
  readonly pid: number;
  readonly logFile: string;
  /** True once the program has ended, whoever ended it. */
  hasEnded(): boolean;
  /** Its exit code once it has ended by itself; null while it runs, and after a signal. */
  exitCode(): number | null;
  /** Sends the signal and waits until the program has ended; after `patienceMs` it is killed. */
  stop(signal?: NodeJS.Signals, patienceMs?: number): Promise<void>;
}

/** How to start a service. */
export interface ServiceStart {
  name: string;
  command: string;
  args: string[];
  /** Its standard output and error are appended here. */
  logFile: string;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
}

/** What this process must not leave behind, whatever ends it: programs (each leads a process group) and folders. */
const leftovers = { children: new Set<ChildProcess>(), folders: new Set<string>(), isGuarded: false };

function guard(): typeof leftovers {
  if (leftovers.isGuarded) return leftovers;
  leftovers.isGuarded = true;
  process.on('exit', () => {
    for (const child of leftovers.children) killGroup(child, 'SIGKILL');
    for (const folder of leftovers.folders) rmSync(folder, { recursive: true, force: true });
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
  return leftovers;
}

/** Makes a folder that is removed when this process ends, unless `E2E_KEEP` is set, for a look at the logs. */
export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `zunlet-${name}-`));
  if (!process.env['E2E_KEEP']) guard().folders.add(folder);
  return folder;
}

/** Binds a program to this process, so that the kernel ends it even when this process is killed and can clean up nothing. */
const leash = ['setpriv', '--pdeathsig', 'KILL'] as const;

/** Whether this machine has that. */
export const isLeashed = spawnSync(leash[0], [...leash.slice(1), 'true']).status === 0;

/** Starts a program that lives until `stop` or the end of this process. */
export function startService({ name, command, args, logFile, env, cwd }: ServiceStart): Service {
  const log = openSync(logFile, 'a');
  const [program, ...all] = isLeashed ? [...leash, command, ...args] : [command, ...args];
  const child = spawn(program, all, {
    stdio: ['ignore', log, log],
    detached: true,
    ...(env !== undefined && { env }),
    ...(cwd !== undefined && { cwd }),
  });
  closeSync(log);
  if (child.pid === undefined) throw new Error(`starting ${name}: ${command} cannot be run`);
  const { children } = guard();
  children.add(child);
  child.once('exit', () => children.delete(child));
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null;
  return {
    name,
    pid: child.pid,
    logFile,
    hasEnded,
    exitCode: () => child.exitCode,
    async stop(signal = 'SIGTERM', patienceMs = 10_000) {
      if (hasEnded()) return;
      const ended = once(child, 'exit');
      killGroup(child, signal);
      const late = setTimeout(() => killGroup(child, 'SIGKILL'), patienceMs);
      await ended;
      clearTimeout(late);
      killGroup(child, 'SIGKILL');
    },
  };
}

/** Runs a program to its end, its output on our standard error or in a file; rejects when it does not end with 0. */
export async function runLogged(
  command: string,
  args: string[],
  { env = process.env, logFile }: { env?: NodeJS.ProcessEnv; logFile?: string } = {},
): Promise<void> {
  const log = logFile === undefined ? 2 : openSync(logFile, 'a');
  const child = spawn(command, args, { stdio: ['ignore', log, log], env });
  if (logFile !== undefined) closeSync(log);
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code === 0) return;
  const where = logFile === undefined ? '' : `:\n${readFileSync(logFile, 'utf8').slice(-2_000)}`;
  throw new Error(`${basename(command)} ${args[0] ?? ''} ended with ${code}${where}`);
}

/** Waits until `condition` answers something true, asking again every `everyMs`, and answers that. */
export async function until<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  { limitMs = 60_000, everyMs = 50 } = {},
): Promise<T> {
  const deadline = performance.now() + limitMs;
  for (;;) {
    const answer = await condition();
    if (answer) return answer;
    if (performance.now() > deadline) throw new Error(`waited ${limitMs} ms in vain: ${what}`);
    await delay(everyMs);
  }
}

/** Waits for a service to become ready; rejects with the end of its log when it ends first. */
export function untilReady(service: Service, isReady: () => Promise<boolean>, limitMs = 90_000): Promise<true> {
  return until(
    `${service.name} is ready; log: ${service.logFile}`,
    () => {
      if (!service.hasEnded()) return isReady();
      const log = readFileSync(service.logFile, 'utf8').slice(-2_000);
      throw new Error(`${service.name} ended before it was ready:\n${log}`);
    },
    { limitMs },
  );
}

/** Below the ports that the system gives to outgoing connections, which would take one of ours between search and use. */
const portRange = { first: 15_000, last: 32_000 };

/** Finds free ports on the loopback interface, all held open until the last is found, so that none is given twice. */
export async function freePorts(count: number): Promise<number[]> {
  const held: Server[] = [];
  const ports: number[] = [];
  while (ports.length < count) {
    const port = randomInt(portRange.first, portRange.last);
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, '127.0.0.1', () => resolve(true));
    });
    if (!isFree) continue;
    held.push(server);
    ports.push(port);
  }
  await Promise.all(held.map((server) => once(server.close(), 'close')));
  return ports;
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}
