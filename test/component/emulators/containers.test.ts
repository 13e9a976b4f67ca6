import assert from 'node:assert/strict';
import { once } from 'node:events';
import { get } from 'node:http';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { type Json, startCloud, type TestCloud } from './lib.ts';

/** Opens a session of the WebSocket proxy and collects what it shows. */
async function open(url: string): Promise<{ socket: WebSocket; shown(text: string): Promise<string> }> {
  const socket = new WebSocket(url, ['binary', 'base64']);
  let all = '';
  let wake = () => {};
  socket.on('message', (data: Buffer) => {
    all += data.toString();
    wake();
  });
  await once(socket, 'open');
  return {
    socket,
    async shown(text) {
      while (!all.includes(text)) await new Promise<void>((resolve) => (wake = resolve));
      return all;
    },
  };
}

async function exec(cloud: TestCloud, uuid: string, command: string): Promise<Json> {
  const query = new URLSearchParams({ command, run: 'false', interactive: 'true' });
  return (await cloud.call('POST', `/containers/${uuid}/execute?${query}`)).json;
}

test('container: its script ends with 3: GET tells at once, with the code', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sh', '-c', 'echo out; echo err >&2; sleep 2; exit 3'] });
  assert.equal((await cloud.call('GET', `/containers/${uuid}`)).json['status'], 'Running');
  await cloud.clock.advance(5000);
  const { json } = await cloud.call('GET', `/containers/${uuid}`);
  assert.equal(json['status'], 'Stopped');
  assert.match(String(json['status_detail']), /^Exited\(3\) \d seconds ago $/);
  assert.equal((await cloud.call('GET', `/containers/${uuid}/logs`)).text, '"out\\nerr\\n"');
});

test('container logs: tail, since, one stream, timestamps, follow: as Zun has them', async (context) => {
  const cloud = await startCloud(context);
  const script = 'for i in 1 2 3; do echo line$i; echo e$i >&2; sleep 1; done; sleep 1d';
  const uuid = await cloud.container({ command: ['sh', '-c', script] });
  await cloud.clock.advance(5000);
  const logs = async (query: string) => (await cloud.call('GET', `/containers/${uuid}/logs?${query}`)).text;
  assert.equal(await logs('tail=2'), '"line3\\ne3\\n"');
  assert.equal(await logs('tail=0'), '""');
  assert.equal(await logs('stderr=false&tail=1'), '"line3\\n"');
  assert.match(await logs('timestamps=true&tail=1'), /^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z e3\\n"$/);
  const since = Math.floor(cloud.clock.now() / 1000) - 3;
  assert.equal((await logs(`since=${since}`)).includes('line1'), false);
  assert.equal((await cloud.call('GET', `/containers/${uuid}/logs?follow=true`)).status, 400);
  assert.equal((await cloud.call('GET', `/containers/${uuid}/logs?since=2026-01-01T00:00:00Z`)).status, 400);
});

test('container: restart policy on-failure: it comes back, a clean end stays', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({
    command: ['false'],
    restart_policy: { Name: 'on-failure', MaximumRetryCount: 2 },
  });
  await cloud.clock.advance(10_000);
  const seen = cloud.zun.control.inventory().containers[0];
  assert.deepEqual([seen?.restarts, seen?.process], [2, 'exited']);
  assert.match(String((await cloud.call('GET', `/containers/${uuid}`)).json['status_detail']), /^Exited\(1\)/);
});

test('container stop: a program that ignores SIGTERM: killed after the timeout with 137', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sh', '-c', "trap '' TERM; while true; do sleep 1; done"] });
  assert.equal((await cloud.call('POST', `/containers/${uuid}/stop?timeout=5`)).status, 202);
  await cloud.clock.advance(4000);
  assert.equal((await cloud.call('GET', `/containers/${uuid}`)).json['status'], 'Running');
  await cloud.clock.advance(3000);
  assert.match(String((await cloud.call('GET', `/containers/${uuid}`)).json['status_detail']), /^Exited\(137\)/);
});

test('container stop: a script that traps SIGTERM: ends with its own code', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({
    command: ['sh', '-c', "trap 'echo bye; exit 7' TERM; while true; do sleep 1; done"],
  });
  await cloud.call('POST', `/containers/${uuid}/stop?timeout=30`);
  await cloud.clock.advance(1000);
  assert.match(String((await cloud.call('GET', `/containers/${uuid}`)).json['status_detail']), /^Exited\(7\)/);
  assert.equal((await cloud.call('GET', `/containers/${uuid}/logs`)).text, '"bye\\n"');
});

test('container stop: it ends by itself, policy always: it stays stopped until started', async (context) => {
  const cloud = await startCloud(context);
  const command = ['sh', '-c', "trap 'exit 0' TERM; while true; do sleep 1; done"];
  const uuid = await cloud.container({ command, restart_policy: { Name: 'always' } });
  await cloud.call('POST', `/containers/${uuid}/stop?timeout=30`);
  await cloud.clock.advance(10_000);
  assert.equal((await cloud.call('GET', `/containers/${uuid}`)).json['status'], 'Stopped');
  await cloud.call('POST', `/containers/${uuid}/start`);
  await cloud.clock.advance(1000);
  assert.equal((await cloud.call('GET', `/containers/${uuid}`)).json['status'], 'Running');
});

test('container execute: one-shot: output and code; too long: 409; missing program: 126', async (context) => {
  const cloud = await startCloud(context);
  const mounts = [{ type: 'bind', source: Buffer.from('v1').toString('base64'), destination: '/etc/app/key' }];
  const uuid = await cloud.container({ command: ['sleep', '1d'], environment: { A: 'b c' }, mounts });
  const run = (command: string) =>
    cloud.call('POST', `/containers/${uuid}/execute?${new URLSearchParams({ command })}`);
  const both = await run(`sh -c 'cat /etc/app/key; echo "$A" >&2; exit 4'`);
  assert.deepEqual([both.json['output'], both.json['exit_code']], ['v1b c\n', 4]);
  assert.equal((await run('no-such-thing')).json['exit_code'], 126);
  const late = run('sleep 60');
  const isOver = late.then(() => true);
  while (!(await Promise.race([isOver, cloud.clock.advance(1000).then(() => false)])));
  assert.equal((await late).status, 409);
});

test('container execute, interactive: a shell over the proxy: prompt, size, resize, end with 1000', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sleep', '1d'] });
  const { proxy_url: url, exec_id: id } = await exec(cloud, uuid, 'sh');
  await cloud.call('POST', `/containers/${uuid}/execute_resize?exec_id=${id}&h=40&w=132`);
  const { socket, shown } = await open(String(url));
  await shown('/ # ');
  socket.send(Buffer.from('stty size\r'));
  await shown('40 132\r\n');
  await cloud.call('POST', `/containers/${uuid}/execute_resize?exec_id=${id}&h=50&w=100`);
  socket.send(Buffer.from('stty size\r'));
  await shown('50 100\r\n');
  socket.send(Buffer.from('exit 5\r'));
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  assert.deepEqual([code, reason.toString()], [1000, 'Target closed']);
});

test('container execute, interactive: raw mode: every byte arrives, both ways', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sleep', '1d'] });
  const script = 'stty raw -echo; echo ready; head -c 1048576 | sha256sum';
  const { proxy_url: url } = await exec(cloud, uuid, `sh -c '${script}'`);
  const { socket, shown } = await open(String(url));
  await shown('ready\n');
  // Downwards: upwards there would be the detach keys.
  const bytes = Buffer.alloc(1024 * 1024, Buffer.from(Array.from({ length: 256 }, (_, value) => 255 - value)));
  for (let at = 0; at < bytes.length; at += 65_536) socket.send(bytes.subarray(at, at + 65_536));
  await shown('eaeaa7acca0afcaee85d7abae4d8e5033652991ea19df161cc90ceec2803342c  -\n');
});

test('container execute, interactive: Ctrl-P Ctrl-Q, even in raw mode: the connection ends', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sleep', '1d'] });
  const { proxy_url: url } = await exec(cloud, uuid, `sh -c 'stty raw -echo; echo ready; cat'`);
  const { socket, shown } = await open(String(url));
  await shown('ready\n');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close') as Promise<[number]>;
  socket.send(Buffer.from('a\u0010'));
  await shown('a');
  socket.send(Buffer.from('\u0011b'));
  assert.equal((await closed)[0], 1006);
});

test('container execute, interactive: the proxy is cut: the connection ends without a close frame', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sleep', '1d'] });
  const { proxy_url: url } = await exec(cloud, uuid, 'sh');
  const { socket, shown } = await open(String(url));
  await shown('/ # ');
  socket.on('error', () => undefined);
  const closed = once(socket, 'close') as Promise<[number]>;
  assert.equal(cloud.zun.control.cutSessions(), 1);
  assert.equal((await closed)[0], 1006);
});

test('container attach: standard input and output of the main process; a second one ends the first token', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({
    command: ['sh', '-c', 'while read line; do echo "got $line"; done'],
    interactive: true,
  });
  const first = JSON.parse((await cloud.call('GET', `/containers/${uuid}/attach`)).text) as string;
  const second = JSON.parse((await cloud.call('GET', `/containers/${uuid}/attach`)).text) as string;
  const stale = new WebSocket(first, ['binary']);
  assert.equal(((await once(stale, 'close')) as [number])[0], 1011);
  const { socket, shown } = await open(second);
  socket.send(Buffer.from('hello\n'));
  await shown('got hello\n');
});

test('container archives: put a tar, get it back: the same file', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ command: ['sleep', '1d'] });
  await cloud.call(
    'POST',
    `/containers/${uuid}/execute?${new URLSearchParams({ command: `sh -c 'echo hi > /tmp/a'` })}`,
  );
  const { json } = await cloud.call('GET', `/containers/${uuid}/get_archive?path=/tmp/a`);
  assert.equal((json['stat'] as Json)['size'], 3);
  const put = await cloud.call('POST', `/containers/${uuid}/put_archive?path=/home`, { data: json['data'] });
  assert.equal(put.status, 200);
  const back = await cloud.call('POST', `/containers/${uuid}/execute?command=cat+/home/a`);
  assert.equal(back.json['output'], 'hi\n');
});

test('container quota: one too many: 403 that names the resource', async (context) => {
  const cloud = await startCloud(context, { zun: { quota: { containers: 1, memory: 51_200, disk: 100, cpu: 20 } } });
  await cloud.container({});
  const second = await cloud.call('POST', '/containers', { image: 'busybox' });
  assert.equal(second.status, 403);
  assert.match(second.text, /Quota exceeded for resources: \['containers'\]/);
});

test('container list: filters work, unknown ones are refused, status is as old as the last sync', async (context) => {
  const cloud = await startCloud(context, { zun: { syncMs: 60_000 } });
  await cloud.container({ name: 'one', command: ['sleep', '10'] });
  await cloud.container({ name: 'two' });
  const list = async (query: string) =>
    (await cloud.call('GET', `/containers?${query}`)).json as { containers: Json[] };
  assert.equal((await list('name=two')).containers.length, 1);
  assert.equal((await cloud.call('GET', '/containers?foo=bar')).status, 400);
  await cloud.clock.advance(15_000);
  assert.equal((await list('name=one')).containers[0]?.['status'], 'Running');
  await cloud.clock.advance(60_000);
  assert.equal((await list('name=one')).containers[0]?.['status'], 'Stopped');
});

test('container with an nginx image: its port answers on its own address, and closes with it', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.container({ image: 'nginx', environment: { PEER_LISTEN: '18080' } });
  const { addresses } = (await cloud.call('GET', `/containers/${uuid}`)).json as {
    addresses: Record<string, { addr: string }[]>;
  };
  const addr = Object.values(addresses)[0]?.[0]?.addr ?? '';
  const status = () =>
    new Promise<number | string>((resolve) => {
      const call = get({ host: addr, port: 18_080, agent: false }, (response) => {
        response.resume();
        resolve(response.statusCode ?? 0);
      });
      call.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
  assert.equal(await status(), 200);
  cloud.zun.control.serve(uuid, { status: 503 });
  assert.equal(await status(), 503);
  cloud.zun.control.endContainer(uuid, 1);
  assert.equal(await status(), 'ECONNREFUSED');
});
