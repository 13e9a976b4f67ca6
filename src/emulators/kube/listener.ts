import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Authority } from './authority.ts';

/** A server whose connections can be refused for a while and taken again on the same port. */
export interface Listener {
  url: string;
  /** Closes the port and all connections. */
  down(): Promise<void>;
  /** Opens the same port again. */
  up(): Promise<void>;
}

export interface ListenerParts {
  /** Serve HTTPS with this authority's certificate; HTTP when left out. */
  authority: Authority | undefined;
  onRequest(incoming: IncomingMessage, response: ServerResponse): void;
  onUpgrade(incoming: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** Listens on a free port of 127.0.0.1. */
export async function listen(parts: ListenerParts): Promise<Listener> {
  const sockets = new Set<Socket>();
  const { authority } = parts;
  const limits = { keepAliveTimeout: 120_000, requestTimeout: 0, headersTimeout: 0 };
  const server: Server = authority
    ? createHttpsServer({
        ...limits,
        ...authority.server,
        ca: authority.ca,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: ['http/1.1'],
      })
    : createHttpServer(limits);
  server.on('request', parts.onRequest);
  server.on('upgrade', parts.onUpgrade);
  server.on('connection', (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });

  const open = (port: number) =>
    new Promise<number>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, '127.0.0.1', () => {
        server.off('error', reject);
        // A server that listens on TCP has an address of this form.
        resolve((server.address() as AddressInfo).port);
      });
    });
  const port = await open(0);
  return {
    url: `${authority ? 'https' : 'http'}://127.0.0.1:${port}`,
    async down() {
      if (!server.listening) return;
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async up() {
      if (!server.listening) await open(port);
    },
  };
}
