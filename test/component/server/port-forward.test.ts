import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { type KubeletBed, noRuntime, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { createSpdyClient, type SpdyClient } from '../../lib/spdy-client.ts';

let bed: KubeletBed;
let echo: Server;
let greeter: Server;

before(async () => {
  bed = await startKubeletBed({ runtime: noRuntime });
  echo = await serve((socket) => socket.pipe(socket));
  greeter = await serve((socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
});

after(async () => {
  await bed.close();
  echo.close();
  greeter.close();
});

async function serve(take: (socket: Socket) => void): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, take);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port; // it listens on TCP
}

function connect(): Promise<SpdyClient> {
  return bed.spdy('/portForward/default/web', 'portforward.k8s.io');
}

async function forward(client: SpdyClient, port: number, requestid: string) {
  const error = await client.open({ streamtype: 'error', port: String(port), requestid }, true);
  const data = await client.open({ streamtype: 'data', port: String(port), requestid });
  await Promise.all([error.opened, data.opened]);
  return { error, data };
}

test('port-forward: bytes to a port of the pod: come back, each half is closed on its own', async () => {
  const client = await connect();
  const { error, data } = await forward(client, portOf(echo), '0');
  const bytes = randomBytes(300_000);
  await data.send(bytes);
  await data.fin();
  assert.ok((await data.ended).equals(bytes));
  assert.equal((await error.ended).length, 0);
  assert.deepEqual(
    client.frames.filter((frame) => frame.startsWith('reset')),
    [],
  );
  client.transport.destroy();
});

test('port-forward: nobody listens: the text on the error stream, then the data stream is reset', async () => {
  const closed = await serve(() => {});
  const port = portOf(closed);
  closed.close();
  const client = await connect();
  const { error, data } = await forward(client, port, '0');
  assert.match(
    (await error.ended).toString(),
    new RegExp(`^error forwarding port ${port} to pod web, uid .*ECONNREFUSED`),
  );
  await assert.rejects(data.ended);
  client.transport.destroy();
});

test('port-forward: the pod resets the connection: a plain end, no text', async () => {
  const resetting = await serve((socket) => void socket.once('data', () => socket.resetAndDestroy()));
  const client = await connect();
  const { error, data } = await forward(client, portOf(resetting), '0');
  await data.send('x');
  await data.ended;
  assert.equal((await error.ended).length, 0);
  client.transport.destroy();
  resetting.close();
});

test('port-forward: the client resets the data stream: the connection to the pod ends, the session goes on', async () => {
  const closed = Promise.withResolvers<void>();
  const holding = await serve((socket) => {
    socket.on('error', () => {});
    socket.on('close', () => closed.resolve());
    socket.on('end', () => socket.end());
    socket.resume();
    socket.write('x');
  });
  const client = await connect();
  const first = await forward(client, portOf(holding), '0');
  await new Promise<void>((resolve) => {
    first.data.onData = () => resolve();
  });
  first.data.reset();
  await closed.promise;
  assert.equal((await first.error.ended).length, 0);
  const second = await forward(client, portOf(greeter), '1');
  assert.equal((await second.data.ended).toString(), 'hello');
  client.transport.destroy();
  holding.close();
});

test('port-forward: 200 at once on one connection: all come through', async () => {
  const client = await connect();
  const all = await Promise.all(
    Array.from({ length: 200 }, async (_, index) => {
      const { error, data } = await forward(client, portOf(echo), String(index));
      await data.send(`request ${index}`);
      await data.fin();
      const text = (await data.ended).toString();
      await error.ended;
      return text;
    }),
  );
  assert.deepEqual(
    all,
    Array.from({ length: 200 }, (_, index) => `request ${index}`),
  );
  client.transport.destroy();
});

test('port-forward: without request ids, as old clients do: paired by stream id', async () => {
  const client = await connect();
  const port = String(portOf(greeter));
  await (await client.open({ streamtype: 'error', port }, true)).opened;
  const data = await client.open({ streamtype: 'data', port });
  assert.equal((await data.ended).toString(), 'hello');
  client.transport.destroy();
});

for (const headers of [
  { streamtype: 'data', port: '0', requestid: '0' },
  { streamtype: 'data', port: '65536', requestid: '0' },
  { streamtype: 'other', port: '80', requestid: '0' },
  { streamtype: 'data', requestid: '0' },
]) {
  test(`port-forward: a stream with ${JSON.stringify(headers)}: reset`, async () => {
    const client = await connect();
    const stream = await client.open(headers);
    await assert.rejects(stream.ended);
    client.transport.destroy();
  });
}

test('port-forward: over WebSocket channels: the port first, then the bytes', async () => {
  const port = portOf(greeter);
  const socket = webSocket(`/portForward/default/web?port=${port}`, ['v4.channel.k8s.io']);
  const messages: Buffer[] = [];
  socket.on('message', (data: Buffer) => messages.push(data));
  await once(socket, 'close');
  const portBytes = [port & 0xff, port >> 8];
  assert.deepEqual([...(messages[0] ?? [])], [0, ...portBytes]);
  assert.deepEqual([...(messages[1] ?? [])], [1, ...portBytes]);
  assert.equal(messages[2]?.toString(), '\u0000hello');
});

test('port-forward: over WebSocket without a port: 400', async () => {
  const answer = await bed.upgrade(
    '/portForward/default/web',
    {
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'v4.channel.k8s.io',
    },
    'GET',
  );
  assert.equal(answer.status, 400);
  assert.equal(answer.body, 'query parameter "port" is required');
});

test('port-forward: SPDY tunnelled in a WebSocket: the same as bare', async () => {
  const answer = await bed.upgrade(
    '/portForward/default/web',
    {
      Upgrade: 'websocket',
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZQ==',
      'Sec-WebSocket-Protocol': 'SPDY/3.1+portforward.k8s.io',
    },
    'GET',
  );
  assert.equal(answer.headers['sec-websocket-protocol'], 'SPDY/3.1+portforward.k8s.io');
  assert.ok(answer.socket);
  const client = createSpdyClient(tunnel(answer.socket));
  const { data } = await forward(client, portOf(greeter), '0');
  assert.equal((await data.ended).toString(), 'hello');
  answer.socket.destroy();
});

/** The client's side of binary WebSocket messages as a byte stream; `ws` refuses this sub-protocol's name. */
function tunnel(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0);
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const head = Buffer.from([0x82, 0xfe, chunk.length >> 8, chunk.length & 0xff, 0, 0, 0, 0]);
      socket.write(Buffer.concat([head, chunk]), done);
    },
  });
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk]);
    while (pending.length >= 4) {
      const short = pending.readUInt8(1);
      const [start, length] = short < 126 ? [2, short] : [4, pending.readUInt16BE(2)];
      if (pending.length < start + length) break;
      if ((pending.readUInt8(0) & 0x0f) === 2) stream.push(pending.subarray(start, start + length));
      pending = pending.subarray(start + length);
    }
  });
  socket.on('close', () => stream.destroy());
  return stream;
}

function webSocket(path: string, protocols: string[]): WebSocket {
  const { cert, key } = bed.admin;
  const socket = new WebSocket(`wss://127.0.0.1:${bed.port}${path}`, protocols, {
    rejectUnauthorized: false,
    cert,
    key,
  });
  socket.on('error', () => {});
  return socket;
}
