import type { Clock } from '../../../base/clock.ts';
import { createFiles, type Files } from './files.ts';
import { programs } from './programs.ts';
import { ExitRequest, type Machine, type Scope, type Streams } from './scope.ts';
import { runWords } from './shell.ts';

export interface GuestSpec {
  hostname: string;
  environment: Record<string, string>;
  workdir: string;
  /** Content in base64, by path. */
  injected: { destination: string; file: string }[];
}

/** The inside of a container: its files, and programs that run in it. */
export interface Guest {
  files: Files;
  /** Tells whether there is a program of this name. */
  knows(name: string): boolean;
  /** Runs words as a program until it ends or is aborted (137). */
  run(words: string[], streams: Streams, signal: AbortSignal, traps?: Map<string, string>): Promise<number>;
}

/** Makes the inside of a container. */
export function createGuest(spec: GuestSpec, clock: Clock): Guest {
  const files = createFiles(() => clock.now(), spec.hostname);
  showHost(files, clock);
  files.makeFolder(spec.workdir);
  for (const { destination, file } of spec.injected) files.inject(destination, Buffer.from(file, 'base64'));
  const machine: Machine = {
    files,
    hostname: spec.hostname,
    now: () => clock.now(),
    sleep: (ms, signal) => sleep(clock, ms, signal),
  };
  return {
    files,
    knows: (name) => Object.hasOwn(programs, baseName(name)),
    async run(words, streams, signal, traps = new Map()) {
      const scope: Scope = {
        machine,
        variables: new Map([
          ['PATH', '/usr/local/bin:/usr/bin:/bin'],
          ['HOME', '/root'],
          ['HOSTNAME', spec.hostname],
          ...Object.entries(spec.environment),
        ]),
        folder: spec.workdir,
        signal,
        arguments: words,
        lastStatus: 0,
        traps,
      };
      try {
        return await runWords(words, streams, scope, programs);
      } catch (error) {
        if (error instanceof ExitRequest) return error.code;
        if (signal.aborted) return 137;
        await streams.stderr.write(Buffer.from(`${String(error)}\n`));
        return 2;
      }
    },
  };
}

/**
 * Shows `/proc/stat`, which a container has as it is on its host. This one has one processor and was started with the
 * container, so that Zun's "CPU %" of 10 is a tenth of a processor (docs/zun.md §5.3).
 */
function showHost(files: Files, clock: Clock): void {
  const { read } = files;
  const startedAt = clock.now();
  files.read = (path) => {
    if (path !== '/proc/stat') return read(path);
    const ticks = Math.max(0, Math.round((clock.now() - startedAt) / 10));
    return Buffer.from(`cpu  0 0 0 ${ticks} 0 0 0 0 0 0\ncpu0 0 0 0 ${ticks} 0 0 0 0 0 0\n`);
  };
}

function baseName(path: string): string {
  return path.split('/').at(-1) ?? '';
}

function sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const cancel = Number.isFinite(ms) ? clock.after(ms, done) : () => {};
    function stop() {
      cancel();
      reject(new Error('killed'));
    }
    function done() {
      signal.removeEventListener('abort', stop);
      resolve();
    }
    signal.addEventListener('abort', stop, { once: true });
  });
}
