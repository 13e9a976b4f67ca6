/** What a command may use of the world; tests pass their own. Results go to `stdout`, everything else to `stderr`. */
export interface Io {
  stdout: { write(text: string): unknown; isTTY?: boolean; columns?: number };
  stderr: { write(text: string): unknown; isTTY?: boolean };
  stdin: AsyncIterable<Buffer | string>;
  env: Record<string, string | undefined>;
  /** Aborts on Ctrl-C and SIGTERM. */
  signal: AbortSignal;
}

/** A command: answers the exit code; 0 done, 1 failed, 2 wrong usage. */
export type Command = (args: string[], io: Io) => Promise<number>;
