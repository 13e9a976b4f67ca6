import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const folder = mkdtempSync(join(tmpdir(), 'zunlet-log-'));
const asked: (() => void)[] = [];
// An API server that is never ready: each try is one line of the log.
const server = createServer((_request, response) => {
  response.writeHead(503).end();
  asked.shift()?.();
});
await once(server.listen(0, '127.0.0.1'), 'listening');
after(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

function run(stderr: number | 'pipe'): ChildProcess {
  const kubeconfig = join(folder, 'kubeconfig');
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const config = {
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server: url } }],
    users: [{ name: 'a', user: {} }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const flags = ['--kubelet-port=0', '--health-address=', `--kubeconfig=${kubeconfig}`, '--log-level=debug'];
  const cloud = { OS_AUTH_URL: `${url}/v3`, OS_USERNAME: 'a', OS_PASSWORD: 'b', OS_PROJECT_NAME: 'c' };
  return spawn(process.execPath, ['src/main.ts', 'run', ...flags], {
    env: { PATH: process.env['PATH'], HOME: folder, ...cloud },
    stdio: ['ignore', 'ignore', stderr],
  });
}

async function survives(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  // The second question comes after the line about the first answer, which could not be written.
  const tries = Promise.all([1, 2, 3, 4].map(() => new Promise<void>((resolve) => asked.push(resolve))));
  const first = await Promise.race([tries.then(() => 'lives' as const), ended]);
  assert.equal(first, 'lives', `ended: ${first.toString()}`);
  child.kill('SIGTERM');
  assert.deepEqual(await ended, [0, null]);
}

test('run: the disk of the log is full: the node goes on', async () => {
  await survives(run(openSync('/dev/full', 'w')));
});

test('run: the reader of the log is gone: the node goes on', async () => {
  const child = run('pipe');
  child.stderr?.destroy();
  await survives(child);
});
