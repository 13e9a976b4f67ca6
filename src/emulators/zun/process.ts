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

/** Makes a container's process in state `created`. */
export function createProcess(spec: ProcessSpec, hooks: ProcessHooks): Process {
  const { clock } = hooks;
  const log = createProcessLog(clock);
  let state: Process['state'] = 'created';
  let exitCode = 0;
  let startedAt: number | undefined;
  let finishedAt: number | undefined;
  let restarts = 0;
  let program: Program | undefined;
  let guest: Guest | undefined;
  let life = new AbortController();
  let stdin: Pipe | undefined;
  let terminal: Terminal | undefined;
  let stopping: (() => void)[] = [];
  let cancelTimer = () => {};

  function move(next: Process['state']): void {
    state = next;
    hooks.onChange?.(self);
  }

  function finish(code: number, mayRestart: boolean): void {
    if (state !== 'running' && state !== 'paused') return;
    cancelTimer();
    life.abort();
    stdin?.end();
    terminal?.hangUp();
    program = undefined;
    exitCode = code;
    finishedAt = clock.now();
    const waiting = stopping;
    stopping = [];
    if (waiting.length > 0 || !mayRestart || !wantsRestart(code)) {
      move('exited');
      for (const done of waiting) done();
      return;
    }
    restarts++;
    cancelTimer = clock.after(restartDelayMs, () => self.start());
    move('restarting');
  }

  function wantsRestart(code: number): boolean {
    const { name, maximumRetries } = spec.restart;
    if (name === 'always' || name === 'unless-stopped') return true;
    return name === 'on-failure' && code !== 0 && (maximumRetries === 0 || restarts < maximumRetries);
  }

  const self: Process = {
    spec,
    log,
    get state() {
      return state;
    },
    get exitCode() {
      return exitCode;
    },
    get startedAt() {
      return startedAt;
    },
    get finishedAt() {
      return finishedAt;
    },
    get restarts() {
      return restarts;
    },
    get life() {
      return life.signal;
    },
    get stdin() {
      return stdin;
    },
    get terminal() {
      return terminal;
    },
    guest() {
      guest ??= createGuest(spec, clock);
      return guest;
    },
    start() {
      cancelTimer();
      startedAt = clock.now();
      finishedAt = undefined;
      exitCode = 0;
      life = new AbortController();
      stdin = spec.interactive && !spec.tty ? createPipe() : undefined;
      const screen = { write: (bytes: Buffer) => Promise.resolve(log.write('stdout', bytes)) };
      terminal = spec.tty ? createTerminal(screen) : undefined;
      move('running');
      const started = life.signal;
      program = play(self, clock, (code) => {
        if (life.signal === started) finish(code, true);
      });
    },
    end: (code) => finish(code, true),
    stop(graceMs, done) {
      if (state === 'restarting') {
        cancelTimer();
        move('exited');
      }
      if (state !== 'running' && state !== 'paused') {
        done();
        return;
      }
      stopping.push(done);
      const code = program?.terminate() ?? 143;
      cancelTimer = clock.after(code === 'later' ? graceMs : 0, () => finish(code === 'later' ? 137 : code, false));
    },
    kill: (signal) => finish(128 + signal, false),
    pause() {
      if (state === 'running') move('paused');
    },
    unpause() {
      if (state === 'paused') move('running');
    },
    remove() {
      cancelTimer();
      life.abort();
      stdin?.end();
      terminal?.hangUp();
      program = undefined;
      guest = undefined;
      move('exited');
    },
  };
  return self;
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
