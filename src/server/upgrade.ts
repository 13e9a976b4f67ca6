import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { errorAnswer, queryOf, refuseUpgrade } from './answers.ts';
import type { Auth } from './auth.ts';
import { isRefusal } from './log-options.ts';
import type { ServerMetrics } from './metrics.ts';
import { requestPath } from './request-attributes.ts';
import type { KubeletServerOptions } from './server-options.ts';
import { type Prepared, prepareAttach, prepareExec, preparePortForward, type StreamingTools } from './streaming.ts';
import type { UpgradeRefusal } from './upgrade-protocol.ts';

/** What an upgrade handler needs. */
export interface UpgradeOptions {
  options: KubeletServerOptions;
  auth: Auth;
  metrics: ServerMetrics;
  tools: StreamingTools;
}

/** Takes upgrades of connections. */
export interface UpgradeHandler {
  /** Tells whether a request is one of ours; others are answered as if they had not asked. */
  wants(request: IncomingMessage): boolean;
  handle(request: IncomingMessage, socket: TLSSocket, head: Buffer): void;
  /** Streaming connections that are open. */
  sockets: ReadonlySet<TLSSocket>;
}

const lingerMs = 5_000;
const streamingPaths = /^\/(exec|attach|portForward)\//;

/**
 * Makes the handler of exec, attach and port-forward. Until the 101 every refusal is a plain HTTP answer; who asks is
 * settled before anything about Pods is said.
 */
export function createUpgradeHandler(upgrade: UpgradeOptions): UpgradeHandler {
  const { options, metrics } = upgrade;
  const sockets = new Set<TLSSocket>();
  const admitted = new Set<TLSSocket>();

  /** Answers, and does not leave it to the client when the connection ends. */
  function refuse(socket: TLSSocket, answer: UpgradeRefusal, headers: Record<string, string[]> = {}): void {
    refuseUpgrade(socket, answer, headers);
    socket.resume();
    socket.once(
      'close',
      options.clock.after(lingerMs, () => socket.destroy()),
    );
  }
  async function serve(request: IncomingMessage, socket: TLSSocket, head: Buffer): Promise<void> {
    const prepared = await admit(upgrade, request, socket);
    if (socket.destroyed) return;
    if (isRefusal(prepared)) {
      refuse(socket, prepared, prepared.status === 405 ? { Allow: ['GET, POST'] } : prepared.headers);
      return;
    }
    if (admitted.size >= options.limits.maxStreamingConnections) {
      refuse(socket, { status: 503, text: 'too many streaming connections' });
      return;
    }
    admitted.add(socket);
    const kind = streamingPaths.exec(request.url ?? '')?.[1] ?? '';
    if (prepared.isWebSocket) metrics.webSocket(kind.toLowerCase());
    await prepared.serve(socket, head);
  }
  return {
    sockets,
    wants: (request) => streamingPaths.test(request.url ?? ''),
    handle(request, socket, head) {
      socket.on('error', () => {});
      socket.setTimeout(0);
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      sockets.add(socket);
      const path = streamingPaths.exec(request.url ?? '')?.[1] ?? 'unknown';
      const end = metrics.begin({ method: request.method ?? '', path, longRunning: true });
      socket.once('close', () => {
        sockets.delete(socket);
        admitted.delete(socket);
        end();
      });
      serve(request, socket, head).catch((error: unknown) => {
        options.log.warn('serving a stream failed', { path, err: error });
        // Before the 101 this is an answer; after it the socket is not ours to write to.
        if (socket.bytesWritten === 0) refuse(socket, errorAnswer(error));
        else socket.destroy();
      });
    },
  };
}

async function admit(
  { options, auth, tools }: UpgradeOptions,
  request: IncomingMessage,
  socket: TLSSocket,
): Promise<Prepared | UpgradeRefusal> {
  const path = requestPath(request.url ?? '');
  if (path === undefined) return { status: 400, text: 'malformed path' };
  const method = request.method ?? '';
  const decision = await auth.decide({ method, path, socket, authorization: request.headers.authorization });
  if (!decision.allowed) return { status: decision.status, text: decision.body };
  if (method !== 'GET' && method !== 'POST') return { status: 405, text: 'method not allowed' };
  const query = queryOf(request);
  const [, kind = '', namespace = '', pod = '', ...rest] = path.split('/');
  const asked = { request, query, namespace, pod };
  if (kind === 'portForward' && rest.length <= 1) {
    return preparePortForward(options, { ...asked, uid: rest[0] || undefined }, tools);
  }
  const container = rest.at(-1);
  if (rest.length < 1 || rest.length > 2 || !container) return { status: 404, text: '404 page not found' };
  const uid = rest.length === 2 ? rest[0] : undefined;
  const prepare = kind === 'exec' ? prepareExec : prepareAttach;
  return prepare(options, { ...asked, container, uid }, tools);
}
