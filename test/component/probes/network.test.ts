import assert from 'node:assert/strict';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from 'node:net';
import { type TestContext, test } from 'node:test';
import { grpcHealth } from '../../../src/http/grpc-health.ts';
import { oneShotGet, tcpDial } from '../../../src/http/one-shot.ts';
import type { Probe } from '../../../src/kube/types.ts';
import { runProbe } from '../../../src/probes/run.ts';
import { pod } from '../../lib/builders.ts';
import { createTestAuthority } from '../../lib/kubelet-certificates.ts';

const ports = { get: oneShotGet, dial: tcpDial, health: grpcHealth };

/** Listens on a free port of the loopback until the test is over. */
async function listen(t: TestContext, server: Server | Http2Server): Promise<number> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  // A server that listens on TCP has this form of address.
  return (server.address() as AddressInfo).port;
}

async function serve(
  t: TestContext,
  answer: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<number> {
  return listen(t, createServer(answer));
}

function probe(spec: Probe, timeoutMs = 2_000) {
  const subject = pod({ status: { podIP: '127.0.0.1' } });
  const container = { name: 'app', image: 'a' };
  return runProbe(ports, { pod: subject, container, probe: spec, timeoutMs, monotonic: () => performance.now() });
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

for (const [status, result] of [
  [200, 'success'],
  [204, 'success'],
  [304, 'warning'],
  [404, 'failure'],
  [503, 'failure'],
] as const) {
  test(`http probe: the server answers ${status}: ${result}`, async (t) => {
    const port = await serve(t, (_, response) => response.writeHead(status).end());
    const outcome = await probe({ httpGet: { port } });
    assert.equal(outcome.result, result);
    if (result === 'failure') assert.equal(outcome.output, `HTTP probe failed with statuscode: ${status}`);
  });
}

test('http probe: what the server sees: the headers of a kubelet, on a connection that is closed after it', async (t) => {
  const seen: IncomingMessage[] = [];
  const port = await serve(t, (request, response) => {
    seen.push(request);
    response.end('ok');
  });
  const httpHeaders = [
    { name: 'Host', value: 'shop.example' },
    { name: 'X-Twice', value: '1' },
    { name: 'X-Twice', value: '2' },
  ];
  await probe({ httpGet: { port, path: '/a?b=c', httpHeaders } });
  await probe({ httpGet: { port } });
  const [first, second] = seen;
  assert.equal(first?.url, '/a?b=c');
  assert.deepEqual(first?.rawHeaders.slice(0, 12), [
    ...['User-Agent', 'kube-probe/1.37', 'Accept', '*/*', 'Host', 'shop.example'],
    ...['X-Twice', '1', 'X-Twice', '2', 'Connection', 'close'],
  ]);
  assert.equal(second?.headers.host, `127.0.0.1:${port}`);
  assert.notEqual(first?.socket, second?.socket);
});

test('http probe: redirects on the same host: followed, to another: a warning', async (t) => {
  const port = await serve(t, (request, response) => {
    const { url } = request;
    if (url === '/away') response.writeHead(302, { location: 'http://example.com/' }).end('bye');
    else if (url === '/here') response.writeHead(302, { location: '/there' }).end();
    else if (url === '/loop') response.writeHead(301, { location: '/loop' }).end();
    else response.writeHead(url === '/there' ? 200 : 500).end();
  });
  assert.equal((await probe({ httpGet: { port, path: '/here' } })).result, 'success');
  assert.deepEqual(await probe({ httpGet: { port, path: '/away' } }), {
    result: 'warning',
    output: 'Probe terminated redirects, Response body: bye',
  });
  const loop = await probe({ httpGet: { port, path: '/loop' } });
  assert.equal(loop.output, `Get "http://127.0.0.1:${port}/loop": stopped after 10 redirects`);
});

test('http probe: a body without end: the start is enough', async (t) => {
  const port = await serve(t, (_, response) => {
    response.writeHead(200);
    response.write(Buffer.alloc(64 * 1024, 'x'));
  });
  const outcome = await probe({ httpGet: { port } });
  assert.equal(outcome.result, 'success');
  assert.equal(outcome.output.length, 10 * 1024);
});

test('http probe: the server is silent, or stops in the middle: a failure when the time is up', async (t) => {
  const port = await serve(t, (request, response) => {
    if (request.url === '/half') response.writeHead(200).write('a');
  });
  for (const path of ['/', '/half']) {
    const outcome = await probe({ httpGet: { port, path } }, 150);
    assert.equal(outcome.output, `Get "http://127.0.0.1:${port}${path}": no answer within 150 ms`);
  }
});

test('http probe: redirects that each take a while: one time limit for all', async (t) => {
  const port = await serve(t, (_, response) => {
    setTimeout(() => response.writeHead(302, { location: '/again' }).end(), 100);
  });
  const begun = performance.now();
  assert.equal((await probe({ httpGet: { port } }, 250)).result, 'failure');
  assert.ok(performance.now() - begun < 800);
});

test('http probe: nothing listens, the server hangs up, or speaks something else: failures with their cause', async (t) => {
  const closed = await closedPort();
  const refused = await probe({ httpGet: { port: closed } });
  const dial = `dial tcp 127.0.0.1:${closed}: connect: connection refused`;
  assert.equal(refused.output, `Get "http://127.0.0.1:${closed}/": ${dial}`);
  const hangUp = await listen(
    t,
    createTcpServer((socket) => socket.destroy()),
  );
  assert.equal((await probe({ httpGet: { port: hangUp } })).result, 'failure');
  const babble = await listen(
    t,
    createTcpServer((socket) => socket.end('SSH-2.0-x\r\n')),
  );
  assert.match((await probe({ httpGet: { port: babble } })).output, /Parse Error/);
});

test('http probe: a header that cannot be sent: an error, not a failure', async (t) => {
  const port = await serve(t, (_, response) => response.end());
  await assert.rejects(probe({ httpGet: { port, httpHeaders: [{ name: 'bad name', value: 'x' }] } }), /Header name/);
});

test('https probe: nobody vouches for the certificate: it does not matter', async (t) => {
  const tls = createTestAuthority('nobody').issue('server', {
    commonName: 'other.example',
    dnsNames: ['other.example'],
  });
  const port = await listen(
    t,
    createTlsServer(tls, (_, response) => response.end('secure')),
  );
  assert.deepEqual(await probe({ httpGet: { port, scheme: 'HTTPS' } }), { result: 'success', output: 'secure' });
});

test('tcp probe: something listens: success; nothing: failure; it is closed at once', async (t) => {
  let closed: () => void = () => {};
  const wasClosed = new Promise<void>((resolve) => {
    closed = resolve;
  });
  const port = await listen(
    t,
    createTcpServer((socket) => socket.on('close', closed).resume()),
  );
  assert.equal((await probe({ tcpSocket: { port } })).result, 'success');
  await wasClosed;
  const shut = await closedPort();
  assert.deepEqual(await probe({ tcpSocket: { port: shut } }), {
    result: 'failure',
    output: `dial tcp 127.0.0.1:${shut}: connect: connection refused`,
  });
});

/** Answers a health check with a serving status, the way a gRPC server does. */
function answerHealth(stream: ServerHttp2Stream, body: Buffer, trailers: Record<string, string>): void {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers(trailers));
  stream.end(body);
}

test('grpc probe: the server is asked for a service: the request is a health check, the status decides', async (t) => {
  const server = createHttp2Server();
  const asked: { headers: Record<string, unknown>; body: Buffer }[] = [];
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const body = Buffer.concat(chunks);
      asked.push({ headers, body });
      const status = body.length > 5 ? 2 : 1;
      answerHealth(stream, Buffer.from([0, 0, 0, 0, 2, 8, status]), { 'grpc-status': '0' });
    });
  });
  const port = await listen(t, server);
  assert.deepEqual(await probe({ grpc: { port } }), { result: 'success', output: 'service healthy' });
  assert.deepEqual(await probe({ grpc: { port, service: 'shop' } }), {
    result: 'failure',
    output: 'service unhealthy (responded with "NOT_SERVING")',
  });
  const [whole, named] = asked;
  assert.equal(whole?.headers[':path'], '/grpc.health.v1.Health/Check');
  assert.equal(whole?.headers['content-type'], 'application/grpc');
  assert.equal(whole?.headers['te'], 'trailers');
  assert.deepEqual(whole?.body, Buffer.from([0, 0, 0, 0, 0]));
  assert.deepEqual(named?.body, Buffer.from([0, 0, 0, 0, 6, 0x0a, 4, ...Buffer.from('shop')]));
});

test('grpc probe: no health service, an empty answer, no gRPC at all, silence, nobody: failures with their cause', async (t) => {
  const server = createHttp2Server();
  let mode = '';
  server.on('stream', (stream) => {
    stream.on('error', () => {});
    if (mode === 'unimplemented') {
      stream.respond({ ':status': 200, 'grpc-status': '12', 'grpc-message': 'unknown%20service' }, { endStream: true });
    } else if (mode === 'empty') answerHealth(stream, Buffer.from([0, 0, 0, 0, 0]), { 'grpc-status': '0' });
    else if (mode === 'plain') stream.respond({ ':status': 404 }, { endStream: true });
  });
  const port = await listen(t, server);
  const output = async (next: string, timeoutMs?: number) => {
    mode = next;
    return (await probe({ grpc: { port } }, timeoutMs)).output;
  };
  assert.match(await output('unimplemented'), /does not implement the grpc health protocol.*unknown service/);
  assert.equal(await output('empty'), 'service unhealthy (responded with "UNKNOWN")');
  assert.match(await output('plain'), /answered HTTP 404 without a gRPC status/);
  assert.equal(await output('silent', 200), 'timeout: health rpc did not complete within 0.2s');
  const nobody = await probe({ grpc: { port: await closedPort() } });
  assert.match(nobody.output, /failed to connect service.*ECONNREFUSED/);
  const http1 = await serve(t, (_, response) => response.end());
  assert.equal((await probe({ grpc: { port: http1 } })).result, 'failure');
});

test('one request: https to a server that speaks http: failed in the words of the kubelet, and marked', async (t) => {
  const port = await serve(t, (_, response) => response.end());
  const answer = await oneShotGet({
    scheme: 'https',
    host: '127.0.0.1',
    port,
    path: '/',
    headers: [],
    timeoutMs: 2_000,
    maxBodyBytes: 100,
  });
  assert.deepEqual(answer, {
    kind: 'failed',
    message: 'http: server gave HTTP response to HTTPS client',
    isPlain: true,
  });
});
