import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Agent, createServer, request as forward, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../src/base/random.ts';
import type { ApiAccess } from '../e2e/lib/api.ts';

/**
 * What goes wrong between zunlet and the API server.
 *
 * - `reset-before`, `reset-after`: the connection is reset without an answer; the call had no effect, or had it
 * - `lost`: it had its effect and nothing ever comes back
 * - `cut`: the answer ends in the middle; a watch ends so in the middle of its life
 * - `late`: served after seconds
 * - `garbage`: the effect is done, the answer is not JSON
 * - `gone`: a watch or list is answered with 410
 * - a number: answered with this status, without any effect
 */
export type WireFault =
  | 'reset-before'
  | 'reset-after'
  | 'lost'
  | 'cut'
  | 'late'
  | 'garbage'
  | 'gone'
  | 401
  | 409
  | 429
  | 500
  | 503;

/** A fault and how probable it is for each call that it fits. */
export interface WireRule {
  fault: WireFault;
  probability: number;
}

/** A TLS proxy before the API server, with faults in its wires. */
export interface ApiProxy {
  url: string;
  setRules(rules: readonly WireRule[]): void;
  /** Closes the port and cuts every connection for so long. */
  refuse(forMs: number): Promise<void>;
  /** How many faults struck, by kind. */
  injected(): Record<string, number>;
  close(): Promise<void>;
}

export interface ApiProxyOptions {
  /** Where and as whom the calls go on: the proxy ends TLS, so it shows zunlet's certificate itself. */
  upstream: ApiAccess;
  /** PEM of a server certificate that zunlet trusts. */
  serving: { cert: string; key: string };
  random: Random;
}

const reasons: Record<number, string> = {
  401: 'Unauthorized',
  409: 'Conflict',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
};

/** Starts the proxy on a free port of loopback. */
export async function startApiProxy({ upstream, serving, random }: ApiProxyOptions): Promise<ApiProxy> {
  const agent = new Agent({ keepAlive: true, ca: upstream.ca, cert: upstream.cert, key: upstream.key });
  const target = new URL(upstream.server);
  const sockets = new Set<Socket>();
  const counts: Record<string, number> = {};
  let rules: readonly WireRule[] = [];

  function pick(request: IncomingMessage): WireFault | undefined {
    const found = rules.find(({ fault, probability }) => fits(fault, request) && random() < probability);
    if (!found) return undefined;
    counts[found.fault] = (counts[found.fault] ?? 0) + 1;
    return found.fault;
  }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const fault = pick(request);
    if (fault === 'reset-before') return reset(request);
    const body = await readAll(request);
    if (fault === 'late') await delay(500 + random() * 3000);
    if (typeof fault === 'number') return refuseWith(response, fault);
    if (fault === 'gone') return refuseWith(response, 410);
    const call = forward({
      agent,
      host: target.hostname,
      port: target.port,
      method: request.method,
      path: request.url,
      headers: { ...request.headers, host: target.host },
    });
    response.on('close', () => call.destroy());
    call.on('error', () => reset(request));
    call.end(body);
    const [answer] = (await once(call, 'response')) as [IncomingMessage];
    await giveBack(answer, { request, response, fault });
  }

  async function giveBack(
    answer: IncomingMessage,
    { request, response, fault }: { request: IncomingMessage; response: ServerResponse; fault: WireFault | undefined },
  ): Promise<void> {
    answer.on('error', () => reset(request));
    if (fault === 'lost' || fault === 'reset-after' || fault === 'garbage') {
      await readAll(answer);
      if (fault === 'reset-after') return reset(request);
      if (fault === 'garbage') response.writeHead(200, { 'content-type': 'application/json' }).end('{"kind":');
      return;
    }
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    response.flushHeaders();
    if (fault === 'cut' && isWatch(request)) setTimeout(() => reset(request), 200 + random() * 4000);
    if (fault === 'cut' && !isWatch(request)) {
      const bytes = await readAll(answer);
      response.write(bytes.subarray(0, bytes.length >> 1), () => reset(request));
      return;
    }
    answer.pipe(response);
  }

  const server = createServer(serving, (request, response) => {
    serve(request, response).catch(() => reset(request));
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  const port = await listen(server, 0);
  const shut = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    url: `https://127.0.0.1:${port}`,
    setRules(next) {
      rules = next;
    },
    async refuse(forMs) {
      counts['refuse'] = (counts['refuse'] ?? 0) + 1;
      await shut();
      await delay(forMs);
      await listen(server, port);
    },
    injected: () => ({ ...counts }),
    async close() {
      if (server.listening) await shut();
      agent.destroy();
    },
  };
}

function isWatch({ url = '' }: IncomingMessage): boolean {
  return /[?&]watch=(true|1)/.test(url);
}

function fits(fault: WireFault, request: IncomingMessage): boolean {
  const isRead = request.method === 'GET';
  if (fault === 'gone') return isRead && /^\/api\/v1\/pods/.test(request.url ?? '');
  if (fault === 409) return request.method === 'PATCH' || request.method === 'PUT';
  // A watch that is never answered and one whose answer is lost are the same.
  if (fault === 'garbage' || fault === 'lost' || fault === 'reset-after') return !isWatch(request);
  return true;
}

function refuseWith(response: ServerResponse, code: number): void {
  const reason = reasons[code] ?? '';
  const status = { kind: 'Status', apiVersion: 'v1', status: 'Failure', message: 'scripted failure', reason, code };
  response.writeHead(code, { 'content-type': 'application/json', ...(code === 429 && { 'retry-after': '1' }) });
  response.end(JSON.stringify(status));
}

function reset(request: IncomingMessage): void {
  request.socket.destroy();
}

async function readAll(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Without an encoding set, a message yields Buffers.
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function listen(server: Server, port: number): Promise<number> {
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return (server.address() as AddressInfo).port;
}
