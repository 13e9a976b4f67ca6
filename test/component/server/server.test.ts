import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { AppError } from '../../../src/base/errors.ts';
import type { ContainerStatus } from '../../../src/kube/types.ts';
import type { ContainerRuntime } from '../../../src/server/runtime.ts';
import { defaultServerLimits } from '../../../src/server/server-options.ts';
import { createZunRuntime } from '../../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../../src/server/zun-terminal.ts';
import { uuid } from '../../lib/builders.ts';
import { type KubeletBed, noRuntime, runningPod, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { startZunStandIn, type ZunStandIn } from '../../lib/zun-proxy.ts';

let zun: ZunStandIn;
let bed: KubeletBed;
let runtime: ContainerRuntime;

before(async () => {
  zun = await startZunStandIn();
  zun.lines = ['2026-01-01T00:00:01.000000000Z one\n'];
  const connect = createTerminalConnector({ clock: systemClock });
  runtime = createZunRuntime({ containers: zun.containers, connect, clock: systemClock });
  bed = await startKubeletBed({ runtime });
});

after(async () => {
  await bed.close();
  await zun.close();
});

const spdy = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
const execPath = '/exec/default/web/app?command=id&output=1';

for (const [path, body] of [
  ['/healthz', /^ok$/],
  ['/healthz/ping', /^ok$/],
  ['/healthz/syncloop', /^ok$/],
  ['/healthz?verbose', /^\[\+\]syncloop ok\nhealthz check passed\n$/],
  ['/configz', /^\{"kubeletconfig":\{"kind":"KubeletConfiguration"\}\}$/],
  ['/pods', /^\{"kind":"PodList","apiVersion":"v1","metadata":\{\},"items":\[\{.*"name":"web"/],
  ['/runningpods/', /"items":\[\{"metadata":\{"name":"web".*"containers":\[\{"name":"app"/],
  ['/metrics', /kubelet_http_requests_total\{method="GET",path="healthz"/],
  ['/metrics', /kubelet_certificate_manager_server_ttl_seconds \d{7}/],
  ['/stats/summary', /"podRef":\{"name":"web"/],
] as const) {
  test(`routes: GET ${path}: ${body}`, async () => {
    const answer = await bed.get(path);
    assert.equal(answer.status, 200);
    assert.match(answer.body, body);
  });
}

for (const [method, path, status] of [
  ['POST', '/pods', 405],
  ['PUT', '/healthz', 405],
  ['POST', '/containerLogs/default/web/app', 405],
  ['POST', '/checkpoint/default/web/app', 404],
  ['GET', '/nothing', 404],
  ['GET', '/healthz/other', 404],
  ['GET', execPath, 400],
  ['GET', '/logs/', 404],
] as const) {
  test(`routes: ${method} ${path}: ${status}`, async () => {
    const answer = await bed.get(path, bed.admin, method);
    assert.equal(answer.status, status, answer.body);
    if (status === 405) assert.equal(answer.headers.allow, 'GET');
  });
}

test('routes: run: the output of both streams', async () => {
  const answer = await bed.get('/run/default/web/app?cmd=echo+a+b', bed.admin, 'POST');
  assert.equal(answer.body, 'a b\n');
});

test('routes: an upgrade to HTTP/2 on a plain path: answered as the plain request', async () => {
  const answer = await bed.upgrade('/healthz', { Upgrade: 'h2c' }, 'GET');
  assert.equal(answer.body, 'ok');
});

for (const [path, headers, status, body] of [
  ['/exec/default/none/app?command=id&output=1', spdy, 404, /^pod does not exist$/],
  ['/exec/default/web/other-uid/app?command=id&output=1', spdy, 404, /^pod does not exist$/],
  ['/exec/default/web/none?command=id&output=1', spdy, 404, /^container not found \("none"\)$/],
  ['/exec/default/web/app?command=id', spdy, 400, /^you must specify at least 1 of stdin, stdout, stderr$/],
  ['/exec/default/web/app?output=1', spdy, 400, /at least one command/],
  [execPath, { Upgrade: 'SPDY/3.1' }, 400, /header X-Stream-Protocol-Version does not exist/],
  [execPath, { Upgrade: 'SPDY/2' }, 400, /missing upgrade headers/],
  [execPath, { ...spdy, 'X-Stream-Protocol-Version': 'v5.channel.k8s.io' }, 403, /unable to negotiate protocol/],
  ['/exec/default/web', spdy, 404, /not found/],
] as const) {
  test(`upgrade refused: ${path}, ${JSON.stringify(headers)}: ${status}`, async () => {
    const answer = await bed.upgrade(path, headers);
    assert.equal(answer.status, status, answer.body);
    assert.match(answer.body, body);
  });
}

test('upgrade: protocols in several headers and lists: the first known of the client wins', async () => {
  const client = await bed.upgrade(execPath, {
    ...spdy,
    'X-Stream-Protocol-Version': ['v5.channel.k8s.io, v3.channel.k8s.io', 'v4.channel.k8s.io'],
  });
  assert.equal(client.headers['x-stream-protocol-version'], 'v3.channel.k8s.io');
  client.socket?.destroy();
});

test('upgrade: no common protocol: ours are named', async () => {
  const answer = await bed.upgrade(execPath, { ...spdy, 'X-Stream-Protocol-Version': 'v9' });
  assert.match(String(answer.headers['x-accepted-stream-protocol-versions']), /v4\.channel\.k8s\.io/);
});

test('members of a capsule on stock Zun: logs and exec: 501 and the way out in one sentence', async () => {
  const { pod, capsule } = runningPod();
  const gone = () => Promise.reject(new AppError({ kind: 'not-found', code: 'zun.not-found', message: '404' }));
  const stock = createZunRuntime({
    containers: { ...zun.containers, logs: gone },
    connect: () => gone(),
    clock: systemClock,
  });
  const other = await startKubeletBed({ runtime: stock, pods: [pod], capsules: [{ ...capsule, backend: 'capsule' }] });
  const logs = await other.get('/containerLogs/default/web/app');
  const exec = await other.upgrade(execPath, spdy);
  for (const answer of [logs, exec]) {
    assert.equal(answer.status, 501);
    assert.match(answer.body, /^this cloud does not serve .*zunlet\.io\/backend: container.*backend: auto\)$/);
  }
  await other.close();
});

const waiting = (reason: string): Partial<ContainerStatus> => ({ state: { waiting: { reason } } });

for (const [name, status, previous, text] of [
  ['being created', waiting('ContainerCreating'), false, 'is waiting to start: ContainerCreating'],
  ['without its image', waiting('ErrImagePull'), false, "is waiting to start: image can't be pulled"],
  ['backing off', waiting('ImagePullBackOff'), false, 'is waiting to start: trying and failing to pull image'],
  ['ended without a trace', { state: { terminated: { exitCode: 1 } } }, false, 'is terminated'],
  ['never restarted', {}, true, 'not found'],
] as [string, Partial<ContainerStatus>, boolean, string][]) {
  test(`logs: a container ${name}: 400 ${text}`, async () => {
    const { pod, capsule } = runningPod();
    const [first] = pod.status?.containerStatuses ?? [];
    assert.ok(first && pod.status);
    pod.status.containerStatuses = [{ ...first, ...status }];
    const other = await startKubeletBed({ runtime, pods: [pod], capsules: [capsule] });
    const answer = await other.get(`/containerLogs/default/web/app${previous ? '?previous=true' : ''}`);
    const subject = 'container "app" in pod "web"';
    assert.equal(answer.status, 400);
    assert.equal(answer.body, previous ? `previous terminated ${subject} ${text}` : `${subject} ${text}`);
    await other.close();
  });
}

test('logs: unknown pod and container: 404 with their names', async () => {
  assert.equal((await bed.get('/containerLogs/default/none/app')).body, 'pod "none" does not exist');
  assert.equal((await bed.get('/containerLogs/default/web/none')).body, 'container "none" not found in pod "web"');
});

test('logs: in back-off after an end: of the run that ended', async () => {
  const { pod, capsule } = runningPod();
  const [first] = pod.status?.containerStatuses ?? [];
  assert.ok(first && pod.status);
  const ended = { exitCode: 1, containerID: `zun://${uuid(500)}`, finishedAt: '2026-01-01T00:00:01Z' };
  pod.status.containerStatuses = [
    { ...first, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: ended } },
  ];
  const other = await startKubeletBed({ runtime, pods: [pod], capsules: [capsule] });
  assert.equal((await other.get('/containerLogs/default/web/app')).body, 'one\n');
  await other.close();
});

test('attach: a container without stdin: its output from now on, until it ends', async () => {
  zun.isRunning = true;
  const containers = {
    ...zun.containers,
    attach: () => Promise.reject(new AppError({ kind: 'invalid', code: 'zun.invalid', message: 'not interactive' })),
  };
  const connect = createTerminalConnector({ clock: systemClock });
  const other = await startKubeletBed({ runtime: createZunRuntime({ containers, connect, clock: systemClock }) });
  const client = await other.spdy('/attach/default/web/app?output=1&error=1', 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdout = await client.open({ streamtype: 'stdout' });
  await (await client.open({ streamtype: 'stderr' })).opened;
  stdout.onData = () => {
    zun.isRunning = false;
  };
  await new Promise((resolve) => setTimeout(resolve, 100));
  zun.lines.push('2026-01-01T00:00:05.000000000Z two\n');
  assert.equal((await stdout.ended).toString(), 'two\n');
  assert.match((await error.ended).toString(), /Success/);
  zun.isRunning = true;
  zun.lines.length = 1;
  await other.close();
});

test('attach: a container with stdin and a terminal: what is typed arrives', async () => {
  const { pod, capsule } = runningPod();
  Object.assign(pod.spec.containers[0] ?? {}, { stdin: true, tty: true });
  const other = await startKubeletBed({ runtime, pods: [pod], capsules: [capsule] });
  const client = await other.spdy('/attach/default/web/app?input=1&output=1&tty=1', 'v4.channel.k8s.io');
  await (await client.open({ streamtype: 'error' })).opened;
  const stdin = await client.open({ streamtype: 'stdin' });
  const stdout = await client.open({ streamtype: 'stdout' });
  await (await client.open({ streamtype: 'resize' })).opened;
  await stdin.send('hello\n');
  const echoed = await new Promise<string>((resolve) => {
    stdout.onData = (chunk) => resolve(chunk.toString());
    if (stdout.received().length > 0) resolve(stdout.received().toString());
  });
  assert.match(echoed, /hello/);
  client.transport.destroy();
  await other.close();
});

test('limits: more streaming connections than allowed: 503', async () => {
  const limits = { ...defaultServerLimits, maxStreamingConnections: 1 };
  const other = await startKubeletBed({ runtime, options: { limits } });
  const first = await other.upgrade(execPath, spdy);
  assert.equal(first.status, 101);
  assert.equal((await other.upgrade(execPath, spdy)).status, 503);
  first.socket?.destroy();
  await other.close();
});

test('start: nobody to ask who may: refused, and says how to insist', async () => {
  const started = startKubeletBed({ runtime: noRuntime, options: { reviews: undefined } });
  await assert.rejects(started, { code: 'server.insecure', message: /--insecure-kubelet-api/ });
});

test('start: insecure in so many words: serves everybody', async () => {
  const other = await startKubeletBed({
    runtime: noRuntime,
    options: { reviews: undefined, insecureKubeletApi: true },
  });
  assert.equal((await other.get('/healthz', {})).body, 'ok');
  await other.close();
});

test('stop: a stream runs: nothing new is taken, the stream ends after the grace', async () => {
  const other = await startKubeletBed({ runtime });
  const client = await other.spdy('/exec/default/web/app?command=sleep&command=60&output=1', 'v4.channel.k8s.io');
  await (await client.open({ streamtype: 'error' })).opened;
  await (await client.open({ streamtype: 'stdout' })).opened;
  const closed = other.server.close(100);
  await assert.rejects(other.get('/healthz'));
  await closed;
  await client.closed;
});

test('stop: a log is followed: it ends', async () => {
  zun.isRunning = true;
  const other = await startKubeletBed({ runtime });
  const following = other.get('/containerLogs/default/web/app?follow=true').catch(() => undefined);
  await new Promise((resolve) => setTimeout(resolve, 50));
  await other.server.close(50);
  await following;
});
