import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isLeashed, until } from '../../e2e/lib/processes.ts';

const library = join(import.meta.dirname, '../../e2e/lib/processes.ts');

/** Whether a process runs; one that ended and was not waited for is a zombie. */
function isAlive(pid: number): boolean {
  const file = `/proc/${pid}/stat`;
  return existsSync(file) && !/^\d+ \(.*\) Z/.test(readFileSync(file, 'utf8'));
}

test('processes: the test is killed with SIGKILL: what it started ends with it', async (context) => {
  if (!isLeashed)
    return context.diagnostic('a program cannot be bound to its parent here: setpriv of util-linux is missing');
  const script = `
    const { startService } = await import(${JSON.stringify(library)});
    const service = startService({ name: 'sleep', command: 'sleep', args: ['1000'], logFile: '/dev/null' });
    process.stdout.write(String(service.pid) + '\\n');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout.setEncoding('utf8'), 'data')) as [string];
  const pid = Number(said);
  assert.ok(isAlive(pid));
  child.kill('SIGKILL');
  await until('the program has ended', () => !isAlive(pid), { limitMs: 5000 });
});
