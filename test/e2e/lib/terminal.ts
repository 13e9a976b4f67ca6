import { spawn } from 'node:child_process';
import { until } from './processes.ts';

/** Joins words to a line of a shell that is read back as the same words. */
export function shellQuoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
}

/**
 * Runs a program in a pseudo terminal, types into it until its screen shows what is expected, ends the program and answers the
 * screen. What is typed before the other side listens is lost, so it is typed again each second.
 */
export async function typeInTerminal(words: readonly string[], typed: string, expected: RegExp): Promise<string> {
  const child = spawn('script', ['-qefc', `exec ${shellQuoted(words)}`, '/dev/null']);
  const ended = new Promise((resolve) => child.once('close', resolve));
  let screen = '';
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk.toString();
  });
  child.stdin.on('error', () => {});
  let typedAt = -Infinity;
  try {
    await until(`the screen shows ${expected}`, () => {
      if (child.exitCode !== null) throw new Error(`it ended with ${child.exitCode}; the screen:\n${screen}`);
      if (performance.now() - typedAt >= 1_000) {
        typedAt = performance.now();
        child.stdin.write(typed);
      }
      return expected.test(screen);
    });
  } finally {
    child.kill();
    await ended;
  }
  return screen;
}
