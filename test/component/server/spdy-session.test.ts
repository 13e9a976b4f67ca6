import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { defaultServerLimits } from '../../../src/server/server-options.ts';
import { acceptSpdyCommand } from '../../../src/server/streams/command-spdy.ts';
import { createSpdySession, type SpdyLimits, type SpdySession } from '../../../src/server/streams/spdy-session.ts';
import type { SpdyStream } from '../../../src/server/streams/spdy-stream.ts';
import { createManualClock } from '../../lib/manual-clock.ts';
import { createSpdyClient, type SpdyClient } from '../../lib/spdy-client.ts';

const limits: SpdyLimits = { ...defaultServerLimits.spdy, maxStreams: 100, idleMs: 3_600_000, stallMs: 60_000 };

interface Pair {
  client: SpdyClient;
  session: SpdySession;
  transport: Socket;
  streams: SpdyStream[];
  closed: Promise<Error | undefined>;
}

async function socketPair(context: TestContext): Promise<[client: Socket, server: Socket]> {
  const listener = createServer({ allowHalfOpen: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const client = connect((listener.address() as AddressInfo).port, '127.0.0.1'); // it listens on TCP
  const [server] = (await once(listener, 'connection')) as [Socket];
  context.after(() => {
    client.destroy();
    server.destroy();
    listener.close();
  });
  return [client, server];
}

async function open(
  context: TestContext,
  part: { limits?: Partial<SpdyLimits>; clock?: Clock; onStream?: (stream: SpdyStream) => void } = {},
): Promise<Pair> {
  const [client, transport] = await socketPair(context);
  const streams: SpdyStream[] = [];
  const closed = Promise.withResolvers<Error | undefined>();
  const session = createSpdySession({
    transport,
    head: Buffer.alloc(0),
    limits: { ...limits, ...part.limits },
    clock: part.clock ?? systemClock,
    onStream(stream) {
      streams.push(stream);
      part.onStream?.(stream);
    },
    onClose: closed.resolve,
  });
  return { client: createSpdyClient(client), session, transport, streams, closed: closed.promise };
}

test('session: streams and pings: replied in order, the headers arrive, the ping comes back', async (context) => {
  const { client, streams } = await open(context);
  const first = await client.open({ streamtype: 'error' });
  const second = await client.open({ streamtype: 'stdin', 'x-extra': 'é' });
  await Promise.all([first.opened, second.opened]);
  await client.ping(7);
  assert.deepEqual(client.frames, ['reply 1', 'reply 3', 'ping 7']);
  assert.deepEqual(
    streams.map(({ headers }) => [...headers]),
    [
      [['streamtype', 'error']],
      [
        ['streamtype', 'stdin'],
        ['x-extra', 'é'],
      ],
    ],
  );
});

test('session: data that is echoed, then both halves closed: all of it and no reset', async (context) => {
  const { client } = await open(context, { onStream: ({ io }) => io.pipe(io) });
  const bytes = randomBytes(20_000_000);
  const stream = await client.open({});
  await Promise.all([stream.send(bytes), stream.opened]);
  await stream.fin();
  assert.ok((await stream.ended).equals(bytes));
  assert.deepEqual(client.frames, ['reply 1', 'data 1', 'fin 1']);
});

test('session: a stream that nobody reads: the connection stops, and goes on when it is read', async (context) => {
  const { client, streams, transport } = await open(context, { limits: { maxStreamBytes: 100_000 } });
  const bytes = randomBytes(30_000_000);
  const stream = await client.open({});
  const sent = stream.send(bytes).then(() => stream.fin());
  while (!transport.isPaused()) await new Promise(setImmediate);
  assert.ok(transport.bytesRead < 5_000_000, `${transport.bytesRead} bytes were taken`);
  const hash = createHash('sha256');
  for await (const chunk of streams[0]?.io ?? []) hash.update(chunk as Buffer);
  await sent;
  assert.equal(hash.digest('hex'), createHash('sha256').update(bytes).digest('hex'));
});

test('session: a client that does not read: what waits to be sent is bounded', async (context) => {
  const { client, streams, transport } = await open(context);
  const stream = await client.open({});
  await stream.opened;
  client.transport.pause();
  const [{ io }] = streams as [SpdyStream];
  let accepted = 0;
  const writeOn = (): void => {
    io.write(Buffer.alloc(65_536), (error) => {
      if (error) return;
      accepted += 65_536;
      writeOn();
    });
  };
  writeOn();
  let before = -1;
  while (accepted !== before || accepted === 0) {
    before = accepted;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.ok(transport.writableLength < 1_000_000, `${transport.writableLength} bytes wait`);
});

test('session: an unread stream and a busy neighbour: the unread one is reset after a while', async (context) => {
  const clock = createManualClock();
  const { client, transport } = await open(context, {
    limits: { maxStreamBytes: 10_000 },
    clock,
    onStream: ({ io, headers }) => {
      if (headers.get('kind') === 'busy') io.pipe(io);
    },
  });
  const stuck = await client.open({ kind: 'stuck' });
  const busy = await client.open({ kind: 'busy' });
  const third = await client.open({ kind: 'busy' });
  await Promise.all([stuck.opened, busy.opened, third.opened]);
  const sent = stuck.send(Buffer.alloc(200_000));
  while (!transport.isPaused()) await new Promise(setImmediate);
  await clock.advance(limits.stallMs + 1);
  await assert.rejects(stuck.ended, /reset/);
  await sent;
  await busy.send('still here');
  await busy.fin();
  assert.equal((await busy.ended).toString(), 'still here');
});

for (const [name, bytes] of [
  ['an even stream id', '80030001 0000000a 00000002 00000000 0000'],
  ['another version', '80020001 0000000a 00000001 00000000 0000'],
  ['a header block that is no zlib', '80030001 0000000c 00000001 00000000 0000 ffff'],
] as const) {
  test(`session: ${name}: goaway with a protocol error, then closed`, async (context) => {
    const { client, closed } = await open(context);
    client.raw(Buffer.from(bytes.replaceAll(' ', ''), 'hex'));
    const cause = await closed;
    assert.equal((cause as { code?: string }).code, 'spdy.protocol');
    await client.closed;
    assert.deepEqual(client.frames, ['goaway 1']);
  });
}

test('session: data for a stream that never was: reset as invalid; for one that is over: ignored', async (context) => {
  const { client, streams } = await open(context);
  const stream = await client.open({});
  await stream.opened;
  streams[0]?.io.destroy();
  await assert.rejects(stream.ended);
  await stream.send('late');
  client.raw(Buffer.from('0000006300000001ff', 'hex'));
  await client.ping(1);
  assert.deepEqual(client.frames, ['reply 1', 'reset 1 5', 'reset 99 2', 'ping 1']);
});

test('session: data after the end: the stream is reset', async (context) => {
  const { client } = await open(context);
  const stream = await client.open({});
  await stream.fin();
  await stream.send('more');
  await client.ping(1);
  assert.deepEqual(client.frames, ['reply 1', 'reset 1 9', 'ping 1']);
});

test('session: more streams than allowed: refused, the others go on', async (context) => {
  const { client } = await open(context, { limits: { maxStreams: 2 } });
  await (await client.open({})).opened;
  await (await client.open({})).opened;
  await assert.rejects((await client.open({})).opened);
  assert.deepEqual(client.frames, ['reply 1', 'reply 3', 'reset 5 3']);
});

test('session: the client closes: streams fail, the session says so', async (context) => {
  const { client, streams, closed } = await open(context);
  await (await client.open({})).opened;
  const failed = new Promise((resolve) => streams[0]?.io.once('close', resolve));
  client.transport.destroy();
  assert.match((await closed)?.message ?? '', /closed|ECONNRESET/);
  await failed;
  assert.ok(streams[0]?.io.destroyed);
});

test('session: no frame for the idle time: ended', async (context) => {
  const clock = createManualClock();
  const { closed } = await open(context, { clock, limits: { idleMs: 1000 } });
  await clock.advance(1001);
  assert.match((await closed)?.message ?? '', /idle/);
});

test('session: pings without end from a client that reads nothing: cut off', async (context) => {
  const { client, closed } = await open(context);
  client.transport.pause();
  const ping = Buffer.from('800300060000000400000001', 'hex');
  client.raw(Buffer.alloc(ping.length * 1_500_000, ping));
  const cause = await closed;
  assert.match(cause?.message ?? '', /does not read|ECONNRESET/);
});

test('exec over SPDY: a stream is missing: refused after the creation time', async (context) => {
  const clock = createManualClock();
  const [socket, transport] = await socketPair(context);
  const accepted = acceptSpdyCommand({
    transport,
    head: Buffer.alloc(0),
    protocol: 'v4.channel.k8s.io',
    wanted: { stdin: true, stdout: true, stderr: false, tty: false },
    limits,
    clock,
    creationMs: 30_000,
    graceMs: 1000,
  });
  accepted.catch(() => {});
  const client = createSpdyClient(socket);
  await (await client.open({ streamtype: 'error' })).opened;
  await clock.advance(30_001);
  await assert.rejects(accepted, /no stdin, stdout stream in time/);
});

test('exec over SPDY: an unknown and a repeated stream: reset', async (context) => {
  const [socket, transport] = await socketPair(context);
  void acceptSpdyCommand({
    transport,
    head: Buffer.alloc(0),
    protocol: 'v4.channel.k8s.io',
    wanted: { stdin: false, stdout: true, stderr: false, tty: false },
    limits,
    clock: systemClock,
    creationMs: 30_000,
    graceMs: 1000,
  }).catch(() => {});
  const client = createSpdyClient(socket);
  await (await client.open({ streamtype: 'error' })).opened;
  await assert.rejects((await client.open({ streamtype: 'other' })).ended, /reset/);
  await assert.rejects((await client.open({ streamtype: 'error' })).ended, /reset/);
});
