import { once } from 'node:events';
import {
  createServer,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Clock } from '../base/clock.ts';
import type { Counters } from './counters.ts';
import type { Fault, FaultPlan } from './faults.ts';

/** A call as the handlers of an emulated service see it. */
export interface Call {
  method: string;
  /** The path as sent, without the query. */
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: string;
  operation: string;
  /** Scheme and host as the caller used them: `http://127.0.0.1:9517`. */
  root: string;
  /** Answer reads with the state of so many milliseconds ago. */
  staleMs: number;
}

/** An answer before it becomes bytes. `text` wins over `json`; neither means no body. */
export interface Answer {
  status: number;
  headers?: Record<string, string>;
  json?: unknown;
  text?: string;
}

export interface ServiceOptions {
  clock: Clock;
  faults: FaultPlan;
  counters: Counters;
  /** Names a call for counters and faults; must not fail. */
  operation(method: string, path: string): string;
  handle(call: Call): Answer | Promise<Answer>;
  /** The service's own envelope for a status that a fault asks for. */
  failure(call: Call, status: number, detail: string): Answer;
  /** Loopback address to listen on. Default `127.0.0.1`. */
  host?: string;
  /** Default: any free one. */
  port?: number;
}

/** An HTTP service on a real socket, with faults in its wires. */
export interface Service {
  url: string;
  port: number;
  /** Closes the port: connections are refused until `accept`. Those that stand are reset. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  close(): Promise<void>;
}

const maxBodyBytes = 64 * 2 ** 20;

/** Starts a service and resolves when it listens. */
export async function startService(options: ServiceOptions): Promise<Service> {
  const host = options.host ?? '127.0.0.1';
  const sockets = new Set<Socket>();
  let port = options.port ?? 0;
  let isRefusing = false;
  let server: Server;

  async function listen(): Promise<void> {
    server = createServer((request, response) => {
      void serve(request, response, options, { refuse, accept });
    });
    server.keepAliveTimeout = 75_000;
    server.on('connection', (socket) => {
      sockets.add(socket);
      socket.once('close', () => sockets.delete(socket));
      socket.on('error', () => socket.destroy());
    });
    server.listen(port, host);
    await once(server, 'listening');
    // An IP listener's address is never a string or null.
    port = (server.address() as AddressInfo).port;
  }

  async function refuse(): Promise<void> {
    if (isRefusing) return;
    isRefusing = true;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  }

  async function accept(): Promise<void> {
    if (!isRefusing) return;
    isRefusing = false;
    await listen();
  }

  await listen();
  return { url: `http://${host}:${port}`, port, refuse, accept, close: refuse };
}

/** Serves one call, with the fault that strikes it. */
async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  options: ServiceOptions,
  door: Pick<Service, 'refuse' | 'accept'>,
): Promise<void> {
  const { clock, counters, handle } = options;
  const call = readCall(request, options.operation);
  const noAnswer = () => counters.answered(call.operation, 'none');
  const reset = () => {
    noAnswer();
    request.socket.resetAndDestroy();
  };
  try {
    counters.called(call.operation);
    const fault = options.faults.pick(call.operation, call.path);
    if (fault?.kind === 'reset-before') return reset();
    if (fault?.kind === 'refuse') {
      noAnswer();
      clock.after(fault.forMs, () => void door.accept());
      return await door.refuse();
    }
    call.body = await readBody(request);
    if (fault?.kind === 'late') {
      clock.after(fault.ms, () => void Promise.resolve(handle(call)).catch(() => undefined));
      return reset();
    }
    if (fault?.kind === 'hang') return noAnswer();
    if (fault?.kind === 'delay') await new Promise<void>((resolve) => clock.after(fault.ms, resolve));
    if (fault?.kind === 'stale') call.staleMs = fault.ms;
    if (fault?.kind === 'status' && !fault.effect)
      return send(response, call, faultAnswer(call, fault, options), options);
    const answer = await handle(call);
    if (fault?.kind === 'reset-after') return reset();
    if (fault?.kind === 'lose-answer') return noAnswer();
    if (fault?.kind === 'cut') return cut(response, call, answer, options);
    if (fault?.kind === 'garbage') return send(response, call, garbage(answer), options);
    send(response, call, fault?.kind === 'status' ? faultAnswer(call, fault, options) : answer, options);
  } catch {
    reset();
  }
}

function faultAnswer(call: Call, fault: Extract<Fault, { kind: 'status' }>, options: ServiceOptions): Answer {
  const answer = options.failure(call, fault.status, fault.detail ?? 'scripted failure');
  if (fault.retryAfterSeconds === undefined) return answer;
  return { ...answer, headers: { ...answer.headers, 'retry-after': String(fault.retryAfterSeconds) } };
}

function readCall(request: IncomingMessage, operation: ServiceOptions['operation']): Call {
  const method = request.method ?? 'GET';
  const url = request.url ?? '/';
  const mark = url.indexOf('?');
  const path = mark < 0 ? url : url.slice(0, mark);
  return {
    method,
    path,
    query: new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)),
    headers: request.headers,
    body: '',
    operation: operation(method, path),
    root: `http://${request.headers.host ?? 'localhost'}`,
    staleMs: 0,
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    // Without an encoding set, a request yields Buffers.
    const buffer = chunk as Buffer;
    bytes += buffer.length;
    if (bytes > maxBodyBytes) throw new Error('request body too large');
    chunks.push(buffer);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0].toString() : Buffer.concat(chunks).toString();
}

function bodyText(answer: Answer): string | undefined {
  if (answer.text !== undefined) return answer.text;
  return answer.json === undefined ? undefined : JSON.stringify(answer.json);
}

function send(response: ServerResponse, call: Call, answer: Answer, options: ServiceOptions): void {
  const text = bodyText(answer);
  const bytes = Buffer.from(text ?? '');
  const headers: Record<string, string | number> = { 'content-length': bytes.length, ...answer.headers };
  if (text !== undefined && headers['content-type'] === undefined) headers['content-type'] = 'application/json';
  options.counters.answered(call.operation, answer.status);
  if (answer.status === 204) delete headers['content-length'];
  response.writeHead(answer.status, headers);
  response.end(call.method === 'HEAD' ? undefined : bytes);
}

function garbage(answer: Answer): Answer {
  return { ...answer, text: '<html><body>502 from a proxy that calls this JSON: {"' };
}

function cut(response: ServerResponse, call: Call, answer: Answer, options: ServiceOptions): void {
  const bytes = Buffer.from(bodyText(answer) ?? '');
  options.counters.answered(call.operation, 'none');
  response.writeHead(answer.status, { ...answer.headers, 'content-length': Math.max(2, bytes.length) });
  response.write(bytes.subarray(0, bytes.length >> 1), () => response.socket?.resetAndDestroy());
  if (bytes.length < 2) response.socket?.resetAndDestroy();
}
