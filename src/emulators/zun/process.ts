import { setMaxListeners } from 'node:events';
import type { Clock } from '../../base/clock.ts';
import type { ZunStatus } from '../../openstack/types.ts';
import { createGuest, type Guest } from './guest/guest.ts';
import { createPipe, type Pipe } from './guest/pipe.ts';
import { createTerminal, type Terminal } from './guest/terminal.ts';
import { type Program, play } from './play.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';

export interface ProcessSpec {
  image: string;
  /** Command and arguments as the runtime gets them; empty: the image's own. */
  command: string[];
  environment: Record<string, string>;
  restart: { name: string; maximumRetries: number };
  hostname: string;
  workdir: string;
  tty: boolean;
  /** Standard input stays open. */
  interactive: boolean;
  /** Injected files, in base64. */
  injected: { destination: string; file: string }[];
}

/** A main process of a container, as the container runtime sees it. It is played, not run. */
export interface Process {
  readonly spec: ProcessSpec;
  readonly log: ProcessLog;
  readonly state: 'created' | 'running' | 'restarting' | 'paused' | 'exited';
  readonly exitCode: number;
  /** Wall time in milliseconds. */
  readonly startedAt: number | undefined;
  readonly finishedAt: number | undefined;
  readonly restarts: number;
  /** Its files and programs; made when first looked at. */
  guest(): Guest;
  /** Aborted when the process ends, with everything that was started beside it. */
  readonly life: AbortSignal;
  /** Where what is typed goes; undefined without standard input. */
  readonly stdin: Pipe | undefined;
  readonly terminal: Terminal | undefined;
  start(): void;
  /** The process ends by itself; the restart policy applies. */
  end(code: number): void;
  /** Sends SIGTERM, and SIGKILL after the grace; runs `done` when it has ended. No restart follows. */
  stop(graceMs: number, done: () => void): void;
  /** Ends it at once with 128 + the signal's number; no restart follows. */
  kill(signal: number): void;
  pause(): void;
  unpause(): void;
  /** Forgets everything, without ceremony: the container was removed. */
  remove(): void;
}

export interface ProcessHooks {
  clock: Clock;
  /** Called after each change of state. */
  onChange?(process: Process): void;
}

const restartDelayMs = 1000;

/** A process as this file sees it. */
interface Inner extends Mutable<Omit<Process, 'life'>> {
  hooks: ProcessHooks;
  lifeController: AbortController;
  readonly life: AbortSignal;
  program: Program | undefined;
  /** Who waits for its end. */
  stopping: (() => void)[];
  cancelTimer: () => void;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Makes a container's process in state `created`. */
export function createProcess(spec: ProcessSpec, hooks: ProcessHooks): Process {
  const { clock } = hooks;
  let guest: Guest | undefined;
  const process: Inner = {
    hooks,
    spec,
    log: createProcessLog(clock),
    state: 'created',
    exitCode: 0,
    startedAt: undefined,
    finishedAt: undefined,
    restarts: 0,
    lifeController: new AbortController(),
    get life() {
      return this.lifeController.signal;
    },
    stdin: undefined,
    terminal: undefined,
    program: undefined,
    stopping: [],
    cancelTimer() {},
    guest() {
      guest ??= createGuest(spec, clock);
      return guest;
    },
    start: () => start(process),
    end: (code) => finish(process, code, true),
    stop: (graceMs, done) => stop(process, graceMs, done),
    kill: (signal) => finish(process, 128 + signal, false),
    pause() {
      if (process.state === 'running') move(process, 'paused');
    },
    unpause() {
      if (process.state === 'paused') move(process, 'running');
    },
    remove() {
      release(process);
      guest = undefined;
      move(process, 'exited');
    },
  };
  return process;
}

function move(process: Inner, next: Process['state']): void {
  process.state = next;
  process.hooks.onChange?.(process);
}

function start(process: Inner): void {
  const { spec, hooks, log } = process;
  process.cancelTimer();
  process.startedAt = hooks.clock.now();
  process.finishedAt = undefined;
  process.exitCode = 0;
  process.lifeController = new AbortController();
  const { life } = process;
  // Every exec, sleep and attach listens to it.
  setMaxListeners(0, life);
  const screen = { write: (bytes: Buffer) => Promise.resolve(log.write('stdout', bytes)) };
  process.stdin = spec.interactive && !spec.tty ? createPipe() : undefined;
  process.terminal = spec.tty ? createTerminal(screen) : undefined;
  move(process, 'running');
  process.program = play(process, hooks.clock, (code) => {
    if (process.life === life) finish(process, code, true);
  });
}

/** Ends everything that hangs on the process. */
function release(process: Inner): void {
  process.cancelTimer();
  process.lifeController.abort();
  process.stdin?.end();
  process.terminal?.hangUp();
  process.program = undefined;
}

function finish(process: Inner, code: number, mayRestart: boolean): void {
  if (process.state !== 'running' && process.state !== 'paused') return;
  release(process);
  process.exitCode = code;
  process.finishedAt = process.hooks.clock.now();
  const waiting = process.stopping;
  process.stopping = [];
  if (waiting.length > 0 || !mayRestart || !wantsRestart(process, code)) {
    move(process, 'exited');
    for (const done of waiting) done();
    return;
  }
  process.restarts++;
  process.cancelTimer = process.hooks.clock.after(restartDelayMs, () => start(process));
  move(process, 'restarting');
}

function wantsRestart({ spec, restarts }: Inner, code: number): boolean {
  const { name, maximumRetries } = spec.restart;
  if (name === 'always' || name === 'unless-stopped') return true;
  return name === 'on-failure' && code !== 0 && (maximumRetries === 0 || restarts < maximumRetries);
}

function stop(process: Inner, graceMs: number, done: () => void): void {
  if (process.state === 'restarting') {
    process.cancelTimer();
    move(process, 'exited');
  }
  if (process.state !== 'running' && process.state !== 'paused') {
    done();
    return;
  }
  process.stopping.push(done);
  const code = process.program?.terminate() ?? 143;
  const delayMs = code === 'later' ? graceMs : 0;
  process.cancelTimer = process.hooks.clock.after(delayMs, () => finish(process, code === 'later' ? 137 : code, false));
}

/** What Zun makes of a `docker inspect`: its status and the text beside it (docs/zun.md §4.7). */
export function inspect(process: Process, now: number): { status: ZunStatus; detail: string | null } {
  const upFor = age(now - (process.startedAt ?? now));
  switch (process.state) {
    case 'running':
      return { status: 'Running', detail: upFor === 'None' ? null : `Up ${upFor}` };
    case 'paused':
      return { status: 'Paused', detail: `Up ${upFor} (paused)` };
    case 'restarting':
      return { status: 'Restarting', detail: 'Restarting' };
    case 'created':
      return { status: 'Created', detail: 'Created' };
    case 'exited':
      return {
        status: 'Stopped',
        detail: `Exited(${process.exitCode}) ${age(now - (process.finishedAt ?? now))} ago `,
      };
    default:
      return process.state satisfies never;
  }
}

/** An age in Zun's words: whole units of one kind, `None` below a second. */
function age(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 1) return 'None';
  if (seconds < 60) return `${seconds} seconds`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} mins`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} hours`;
  return `${Math.floor(seconds / 86_400)} days`;
}
