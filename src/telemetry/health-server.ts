import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { AppError } from '../base/errors.ts';

/** What is well and what is not; an empty list is well. */
export type HealthProblems = () => string[];

/** A plain HTTP page for the probes of this process itself; never the kubelet API. */
export interface HealthServer {
  /** `host:port` as bound. */
  address: string;
  close(): Promise<void>;
}

/**
 * Serves `/healthz` (200 `ok`, or 500 with what is wrong) and `/metrics` on `host:port`.
 * Errors: `health.address` for an address that cannot be used.
 */
export async function startHealthServer(
  address: string,
  problems: HealthProblems,
  registry: Registry,
): Promise<HealthServer> {
  const { host, port } = splitAddress(address);
  const server = createServer({ requestTimeout: 10_000 }, (request, response) => {
    const path = request.url?.split('?')[0];
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      response.writeHead(405, { allow: 'GET, HEAD' }).end();
    } else if (path === '/healthz' || path === '/livez' || path === '/readyz') {
      const found = problems();
      response.writeHead(found.length === 0 ? 200 : 500, { 'content-type': 'text/plain; charset=utf-8' });
      response.end(found.length === 0 ? 'ok' : `${found.join('\n')}\n`);
    } else if (path === '/metrics') {
      registry.metrics().then(
        (text) => response.writeHead(200, { 'content-type': registry.contentType }).end(text),
        (error: unknown) => response.writeHead(500).end(String(error)),
      );
    } else {
      response.writeHead(404).end('404 page not found\n');
    }
  });
  await listen(server, host, port, address);
  // A TCP server has an address object.
  const bound = server.address() as AddressInfo;
  return {
    address: `${host}:${bound.port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Takes `host:port` apart; no host is every address. Errors: `health.address`. */
export function splitAddress(address: string): { host: string; port: number } {
  const match = /^(.*):(\d+)$/.exec(address);
  const port = Number(match?.[2]);
  if (!match || port > 65_535) {
    throw new AppError({
      kind: 'invalid',
      code: 'health.address',
      message: `healthAddress: expected host:port, got "${address}"`,
    });
  }
  return { host: (match[1] ?? '').replace(/^\[(.*)\]$/, '$1') || '0.0.0.0', port };
}

function listen(server: Server, host: string, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new AppError({
          kind: 'invalid',
          code: 'health.address',
          message: `listening on healthAddress ${address}: ${cause.code === 'EADDRINUSE' ? 'the port is in use: choose another by --health-address, or "" for none' : cause.message}`,
          cause,
        }),
      ),
    );
    server.listen(port, host, resolve);
    // The page alone holds no process: one whose start fails ends.
    server.unref();
  });
}
