import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocketServer } from 'ws';
import { AppError } from '../../src/base/errors.ts';
import type { ZunContainers } from '../../src/server/zun-runtime.ts';

/** Zun's containers as far as the kubelet's API needs them, with commands that really run, on this machine. */
export interface ZunStandIn {
  containers: ZunContainers;
  /** The log of every container: lines with times. */
  lines: string[];
  isRunning: boolean;
  /** Sizes that terminals were given, `columns x rows`. */
  sizes: string[];
  calls: Record<string, number>;
  /** Runs this instead of `sh`; empty: there is no shell. */
  shell: string;
  close(): Promise<void>;
}

/**
 * Starts the stand-in: interactive commands get a real pseudo terminal (util-linux `script`) behind a real WebSocket, as
 * behind Zun's proxy, so that what the kernel does to terminals is part of the test.
 */
export async function startZunStandIn(): Promise<ZunStandIn> {
  const pending = new Map<string, readonly string[]>();
  const children = new Set<ChildProcess>();
  const http = createServer();
  const proxy = new WebSocketServer({ server: http, handleProtocols: () => 'binary' });
  proxy.on('connection', (socket, request) => {
    const token = new URL(request.url ?? '', 'ws://x').searchParams.get('token') ?? '';
    const command = pending.get(token);
    if (!command) {
      socket.close(1008);
      return;
    }
    pending.delete(token);
    const line = command.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
    const child = spawn('script', ['-qefc', `exec ${line}`, '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
    children.add(child);
    // Docker's detach keys, as Zun leaves them.
    let held: Buffer = Buffer.alloc(0);
    socket.on('message', (data: Buffer) => {
      const all = Buffer.concat([held, data]);
      const kept = all.at(-1) === 0x10 ? 1 : 0;
      held = all.subarray(all.length - kept);
      if (all.includes(Buffer.from([0x10, 0x11]))) socket.terminate();
      else if (!child.stdin.destroyed) child.stdin.write(all.subarray(0, all.length - kept));
    });
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => {
      child.stdout.pause();
      socket.send(bytes, () => child.stdout.resume());
    });
    child.once('close', () => {
      children.delete(child);
      socket.close(1000);
    });
    socket.once('close', () => child.stdin.end());
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  const { port } = http.address() as AddressInfo; // a TCP server has one
  const calls: Record<string, number> = {};
  const count = (name: string): void => {
    calls[name] = (calls[name] ?? 0) + 1;
  };
  const standIn: ZunStandIn = {
    lines: [],
    isRunning: true,
    sizes: [],
    calls,
    shell: 'sh',
    containers: {
      get: (uuid) => Promise.resolve({ ...bare, uuid, status: standIn.isRunning ? 'Running' : 'Stopped' }),
      logs(_uuid, { tail, since }) {
        count('logs');
        const last = tail === undefined ? standIn.lines : standIn.lines.slice(-tail);
        const from = since === undefined ? '' : new Date(since * 1000).toISOString().slice(0, 19);
        return Promise.resolve(last.filter((line) => line >= from).join(''));
      },
      execute(_uuid, command) {
        count('execute');
        return runOnce(withShell(command, standIn.shell));
      },
      executeInteractive(_uuid, command) {
        count('executeInteractive');
        const token = randomBytes(8).toString('hex');
        pending.set(token, withShell(command, standIn.shell));
        return Promise.resolve({ execId: token, proxyUrl: `ws://127.0.0.1:${port}/?token=${token}` });
      },
      executeResize(_uuid, _id, { rows, columns }) {
        standIn.sizes.push(`${columns}x${rows}`);
        return Promise.resolve();
      },
      resize: () => Promise.resolve(),
      attach() {
        const token = randomBytes(8).toString('hex');
        pending.set(token, ['cat']);
        return Promise.resolve(`ws://127.0.0.1:${port}/?token=${token}`);
      },
      stats() {
        count('stats');
        return Promise.resolve(someStats);
      },
    },
    async close() {
      for (const child of children) child.kill('SIGKILL');
      for (const socket of proxy.clients) socket.terminate();
      proxy.close();
      await new Promise((resolve) => http.close(resolve));
    },
  };
  return standIn;
}

const someStats = {
  cpuPercent: 0.5,
  memoryMiB: 64,
  memoryLimitMiB: 512,
  blockReadBytes: 4096,
  blockWrittenBytes: 8192,
  networkReceivedBytes: 1000,
  networkSentBytes: 2000,
};

const bare = { name: 'c', image: 'busybox', status_reason: null, status_detail: null, environment: {} };

function withShell(command: readonly string[], shell: string): readonly string[] {
  return command[0] === 'sh' ? [shell || '/nonexistent/sh', ...command.slice(1)] : command;
}

/** As Zun's one-shot: output merged, five seconds at most. */
function runOnce(command: readonly string[]): Promise<{ output: string; exitCode: number }> {
  const [file = '', ...args] = command;
  return new Promise((resolve, reject) => {
    execFile(file, args, { timeout: 5000 }, (error, stdout, stderr) => {
      if (error && 'killed' in error && error.killed) {
        reject(new AppError({ kind: 'conflict', code: 'zun.conflict', message: 'Timeout on executing command' }));
      } else if (error && typeof error.code === 'string') {
        resolve({ output: `exec failed: "${file}": executable file not found in $PATH`, exitCode: 127 });
      } else {
        resolve({ output: stdout + stderr, exitCode: Number(error?.code ?? 0) });
      }
    });
  });
}
