import type { Files } from './files.ts';
import type { ByteSink, ByteSource } from './pipe.ts';
import type { Terminal } from './terminal.ts';

/** Where a program of a container lives. */
export interface Machine {
  files: Files;
  hostname: string;
  /** Wall time in milliseconds. */
  now(): number;
  /** Waits; rejects when the program is ended. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** Standard streams, and the terminal behind them where there is one. */
export interface Streams {
  stdin: ByteSource;
  stdout: ByteSink;
  stderr: ByteSink;
  /** Descriptors from 3 on. */
  numbered?: ReadonlyMap<number, ByteSink>;
  terminal?: Terminal;
}

/** What a running program knows. */
export interface Scope {
  machine: Machine;
  variables: Map<string, string>;
  folder: string;
  /** Aborted when the program is killed. */
  signal: AbortSignal;
  /** Arguments of the script: `$1`, `$2` … */
  arguments: string[];
  lastStatus: number;
  /** Commands that `trap` set, by signal name. */
  traps: Map<string, string>;
}

/** A program by name. */
export type Program = (words: string[], streams: Streams, scope: Scope) => Promise<number> | number;

export type Programs = Record<string, Program>;

/** Thrown by `exit`; caught where the shell ends. */
export class ExitRequest extends Error {
  readonly code: number;

  constructor(code: number) {
    super('exit');
    this.code = code;
  }
}

/** Thrown by `break` and `continue`. */
export class LoopRequest extends Error {
  readonly isBreak: boolean;

  constructor(isBreak: boolean) {
    super('loop control');
    this.isBreak = isBreak;
  }
}
