import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { type TestContext, test } from 'node:test';
import { createTransport, type HttpRequest, type TransportOptions } from '../../../src/http/transport.ts';
import { type Answer, sendJson, startServer } from '../../lib/scripted-server.ts';

const get: HttpRequest = { method: 'GET', path: '/', timeoutMs: 5_000, attempt: 'asking' };

async function setup(t: TestContext, answer: Answer, parts: Partial<TransportOptions> = {}) {
  const server = await startServer(answer);
  const transport = createTransport({ origin: server.origin, connections: 4, maxBodyBytes: 1000, ...parts });
  t.after(async () => {
    await transport.close();
    await server.close();
  });
  return { server, transport };
}

test('transport: answer larger than the limit: refused before it is read', async (t) => {
  const { transport } = await setup(t, (_, response) => response.end(Buffer.alloc(1_000_000)));
  await assert.rejects(transport.request(get), { kind: 'invalid', code: 'http.too-large' });
});

test('transport: error status: an answer, not an error', async (t) => {
  const { transport } = await setup(t, (_, response) => sendJson(response, 500, {}));
  assert.equal((await transport.request(get)).status, 500);
});

test('transport: stream that falls silent: ends with http.idle', async (t) => {
  const { transport } = await setup(t, (_, response) => response.writeHead(200).write('first'));
  const { body } = await transport.stream(get, 1_000);
  const seen: string[] = [];
  const read = async () => {
    for await (const chunk of body) seen.push(String(chunk));
  };
  await assert.rejects(read(), { kind: 'retryable', code: 'http.idle' });
  assert.deepEqual(seen, ['first']);
});

test('transport: stream breaks: ends with an error that names the call', async (t) => {
  const { transport, server } = await setup(t, (_, response) => response.writeHead(200).write('first'));
  const { body } = await transport.stream(get, 0);
  const read = async () => {
    for await (const chunk of body) if (String(chunk) === 'first') server.cut();
  };
  await assert.rejects(read(), { kind: 'retryable', code: 'http.no-answer', message: /^asking: the connection to/ });
});

test('transport: reader of a stream has enough: the connection is given up', async (t) => {
  const closed = Promise.withResolvers<void>();
  const { transport } = await setup(t, (_, response) => {
    response.on('close', () => closed.resolve());
    response.writeHead(200).write('first');
  });
  const { body } = await transport.stream(get, 0);
  for await (const _ of body) break;
  await closed.promise;
});

test('transport: stream without headers in time: http.timeout', async (t) => {
  const { transport } = await setup(t, () => {});
  await assert.rejects(transport.stream({ ...get, timeoutMs: 50 }, 0), { kind: 'retryable', code: 'http.timeout' });
});

test('transport: proxy: the origin is reached through it, with its own certificate checked', async (t) => {
  const pem = (name: string) => readFileSync(`test/data/tls/${name}`, 'utf8');
  const server = await startServer((_, response) => sendJson(response, 200, {}), {
    cert: pem('server.crt'),
    key: pem('server.key'),
  });
  const asked: string[] = [];
  const proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    const [host = '', port = ''] = (request.url ?? '').split(':');
    const upstream = connect(Number(port), host, () => {
      socket.write('HTTP/1.1 200 Connection Established\r\n\r\n');
      upstream.pipe(socket).pipe(upstream);
    });
    upstream.on('error', () => socket.destroy());
    socket.on('error', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => {
    proxy.listen(0, '127.0.0.1', resolve);
  });
  const { port } = proxy.address() as AddressInfo;
  const through = (ca: string | undefined) =>
    createTransport({
      origin: server.origin,
      connections: 1,
      maxBodyBytes: 1000,
      proxy: `http://127.0.0.1:${port}`,
      tls: ca === undefined ? {} : { ca },
    });
  const trusting = through(pem('ca.crt'));
  const careful = through(undefined);
  t.after(async () => {
    await Promise.all([trusting.close(), careful.close()]);
    await server.close();
    proxy.close();
  });
  assert.equal((await trusting.request(get)).status, 200);
  assert.deepEqual(asked, [server.origin.replace('https://', '')]);
  await assert.rejects(careful.request(get), { kind: 'retryable' });
  assert.equal(server.requests.length, 1);
});
