/**
 * Measures the kubelet API's streams: exec in both directions, and forwarded connections, beside a plain TLS copy in the
 * same run. Client and server share one process, so each number holds the work of both sides.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { Duplex } from 'node:stream';
import { connect as tlsConnect, createServer as tlsServer } from 'node:tls';
import { systemClock } from '../../src/base/clock.ts';
import type { ContainerRuntime } from '../../src/server/runtime.ts';
import { createZunRuntime } from '../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../src/server/zun-terminal.ts';
import { type KubeletBed, noRuntime, startKubeletBed } from '../lib/kubelet-bed.ts';
import { createTestAuthority } from '../lib/kubelet-certificates.ts';
import type { SpdyClient } from '../lib/spdy-client.ts';
import { startZunStandIn } from '../lib/zun-proxy.ts';

export interface StreamsReport {
  node: string;
  megabytes: number;
  /** MB a second. */
  plainTls: number;
  execOut: number;
  execIn: number;
  /** The same through a real pseudo terminal and the script that keeps it binary-safe. */
  zunOut: number;
  zunIn: number;
  forwards: number;
  parallel: number;
  forwardsPerSecond: number;
  plainConnectionsPerSecond: number;
  memoryMiB: { before: number; after: number; peak: number };
}

const piece = Buffer.alloc(64 * 1024, 0x61);

/** Runs all measurements. */
export async function measureStreams(megabytes: number, forwards: number): Promise<StreamsReport> {
  const before = residentMiB();
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, residentMiB());
  }, 50);
  const bytes = megabytes * 1_000_000;
  const parallel = 100;
  const bed = await startKubeletBed({ runtime: generator(bytes) });
  const plainTls = await rate(bytes, () => plainCopy(bytes));
  const execOut = await rate(bytes, () => copyOut(bed, 'gen', true));
  const execIn = await rate(bytes, () => copyIn(bed, 'sink', bytes, true));
  const forwardsPerSecond = await rate(forwards * 1e6, () => forwardMany(bed, forwards, parallel));
  const plainConnectionsPerSecond = await rate(forwards * 1e6, () => plainConnections(forwards, parallel));
  await bed.close();
  const zun = await measureZun(Math.min(megabytes, 100) * 1_000_000);
  clearInterval(watch);
  return {
    node: process.version,
    megabytes,
    plainTls,
    execOut,
    execIn,
    ...zun,
    forwards,
    parallel,
    forwardsPerSecond,
    plainConnectionsPerSecond,
    memoryMiB: { before, after: residentMiB(), peak },
  };
}

/** Says the report in words. */
export function showStreams(report: StreamsReport): string {
  const { memoryMiB: memory } = report;
  return [
    `${report.megabytes} MB a direction, Node.js ${report.node}, client and server in one process`,
    `plain TLS copy      ${report.plainTls} MB/s`,
    `exec, out           ${report.execOut} MB/s; in ${report.execIn} MB/s`,
    `exec by terminal    out ${report.zunOut} MB/s; in ${report.zunIn} MB/s (at most 100 MB, a real pseudo terminal)`,
    `port-forward        ${report.forwardsPerSecond} connections/s, ${report.parallel} at once, of ${report.forwards}`,
    `plain connections   ${report.plainConnectionsPerSecond}/s to the same service without a kubelet`,
    `memory              ${memory.before} MiB before, ${memory.peak} at most, ${memory.after} after`,
    '',
  ].join('\n');
}

function residentMiB(): number {
  return Math.round(process.memoryUsage.rss() / 1024 / 1024);
}

/** Millions of `bytes` a second. */
async function rate(bytes: number, run: () => Promise<void>): Promise<number> {
  const startMs = performance.now();
  await run();
  return Math.round(bytes / 1e6 / ((performance.now() - startMs) / 1000));
}

async function plainCopy(bytes: number): Promise<void> {
  const { cert, key } = createTestAuthority('bench').issue('server', { commonName: 'bench' });
  const server = tlsServer({ cert, key }, (socket) => {
    source(bytes).pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = tlsConnect({ port: portOf(server), host: '127.0.0.1', rejectUnauthorized: false });
  client.resume();
  await once(client, 'end');
  server.close();
}

function portOf(server: { address(): unknown }): number {
  return (server.address() as AddressInfo).port; // all of these listen on TCP
}

/** A stream that gives so many bytes and takes any number. */
function source(bytes: number, onDone: () => void = () => {}): Duplex {
  let left = bytes;
  return new Duplex({
    read() {
      while (left > 0) {
        const length = Math.min(left, piece.length);
        left -= length;
        if (!this.push(piece.subarray(0, length))) return;
      }
      this.push(null);
    },
    write(_chunk, _encoding, done) {
      done();
    },
    final(done) {
      onDone();
      done();
    },
  });
}

/** A runtime whose terminals give or take bytes as fast as they can. */
function generator(bytes: number): ContainerRuntime {
  return {
    ...noRuntime,
    ensureServed: () => Promise.resolve(),
    execute: () => Promise.resolve({ output: Buffer.alloc(0), exitCode: 1 }),
    openExec: (_target, [name]) =>
      Promise.resolve({ io: name === 'gen' ? source(bytes) : sink(bytes), resize: () => Promise.resolve() }),
  };
}

/** Ends when so many bytes were taken. */
function sink(bytes: number): Duplex {
  let left = bytes;
  return new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      left -= chunk.length;
      if (left <= 0) this.push(null);
      done();
    },
  });
}

async function openExec(bed: KubeletBed, command: string, wanted: { tty: boolean; stdin: boolean }) {
  const query = new URLSearchParams({ command, output: '1', ...(wanted.stdin && { input: '1' }) });
  query.set(wanted.tty ? 'tty' : 'error', '1');
  const client = await bed.spdy(`/exec/default/web/app?${query}`, 'v4.channel.k8s.io', false);
  const error = await client.open({ streamtype: 'error' });
  const stdin = wanted.stdin ? await client.open({ streamtype: 'stdin' }) : undefined;
  const stdout = await client.open({ streamtype: 'stdout' });
  await (await client.open({ streamtype: wanted.tty ? 'resize' : 'stderr' })).opened;
  return { client, error, stdin, stdout };
}

async function copyOut(bed: KubeletBed, command: string, tty: boolean): Promise<void> {
  const { error, stdout, client } = await openExec(bed, command, { tty, stdin: false });
  await Promise.all([stdout.ended, error.ended]);
  client.transport.destroy();
}

async function copyIn(bed: KubeletBed, command: string, bytes: number, tty: boolean): Promise<void> {
  const { error, stdin, client } = await openExec(bed, command, { tty, stdin: true });
  for (let sent = 0; sent < bytes; sent += piece.length) await stdin?.send(piece);
  await stdin?.fin();
  await error.ended;
  client.transport.destroy();
}

async function measureZun(bytes: number): Promise<{ zunOut: number; zunIn: number }> {
  const zun = await startZunStandIn();
  const connect = createTerminalConnector({ clock: systemClock });
  const bed = await startKubeletBed({
    runtime: createZunRuntime({ containers: { ...zun.containers }, connect, clock: systemClock }),
  });
  const { client, error, stdout } = await openExec(bed, 'true', { tty: false, stdin: false });
  await Promise.all([stdout.ended, error.ended]);
  client.transport.destroy();
  const zunIn = await rate(bytes, () => copyIn(bed, 'wc', bytes, false));
  const zunOut = await rate(bytes, () => headOut(bed, bytes));
  await bed.close();
  await zun.close();
  return { zunOut, zunIn };
}

async function headOut(bed: KubeletBed, bytes: number): Promise<void> {
  const query = new URLSearchParams({ output: '1', error: '1' });
  for (const word of ['head', '-c', String(bytes), '/dev/zero']) query.append('command', word);
  const client = await bed.spdy(`/exec/default/web/app?${query}`, 'v4.channel.k8s.io', false);
  const error = await client.open({ streamtype: 'error' });
  const stdout = await client.open({ streamtype: 'stdout' });
  await client.open({ streamtype: 'stderr' });
  await Promise.all([stdout.ended, error.ended]);
  client.transport.destroy();
}

async function withEcho<T>(run: (port: number) => Promise<T>): Promise<T> {
  const echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket));
  echo.listen(0, '127.0.0.1');
  await once(echo, 'listening');
  try {
    return await run(portOf(echo));
  } finally {
    echo.close();
  }
}

function forwardMany(bed: KubeletBed, count: number, parallel: number): Promise<void> {
  return withEcho(async (port) => {
    const client = await bed.spdy('/portForward/default/web', 'portforward.k8s.io');
    await inParallel(count, parallel, (index) => forwardOne(client, port, index));
    client.transport.destroy();
  });
}

async function forwardOne(client: SpdyClient, port: number, index: number): Promise<void> {
  const headers = { port: String(port), requestid: String(index) };
  const error = await client.open({ ...headers, streamtype: 'error' }, true);
  const data = await client.open({ ...headers, streamtype: 'data' });
  await data.send('request');
  await data.fin();
  await Promise.all([data.ended, error.ended]);
}

function plainConnections(count: number, parallel: number): Promise<void> {
  return withEcho(async (port) => {
    const { connect } = await import('node:net');
    await inParallel(count, parallel, async () => {
      const socket = connect(port, '127.0.0.1');
      socket.end('request');
      socket.resume();
      await once(socket, 'close');
    });
  });
}

async function inParallel(count: number, parallel: number, run: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) await run(index);
  };
  await Promise.all(Array.from({ length: parallel }, work));
}
