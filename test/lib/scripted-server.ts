import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer, type ServerOptions } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** A request as the server got it. */
export interface SeenRequest {
  method: string;
  /** Path and query. */
  url: string;
  query: URLSearchParams;
  headers: IncomingMessage['headers'];
  body: string;
  /** Common name of the client's certificate. */
  client: string | undefined;
}

export type Answer = (request: SeenRequest, response: ServerResponse, count: number) => void;

export interface ScriptedServer {
  origin: string;
  requests: SeenRequest[];
  /** Connections opened so far. */
  connections(): number;
  /** Breaks every open connection. */
  cut(): void;
  close(): Promise<void>;
}

/** Starts a server on a free port that answers as the test says; `count` starts at 1. With `tls` it speaks https. */
export async function startServer(answer: Answer, tls?: ServerOptions): Promise<ScriptedServer> {
  const requests: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let opened = 0;
  const handle = (message: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    message.on('data', (chunk: Buffer) => chunks.push(chunk));
    message.on('end', () => {
      const url = message.url ?? '';
      const { socket } = message;
      const peer =
        'getPeerCertificate' in socket
          ? (socket.getPeerCertificate as () => { subject?: { CN?: string } }).call(socket)
          : undefined;
      const seen: SeenRequest = {
        method: message.method ?? '',
        url,
        query: new URL(url, 'http://x').searchParams,
        headers: message.headers,
        body: Buffer.concat(chunks).toString('utf8'),
        client: peer?.subject?.CN,
      };
      requests.push(seen);
      answer(seen, response, requests.length);
    });
  };
  const server = tls ? createHttpsServer(tls, handle) : createHttpServer(handle);
  server.on('connection', (socket: Socket) => {
    opened += 1;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections: () => opened,
    cut,
    close() {
      cut();
      return new Promise((resolve) => {
        server.close(() => resolve());
      });
    },
  };
}

/** Answers with JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

/** Answers as the API server refuses. */
export function sendStatus(
  response: ServerResponse,
  code: number,
  reason: string,
  headers: Record<string, string> = {},
): void {
  sendJson(
    response,
    code,
    { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message: reason },
    headers,
  );
}
