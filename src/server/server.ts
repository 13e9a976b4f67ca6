import { constants } from 'node:crypto';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { AppError } from '../base/errors.ts';
import { type Auth, createAuth } from './auth.ts';
import { followClientCa } from './client-ca.ts';
import { type CertificateVerifier, createCertificateVerifier } from './client-certificate.ts';
import { createExec } from './exec.ts';
import { createLogArchive, type LogArchive } from './log-archive.ts';
import { createServerMetrics } from './metrics.ts';
import { createRoutes } from './routes.ts';
import type { TlsPair } from './self-signed.ts';
import type { KubeletServerOptions } from './server-options.ts';
import { createStatsCache } from './stats.ts';
import { createWebSocketAcceptor } from './streams/websocket.ts';
import { createUpgradeHandler, type UpgradeHandler } from './upgrade.ts';

/** The kubelet's HTTPS API. */
export interface KubeletServer {
  /** Gets the certificate, learns whom to trust, and listens. Errors: `server.insecure`, `serving.files`, `server.listen`. */
  listen(): Promise<void>;
  /** Where it listens; undefined when it does not. */
  readonly address: AddressInfo | undefined;
  /** Serves new connections with another certificate; open ones go on. */
  setTls(pair: TlsPair): void;
  /** Keeps the logs of a Pod's containers, which are about to be freed, until the Pod is gone. Never rejects. */
  keepLogs(uid: string): Promise<void>;
  /** Takes nothing new, waits for what runs at most `graceMs`, then cuts it. */
  close(graceMs: number): Promise<void>;
}

const idleMs = 130_000;

/**
 * Makes the server. Without a way to ask the API server about rights, and one to know who asks, it refuses to listen,
 * unless `insecureKubeletApi` says that everybody may do everything. Source: pkg/kubelet/server/server.go; idle
 * connections live longer than the 90 s for which the API server keeps them.
 */
export function createKubeletServer(options: KubeletServerOptions): KubeletServer {
  const { clock, log } = options;
  const stopping = new AbortController();
  const certificates = createCertificateVerifier(() => clock.now());
  const archive = createLogArchive(options);
  const { server, upgrades } = assemble(options, { certificates, archive, stopping: stopping.signal });
  const tls: TlsState = { pair: undefined, ca: undefined };
  const setTls = (pair: TlsPair): void => {
    tls.pair = pair;
    applyTls(server, tls);
  };
  let followed = { first: Promise.resolve(), stop(): void {} };

  return {
    async listen() {
      checkSecurity(options);
      setTls(await options.serving.start(setTls));
      if (options.clientCa && !options.insecureKubeletApi) {
        followed = followClientCa({
          source: options.clientCa,
          clock,
          log,
          onChange(pem) {
            tls.ca = pem;
            certificates.setAuthorities(pem);
            applyTls(server, tls);
          },
        });
        await followed.first;
      }
      await bind(server, options);
      log.info('serving the kubelet API', { port: addressOf(server)?.port });
    },
    get address() {
      return addressOf(server);
    },
    setTls,
    keepLogs: (uid) => archive.keep(uid),
    async close(graceMs) {
      followed.stop();
      archive.stop();
      options.serving.stop();
      const stop = (): void => stopping.abort(new Error('the server stops'));
      await closeServer(server, upgrades, { graceMs, stop, options });
    },
  };
}

/** Puts routes, upgrades and the TLS server together. */
function assemble(
  options: KubeletServerOptions,
  parts: { certificates: CertificateVerifier; archive: LogArchive; stopping: AbortSignal },
): { server: Server; upgrades: UpgradeHandler } {
  const { clock, log, limits } = options;
  const { certificates, archive, stopping } = parts;
  const auth = options.insecureKubeletApi ? openAuth : createAuth({ ...options, certificates, requireCreate: true });
  const metrics = createServerMetrics({
    registry: options.registry,
    serving: () => options.serving.view(),
    now: () => clock.now(),
    monotonic: () => clock.monotonic(),
  });
  const exec = createExec({ ...options, createToken: () => `zunlet${options.randomBytes(16).toString('hex')}` });
  const tools = { exec, webSockets: createWebSocketAcceptor(), stopping };
  const upgrades = createUpgradeHandler({ options, auth, metrics, tools });
  const logs = { ...options, archive, stopping };
  const app = createRoutes({ options, auth, metrics, stats: createStatsCache(options), logs });
  const server = createServer(
    {
      ...tlsOptions(),
      maxHeaderSize: limits.maxHeaderBytes,
      keepAliveTimeout: idleMs,
      headersTimeout: idleMs + 10_000,
      requestTimeout: 0,
      // An upgrade on any other path is served as the plain request it also is.
      shouldUpgradeCallback: upgrades.wants,
    },
    app,
  );
  server.timeout = 0;
  server.maxConnections = limits.maxConnections;
  // The server listens on TLS only.
  server.on('upgrade', (request, socket, head) => upgrades.handle(request, socket as TLSSocket, head));
  server.on('tlsClientError', (error) => log.debug('a TLS handshake failed', { err: error }));
  return { server, upgrades };
}

interface TlsState {
  pair: TlsPair | undefined;
  ca: string | undefined;
}

/** No tickets: a resumed session would carry the verdict on its client's certificate past a change of authorities. */
function tlsOptions() {
  return {
    minVersion: 'TLSv1.2' as const,
    ALPNProtocols: ['http/1.1'],
    requestCert: true,
    rejectUnauthorized: false,
    secureOptions: constants.SSL_OP_NO_TICKET,
  };
}

function applyTls(server: Server, tls: TlsState): void {
  if (!tls.pair) return;
  // Without authorities nobody's certificate is good: the list must not fall back to the public ones.
  server.setSecureContext({ ...tlsOptions(), ...tls.pair, ca: tls.ca ?? [] });
}

const openAuth: Auth = {
  decide: () => Promise.resolve({ allowed: true, user: { username: 'system:anonymous', groups: [] } }),
};

function checkSecurity(options: KubeletServerOptions): void {
  if (options.insecureKubeletApi) {
    options.log.warn('the kubelet API is open to everybody: whoever reaches its port can run commands in every pod');
    return;
  }
  if (options.reviews) return;
  throw new AppError({
    kind: 'invalid',
    code: 'server.insecure',
    message:
      'starting the kubelet API: there is no API server to ask who may use it; ' +
      'to serve everybody say so with --insecure-kubelet-api',
  });
}

function bind(server: Server, options: KubeletServerOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      reject(
        new AppError({
          kind: 'invalid',
          code: 'server.listen',
          message: `listening on ${options.address} port ${options.port}: ${error.message}`,
          cause: error,
        }),
      );
    });
    server.listen(options.port, options.address, resolve);
  });
}

function addressOf(server: Server): AddressInfo | undefined {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address : undefined;
}

function closeServer(
  server: Server,
  upgrades: UpgradeHandler,
  rest: { graceMs: number; stop: () => void; options: KubeletServerOptions },
): Promise<void> {
  return new Promise((resolve) => {
    const { clock } = rest.options;
    const cancel = clock.after(rest.graceMs, () => {
      rest.stop();
      server.closeAllConnections();
      const finish = clock.after(1_000, () => {
        for (const socket of upgrades.sockets) socket.destroy();
      });
      server.once('close', finish);
    });
    server.close(() => {
      cancel();
      rest.stop();
      resolve();
    });
    server.closeIdleConnections();
  });
}
