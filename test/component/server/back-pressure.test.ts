import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { ContainerRuntime } from '../../../src/server/runtime.ts';
import { type KubeletBed, noRuntime, startKubeletBed } from '../../lib/kubelet-bed.ts';

/** A terminal that gives and takes without end, unless it is held, and counts. */
function endless() {
  const counts = { given: 0, taken: 0, isHeld: false, closed: false };
  const piece = Buffer.alloc(65_536);
  const io = new Duplex({
    read() {
      counts.given += piece.length;
      setImmediate(() => this.push(piece));
    },
    write(chunk: Buffer, _encoding, done) {
      counts.taken += chunk.length;
      if (!counts.isHeld) done();
    },
    destroy(error, done) {
      counts.closed = true;
      done(error);
    },
  });
  io.on('error', () => {});
  return { io, counts };
}

function runtimeOf(io: Duplex): ContainerRuntime {
  return {
    ...noRuntime,
    ensureServed: () => Promise.resolve(),
    execute: () => Promise.resolve({ output: Buffer.alloc(0), exitCode: 1 }),
    openExec: () => Promise.resolve({ io, resize: () => Promise.resolve() }),
  };
}

const path = '/exec/default/web/app?command=x&input=1&output=1&tty=1';

function connect(bed: KubeletBed): WebSocket {
  const { cert, key } = bed.admin;
  const socket = new WebSocket(`wss://127.0.0.1:${bed.port}${path}`, ['v5.channel.k8s.io'], {
    rejectUnauthorized: false,
    cert,
    key,
  });
  socket.on('error', () => {});
  return socket;
}

/** Waits until a number stands still. */
async function settled(read: () => number): Promise<number> {
  for (let before = -1; ; ) {
    await setTimeout(60);
    if (read() === before && before > 0) return before;
    before = read();
  }
}

test('exec over WebSocket: a client that does not read: the program is held up', async () => {
  const { io, counts } = endless();
  const bed = await startKubeletBed({ runtime: runtimeOf(io) });
  const socket = connect(bed);
  await once(socket, 'open');
  socket.pause();
  assert.ok((await settled(() => counts.given)) < 20_000_000, `${counts.given} bytes`);
  socket.terminate();
  await bed.close();
});

test('exec over WebSocket: a program that does not read: the client is held up', async () => {
  const { io, counts } = endless();
  counts.isHeld = true;
  const bed = await startKubeletBed({ runtime: runtimeOf(io) });
  const socket = connect(bed);
  await once(socket, 'open');
  socket.on('message', () => {});
  const message = Buffer.alloc(32_769);
  let sent = 0;
  const sendOn = (error?: Error): void => {
    if (error || sent > 100_000_000) return;
    sent += message.length;
    socket.send(message, sendOn);
  };
  sendOn();
  assert.ok((await settled(() => sent)) < 20_000_000, `${sent} bytes`);
  socket.terminate();
  await bed.close();
});

for (const kind of ['SPDY', 'WebSocket']) {
  test(`exec over ${kind}: the client vanishes in the middle: the terminal is let go`, async () => {
    const { io, counts } = endless();
    const bed = await startKubeletBed({ runtime: runtimeOf(io) });
    if (kind === 'SPDY') {
      const client = await bed.spdy(path, 'v4.channel.k8s.io', false);
      for (const streamtype of ['error', 'stdin', 'stdout', 'resize']) await (await client.open({ streamtype })).opened;
      await settledAbove(() => counts.given, 1_000_000);
      client.transport.destroy();
    } else {
      const socket = connect(bed);
      await once(socket, 'open');
      await settledAbove(() => counts.given, 1_000_000);
      socket.terminate();
    }
    if (!counts.closed) await new Promise((resolve) => io.once('close', resolve));
    assert.ok(counts.closed);
    await bed.close();
  });
}

async function settledAbove(read: () => number, limit: number): Promise<void> {
  while (read() < limit) await setTimeout(5);
}
