import assert from 'node:assert/strict';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { WebSocket } from 'ws';
import { systemClock } from '../../../src/base/clock.ts';
import { createZunRuntime } from '../../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../../src/server/zun-terminal.ts';
import { type KubeletBed, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { startZunStandIn, type ZunStandIn } from '../../lib/zun-proxy.ts';

let zun: ZunStandIn;
let bed: KubeletBed;

before(async () => {
  zun = await startZunStandIn();
  const connect = createTerminalConnector({ clock: systemClock });
  bed = await startKubeletBed({
    runtime: createZunRuntime({ containers: zun.containers, connect, clock: systemClock }),
  });
});

after(async () => {
  await bed.close();
  await zun.close();
});

/** One exec over WebSocket: what came on each channel, decoded, and how it closed. */
async function exec(
  command: string[],
  protocols: string[],
  rest: { stdin?: (socket: WebSocket) => void } = {},
): Promise<{ channels: Map<number, string>; first: string; protocol: string; closeCode: number }> {
  const query = new URLSearchParams({ output: '1', error: '1', ...(rest.stdin && { input: '1' }) });
  for (const word of command) query.append('command', word);
  const { cert, key } = bed.admin;
  const socket = new WebSocket(`wss://127.0.0.1:${bed.port}/exec/default/web/app?${query}`, protocols, {
    rejectUnauthorized: false,
    cert,
    key,
  });
  const channels = new Map<number, string>();
  let first: string | undefined;
  socket.on('message', (data: Buffer, isBinary) => {
    const text = data.toString('latin1');
    first ??= text;
    const channel = isBinary ? data.readUInt8(0) : data.readUInt8(0) - 0x30;
    const payload = isBinary ? data.subarray(1) : Buffer.from(text.slice(1), 'base64');
    channels.set(channel, (channels.get(channel) ?? '') + payload.toString());
  });
  await once(socket, 'open');
  rest.stdin?.(socket);
  const [closeCode] = (await once(socket, 'close')) as [number];
  return { channels, first: first ?? '', protocol: socket.protocol, closeCode };
}

const failing = ['sh', '-c', 'echo out; echo err >&2; exit 3'];

test('exec over WebSocket v5: failing command: channels, JSON status, close code 1000', async () => {
  const result = await exec(failing, ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  assert.equal(result.protocol, 'v5.channel.k8s.io');
  assert.equal(result.first, '\u0001');
  assert.equal(result.channels.get(1), 'out\n');
  assert.equal(result.channels.get(2), 'err\n');
  const status = JSON.parse(result.channels.get(3) ?? '') as { reason: string; details: { causes: unknown[] } };
  assert.equal(status.reason, 'NonZeroExitCode');
  assert.deepEqual(status.details.causes, [{ reason: 'ExitCode', message: '3' }]);
  assert.equal(result.closeCode, 1000);
});

test('exec over WebSocket v5: stdin closed by the client: the command sees its end', async () => {
  const result = await exec(['cat'], ['v5.channel.k8s.io'], {
    stdin(socket) {
      socket.send(Buffer.from('\u0000some words'));
      socket.send(Buffer.from([255, 0]));
    },
  });
  assert.equal(result.channels.get(1), 'some words');
  assert.equal(result.channels.get(3), '{"metadata":{},"status":"Success"}');
});

test('exec over WebSocket v4 in base64: failing command: text messages', async () => {
  const result = await exec(failing, ['v4.base64.channel.k8s.io']);
  assert.equal(result.first, '1');
  assert.equal(result.channels.get(1), 'out\n');
  assert.match(result.channels.get(3) ?? '', /"message":"3"/);
});

test('exec over WebSocket without a sub-protocol: failing command: the oldest form, status as text', async () => {
  const result = await exec(failing, []);
  assert.equal(result.protocol, '');
  assert.equal(result.channels.get(1), 'out\n');
  assert.equal(result.channels.get(3), 'command terminated with non-zero exit code: exit status 3');
});

test('exec over WebSocket: a token among the sub-protocols: is never chosen', async () => {
  const token = 'base64url.bearer.authorization.k8s.io.dG9rZW4';
  const result = await exec(['true'], [token, 'v5.channel.k8s.io']);
  assert.equal(result.protocol, 'v5.channel.k8s.io');
});

test('exec over WebSocket: only unknown sub-protocols: refused', async () => {
  await assert.rejects(exec(['true'], ['v9.channel.k8s.io']), /403/);
});

test('exec over WebSocket: messages on channels that are not for the client: thrown away', async () => {
  const result = await exec(['cat'], ['v5.channel.k8s.io'], {
    stdin(socket) {
      for (const channel of [1, 2, 3, 4, 77, 254]) socket.send(Buffer.from([channel, 1, 2, 3]));
      socket.send(Buffer.alloc(0));
      socket.send(Buffer.from([255]));
      socket.send(Buffer.from([255, 9]));
      socket.send(Buffer.from('\u0000ok'));
      socket.send(Buffer.from([255, 0]));
    },
  });
  assert.equal(result.channels.get(1), 'ok');
});
