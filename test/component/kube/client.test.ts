import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import { createKubeClient } from '../../../src/kube/client.ts';
import { createFastClock } from '../../lib/fast-clock.ts';
import { sendJson, sendStatus, startServer } from '../../lib/scripted-server.ts';
import { fakeAuth, setup } from './support.ts';

const path = '/api/v1/namespaces/web/pods/api-0';

test('client: a read: asks for JSON as zunlet with its token, below the prefix of the server', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendJson(response, 200, { kind: 'Pod' }), {
    prefix: '/k8s/c1/',
  });
  assert.deepEqual(await client.get(path, { query: { resourceVersion: '0', pretty: undefined } }), { kind: 'Pod' });
  const [request] = server.requests;
  assert.equal(request?.url, `/k8s/c1${path}?resourceVersion=0`);
  assert.equal(request?.headers.accept, 'application/json');
  assert.equal(request?.headers['user-agent'], 'zunlet/0.1.0');
  assert.equal(request?.headers.authorization, 'Bearer good');
});

test('client: writes: method, content type and body of each', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendJson(response, 200, {}));
  await client.create('/api/v1/nodes', { a: 1 });
  await client.replace(path, { b: 1 });
  await client.patch(path, { c: 1 });
  await client.patch(path, { d: 1 }, { type: 'merge' });
  await client.patch(path, [{ op: 'test' }], { type: 'json' });
  await client.delete(path, { uid: 'u1', gracePeriodSeconds: 0 });
  assert.deepEqual(
    server.requests.map(({ method, headers, body }) => [method, headers['content-type'], body]),
    [
      ['POST', 'application/json', '{"a":1}'],
      ['PUT', 'application/json', '{"b":1}'],
      ['PATCH', 'application/strategic-merge-patch+json', '{"c":1}'],
      ['PATCH', 'application/merge-patch+json', '{"d":1}'],
      ['PATCH', 'application/json-patch+json', '[{"op":"test"}]'],
      [
        'DELETE',
        'application/json',
        '{"kind":"DeleteOptions","apiVersion":"v1","gracePeriodSeconds":0,"preconditions":{"uid":"u1"}}',
      ],
    ],
  );
});

test('client: 200 calls one after another: no new connections', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendJson(response, 200, {}));
  for (let call = 0; call < 200; call++) await client.get(path);
  assert.ok(server.connections() <= 2, `${server.connections()} connections`);
});

test('client: refused: the error says what was attempted and what came back', async (t) => {
  const { client } = await setup(t, (_, response) => sendStatus(response, 403, 'Forbidden'));
  await assert.rejects(client.get(path, { attempt: 'reading pod web/api-0' }), {
    kind: 'forbidden',
    message: 'reading pod web/api-0: the API server answered 403 Forbidden: Forbidden',
  });
});

test('client: 429 with Retry-After: waits as long as told, then goes on', async (t) => {
  const at: number[] = [];
  const clock = createFastClock(100);
  const { client } = await setup(
    t,
    (_, response, count) => {
      at.push(clock.monotonic());
      if (count === 1) sendStatus(response, 429, 'TooManyRequests', { 'retry-after': '3' });
      else sendJson(response, 200, {});
    },
    { clock },
  );
  await client.create('/api/v1/nodes', {});
  assert.ok((at[1] ?? 0) - (at[0] ?? 0) >= 2_900, `${at}`);
});

test('client: Retry-After longer than it likes to wait: the caller hears of it', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendStatus(response, 429, 'x', { 'retry-after': '60' }));
  await assert.rejects(client.get(path), { kind: 'retryable', retryAfterMs: 60_000 });
  assert.equal(server.requests.length, 1);
});

const repeated: [string, (client: Awaited<ReturnType<typeof setup>>['client']) => Promise<unknown>, number][] = [
  ['GET', (client) => client.get(path), 4],
  ['list', (client) => client.list('/api/v1/pods'), 4],
  ['POST', (client) => client.create('/api/v1/nodes', {}), 1],
  ['POST that may be repeated', (client) => client.create('/api/v1/nodes', {}, { repeatable: true }), 4],
  ['PUT without a version', (client) => client.replace(path, { metadata: {} }), 1],
  ['PUT with a version', (client) => client.replace(path, { metadata: { resourceVersion: '7' } }), 4],
  ['PATCH without a uid', (client) => client.patch(path, { metadata: {} }), 1],
  ['PATCH with a uid', (client) => client.patch(path, { metadata: { uid: 'u' } }), 4],
  ['DELETE without a uid', (client) => client.delete(path), 1],
  ['DELETE with a uid', (client) => client.delete(path, { uid: 'u' }), 4],
  ['GET with retries 0', (client) => client.get(path, { retries: 0 }), 1],
];
for (const [name, call, times] of repeated) {
  test(`client: ${name} and the server fails: sent ${times === 1 ? 'once' : `${times} times`}`, async (t) => {
    const { client, server } = await setup(t, (_, response) => sendStatus(response, 500, 'InternalError'));
    await assert.rejects(call(client), { kind: 'retryable', effect: 'unknown' });
    assert.equal(server.requests.length, times);
  });
}

test('client: connection cut before the answer: a read is repeated, a POST is not and its effect unknown', async (t) => {
  const { client, server } = await setup(t, (_, response, count) => {
    if (count === 2) sendJson(response, 200, { ok: true });
    else response.destroy();
  });
  assert.deepEqual(await client.get(path), { ok: true });
  await assert.rejects(client.create('/api/v1/nodes', {}), {
    kind: 'retryable',
    code: 'http.no-answer',
    effect: 'unknown',
  });
  assert.equal(server.requests.length, 3);
});

test('client: nobody listens: even a POST is repeated, as it had no effect', async (t) => {
  const { client, server, calls } = await setup(t, () => {});
  await server.close();
  await assert.rejects(client.create('/api/v1/nodes', {}), {
    kind: 'retryable',
    code: 'http.unreachable',
    effect: 'none',
  });
  assert.equal(calls.length, 4);
});

test('client: server does not answer: gives up after the time limit', async (t) => {
  const { client } = await setup(t, () => {}, { timeoutMs: 100 });
  await assert.rejects(client.get(path, { retries: 0 }), {
    kind: 'retryable',
    code: 'http.timeout',
    effect: 'unknown',
  });
});

test('client: answer that never ends: gives up after the time limit', async (t) => {
  const { client } = await setup(t, (_, response) => response.writeHead(200).write('{"a":'), { timeoutMs: 100 });
  await assert.rejects(client.get(path, { retries: 0 }), { kind: 'retryable', code: 'http.timeout' });
});

test('client: answer that is no JSON: a read is repeated', async (t) => {
  const { client } = await setup(t, (_, response, count) => {
    if (count === 1) response.end('<html>');
    else sendJson(response, 200, { ok: true });
  });
  assert.deepEqual(await client.get(path), { ok: true });
});

test('client: caller gives up: the call ends at once', async (t) => {
  const { client } = await setup(t, () => {});
  const giveUp = new AbortController();
  const call = assert.rejects(client.get(path, { signal: giveUp.signal }), { kind: 'retryable', code: 'http.aborted' });
  giveUp.abort();
  await call;
});

test('client: 401: credentials are renewed and the call is repeated once', async (t) => {
  const { client, auth } = await setup(t, (request, response) => {
    if (request.headers.authorization === 'Bearer good') sendJson(response, 200, { ok: true });
    else {
      auth.token = 'good';
      sendStatus(response, 401, 'Unauthorized');
    }
  });
  auth.token = 'old';
  assert.deepEqual(await client.create('/api/v1/nodes', {}), { ok: true });
  assert.equal(auth.forgotten, 1);
});

test('client: 401 again with new credentials: unauthorized after two calls', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendStatus(response, 401, 'Unauthorized'));
  await assert.rejects(client.get(path), { kind: 'unauthorized' });
  assert.equal(server.requests.length, 2);
});

test('client: rate limit is used up: urgent calls go on', async (t) => {
  const { client, server } = await setup(t, (_, response) => sendJson(response, 200, {}), { qps: 0.05, burst: 1 });
  const giveUp = new AbortController();
  await client.get(path);
  const held = assert.rejects(client.get('/held', { signal: giveUp.signal }), { code: 'http.aborted', effect: 'none' });
  await client.get('/urgent', { urgent: true });
  giveUp.abort();
  await held;
  assert.deepEqual(
    server.requests.map(({ url }) => url),
    [path, '/urgent'],
  );
});

test('client: metrics: verb, resource and status of every exchange', async (t) => {
  const { client, calls } = await setup(t, (_, response, count) => {
    if (count === 1) sendStatus(response, 503, 'ServiceUnavailable');
    else sendJson(response, 200, {});
  });
  await client.get(path);
  await client.patch(`${path}/status`, {});
  await client.list('/apis/node.k8s.io/v1/runtimeclasses');
  await client.delete('/api/v1/nodes/zun-1');
  await client.create('/api/v1/namespaces/web/serviceaccounts/default/token', {});
  await client.get('/api/v1/namespaces/web');
  assert.deepEqual(
    calls.map(({ verb, resource, code }) => `${verb} ${resource} ${code}`),
    [
      'get pods 503',
      'get pods 200',
      'patch pods/status 200',
      'list runtimeclasses 200',
      'delete nodes 200',
      'create serviceaccounts/token 200',
      'get namespaces 200',
    ],
  );
  assert.ok(calls.every(({ durationMs }) => durationMs > 0));
});

const pem = (name: string) => readFileSync(`test/data/tls/${name}`, 'utf8');

test('client: client certificates: presented, and another one after a change', async (t) => {
  const tls = { cert: pem('server.crt'), key: pem('server.key'), ca: pem('ca.crt'), requestCert: true };
  const server = await startServer((_, response) => sendJson(response, 200, {}), tls);
  const identity = (name: string) => ({ ca: pem('ca.crt'), cert: pem(`${name}.crt`), key: pem(`${name}.key`) });
  const auth = fakeAuth(server.origin, identity('client-1'));
  const clock = createFastClock(100);
  const client = createKubeClient({ auth, clock, random: seededRandom(1), log: silentLog, version: '0' });
  t.after(async () => {
    await client.close();
    await server.close();
  });
  await client.get(path);
  auth.use(identity('client-2'));
  await client.get(path);
  assert.deepEqual(
    server.requests.map(({ client: name }) => name),
    ['client-1', 'client-2'],
  );
});

test('client: server of an unknown authority: refused without sending anything', async (t) => {
  const tls = { cert: pem('server.crt'), key: pem('server.key') };
  const server = await startServer((_, response) => sendJson(response, 200, {}), tls);
  const clock = createFastClock(100);
  const auth = fakeAuth(server.origin);
  const client = createKubeClient({ auth, clock, random: seededRandom(1), log: silentLog, version: '0' });
  t.after(async () => {
    await client.close();
    await server.close();
  });
  await assert.rejects(client.create('/api/v1/nodes', {}, { retries: 0 }), {
    kind: 'retryable',
    code: 'http.unreachable',
    effect: 'none',
  });
  assert.equal(server.requests.length, 0);
});
