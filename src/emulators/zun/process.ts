import type { Clock } from '../../base/clock.ts';
import type { ZunStatus } from '../../openstack/types.ts';
import { createProcessLog, type ProcessLog } from './process-log.ts';
import { type Program, programFor } from './programs.ts';

export interface ProcessSpec {
  image: string;
  /** Command and arguments as the runtime gets them; empty: the image's own. */
  command: string[];
  environment: Record<string, string>;
  restart: { name: string; maximumRetries: number };
  hostname: string;
  workdir: string;
  tty: boolean;
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
  let cancelTimer = () => {};

  function move(next: Process['state']): void {
    state = next;
    hooks.onChange?.(self);
  }

  function finish(code: number, mayRestart: boolean): void {
    if (state !== 'running' && state !== 'paused') return;
    cancelTimer();
    program?.abandon();
    program = undefined;
    exitCode = code;
    finishedAt = clock.now();
    if (!mayRestart || !wantsRestart(code)) {
      move('exited');
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
    start() {
      cancelTimer();
      startedAt = clock.now();
      finishedAt = undefined;
      exitCode = 0;
      move('running');
      program = programFor(spec, { clock, log, end: (code) => finish(code, true) });
    },
    end: (code) => finish(code, true),
    stop(graceMs, done) {
      if (state === 'restarting') {
        cancelTimer();
        move('exited');
      }
      if (state !== 'running' && state !== 'paused') return done();
      const answer = program?.terminate() ?? 143;
      const code = answer === 'ignored' ? 137 : answer;
      cancelTimer = clock.after(answer === 'ignored' ? graceMs : 0, () => {
        finish(code, false);
        done();
      });
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
      program?.abandon();
      program = undefined;
      state = 'exited';
      hooks.onChange?.(self);
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
