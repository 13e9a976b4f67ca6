import type { Clock } from '../../base/clock.ts';
import { emptySource } from './guest/pipe.ts';
import { sleepMs } from './guest/programs.ts';
import type { Streams } from './guest/scope.ts';
import type { Process } from './process.ts';

/** A program in play. */
export interface Program {
  /** SIGTERM: the exit code it ends with at once, or `later`: it ends by itself, or never. */
  terminate(): number | 'later';
}

/**
 * Plays a container's program and calls `end` with its exit code. What is known:
 *
 * - environment `PEER_EXIT` (code) and `PEER_EXIT_AFTER` (seconds), whatever the command is; `PEER_LOG`: a line to begin with;
 * - `sleep`, `true`, `false`, `exit N`, `sh -c …` and the other programs of the small image (guest/programs.ts);
 * - the image `hello-world`, which greets and ends; a container with standard input and no command, which is a shell;
 * - everything else stays running and ends with 143 on SIGTERM, images with `nginx` in their name with 0.
 */
export function play(process: Process, clock: Clock, end: (code: number) => void): Program {
  const { environment, image, command } = process.spec;
  if (environment['PEER_LOG'] !== undefined) process.log.write('stdout', `${environment['PEER_LOG']}\n`);
  const scripted = environment['PEER_EXIT'];
  if (scripted !== undefined) {
    return endAfter(process, clock, Number(environment['PEER_EXIT_AFTER'] ?? 0) * 1000, Number(scripted), end);
  }
  if (command.length === 0 && image.includes('hello-world')) {
    process.log.write('stdout', '\nHello from Docker!\n');
    return endAfter(process, clock, 0, 0, end);
  }
  const [name] = command;
  if (name === undefined) return process.spec.interactive ? run(process, ['sh'], end) : stay(image);
  if (name.split('/').at(-1) === 'sleep' && command.length === 2) {
    const ms = sleepMs(command[1] ?? '');
    return ms === undefined ? stay(image) : endAfter(process, clock, ms, 0, end);
  }
  return process.guest().knows(name) ? run(process, command, end) : stay(image);
}

function stay(image: string): Program {
  return { terminate: () => (image.includes('nginx') ? 0 : 143) };
}

function endAfter(process: Process, clock: Clock, ms: number, code: number, end: (code: number) => void): Program {
  const cancel = clock.after(ms, () => end(code));
  process.life.addEventListener('abort', cancel, { once: true });
  return { terminate: () => 143 };
}

function run(process: Process, command: string[], end: (code: number) => void): Program {
  const { log, terminal, stdin } = process;
  const sink = (stream: 'stdout' | 'stderr') => ({
    write: (bytes: Buffer) => Promise.resolve(log.write(stream, bytes)),
  });
  const streams: Streams = terminal
    ? { stdin: terminal.input, stdout: terminal.output, stderr: terminal.output, terminal }
    : { stdin: stdin ?? emptySource, stdout: sink('stdout'), stderr: sink('stderr') };
  const traps = new Map<string, string>();
  const { life } = process;
  const guest = process.guest();
  void guest.run(command, streams, life, traps).then((code) => {
    if (!life.aborted) end(code);
  });
  return {
    terminate() {
      const trap = traps.get('TERM') ?? traps.get('15');
      if (trap === undefined) return 143;
      // An empty trap ignores the signal; another one may end the script in its own time.
      if (trap !== '') {
        void guest.run(['sh', '-c', `${trap}; exit 255`], streams, life).then((code) => {
          if (code !== 255 && !life.aborted) end(code);
        });
      }
      return 'later';
    },
  };
}
