import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { Registry } from 'prom-client';
import { systemClock } from '../../src/base/clock.ts';
import { AppError } from '../../src/base/errors.ts';
import { containerNameVariable } from '../../src/base/identity.ts';
import { silentLog } from '../../src/base/log.ts';
import { seededRandom } from '../../src/base/random.ts';
import type { Pod } from '../../src/kube/types.ts';
import type { Capsule } from '../../src/openstack/types.ts';
import type { ReviewApi } from '../../src/server/auth.ts';
import { dialAddress } from '../../src/server/pod-dial.ts';
import type { ContainerRuntime } from '../../src/server/runtime.ts';
import { createKubeletServer, type KubeletServer } from '../../src/server/server.ts';
import { defaultServerLimits, type KubeletServerOptions } from '../../src/server/server-options.ts';
import { createServingCertificate } from '../../src/server/tls.ts';
import { capsuleMembers } from '../../src/status/members.ts';
import { pod, uuid, zunContainer } from './builders.ts';
import { createTestAuthority, type TestAuthority } from './kubelet-certificates.ts';
import { createSpdyClient, type SpdyClient } from './spdy-client.ts';

export interface Identity {
  cert?: string;
  key?: string;
  token?: string;
}

/** A kubelet server over real TLS with an API server that says yes, and a client. */
export interface KubeletBed {
  server: KubeletServer;
  port: number;
  authority: TestAuthority;
  /** The API server's own identity. */
  admin: Identity;
  pods: Pod[];
  capsules: Capsule[];
  get(
    path: string,
    identity?: Identity,
    method?: string,
  ): Promise<{ status: number; body: string; headers: IncomingMessage['headers'] }>;
  /** Sends an upgrade; answers the refusal or the connection. */
  upgrade(
    path: string,
    headers: Record<string, string | string[]>,
    method?: string,
    identity?: Identity,
  ): Promise<{ status: number; body: string; headers: IncomingMessage['headers']; socket?: TLSSocket }>;
  spdy(path: string, protocol: string | string[], keepData?: boolean): Promise<SpdyClient>;
  close(): Promise<void>;
}

export interface BedOptions {
  runtime: ContainerRuntime;
  reviews?: ReviewApi;
  pods?: Pod[];
  capsules?: Capsule[];
  options?: Partial<KubeletServerOptions>;
}

const unused = () =>
  Promise.reject(new AppError({ kind: 'unsupported', code: 'test', message: 'not part of this test' }));

/** A runtime for tests that never reach it. */
export const noRuntime: ContainerRuntime = {
  ensureServed: unused,
  logs: unused,
  isRunning: unused,
  execute: unused,
  openExec: unused,
  openAttach: unused,
  stats: unused,
};

const allowAll: ReviewApi = {
  tokenReview: () => Promise.resolve(undefined),
  subjectAccessReview: () => Promise.resolve(true),
};

/** A Pod `web` whose container `app` runs in a standalone container. */
export function runningPod(): { pod: Pod; capsule: Capsule } {
  const member = zunContainer({ uuid: uuid(500), environment: { [containerNameVariable]: 'app' } });
  return {
    pod: pod({
      containers: [{ name: 'app', image: 'busybox:1' }],
      status: {
        phase: 'Running',
        podIP: '127.0.0.1',
        podIPs: [{ ip: '127.0.0.1' }],
        containerStatuses: [
          {
            name: 'app',
            image: 'busybox:1',
            imageID: '',
            ready: true,
            restartCount: 0,
            containerID: `zun://${uuid(500)}`,
            state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
          },
        ],
      },
    }),
    capsule: {
      backend: 'container',
      uuid: uuid(500),
      name: 'web',
      status: 'Running',
      status_reason: null,
      labels: {},
      addresses: {},
      created_at: '2026-01-01 00:00:00',
      updated_at: null,
      containers: [member],
      init_containers: [],
    },
  };
}

/** Starts a server on a free port. */
export async function startKubeletBed(bed: BedOptions): Promise<KubeletBed> {
  const authority = createTestAuthority('kubernetes-ca');
  const admin = authority.issue('client', {
    commonName: 'kube-apiserver-kubelet-client',
    organizations: ['kubeadm:cluster-admins'],
  });
  const one = runningPod();
  const pods = bed.pods ?? [one.pod];
  const capsules = bed.capsules ?? [one.capsule];
  const identity = { node: 'zun-1', addresses: ['127.0.0.1'] };
  const server = createKubeletServer({
    node: 'zun-1',
    address: '127.0.0.1',
    port: 0,
    sources: {
      pods: {
        get: (uid) => pods.find(({ metadata }) => metadata.uid === uid),
        byName: (namespace, name) =>
          pods.find(({ metadata }) => metadata.namespace === namespace && metadata.name === name),
        all: () => pods,
        isComplete: () => true,
      },
      capsules: {
        ofPod: (uid) => (pods.some(({ metadata }) => metadata.uid === uid) ? capsules : []),
        all: () => capsules,
      },
      members: capsuleMembers,
    },
    runtime: bed.runtime,
    serving: createServingCertificate({
      mode: { kind: 'self-signed' },
      identity: () => identity,
      clock: systemClock,
      random: seededRandom(1),
      randomBytes,
      log: silentLog,
    }),
    reviews: bed.reviews ?? allowAll,
    clientCa: { read: () => Promise.resolve(authority.cert) },
    insecureKubeletApi: false,
    registry: new Registry(),
    probeRegistry: new Registry(),
    health: () => [{ name: 'syncloop', isHealthy: true }],
    configz: () => ({ kind: 'KubeletConfiguration' }),
    machine: () => ({ cpuCores: 8, memoryBytes: 34_359_738_368n }),
    enableRun: true,
    clock: systemClock,
    log: silentLog,
    randomBytes,
    dial: dialAddress,
    limits: { ...defaultServerLimits, streamGraceMs: 1000 },
    ...bed.options,
  });
  await server.listen();
  const port = server.address?.port ?? 0;
  const client = createClient(port, admin);
  return { ...client, server, port, authority, admin, pods, capsules, close: () => server.close(0) };
}

function createClient(port: number, admin: Identity) {
  function send(path: string, method: string, headers: Record<string, string | string[]>, identity: Identity) {
    const { cert, key, token } = identity;
    return httpsRequest({
      host: '127.0.0.1',
      port,
      path,
      method,
      agent: false,
      rejectUnauthorized: false,
      headers: { ...headers, ...(token !== undefined && { Authorization: `Bearer ${token}` }) },
      ...(cert !== undefined && { cert }),
      ...(key !== undefined && { key }),
    });
  }
  type Answer = Awaited<ReturnType<KubeletBed['upgrade']>>;
  function exchange(sent: ReturnType<typeof send>): Promise<Answer> {
    return new Promise((resolve, reject) => {
      sent.on('error', reject);
      sent.on('upgrade', (response, socket, head) => {
        if (head.length > 0) socket.unshift(head);
        // https gives TLS sockets
        resolve({ status: 101, body: '', headers: response.headers, socket: socket as TLSSocket });
      });
      sent.on('response', (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const body = Buffer.concat(chunks).toString();
          resolve({ status: response.statusCode ?? 0, body, headers: response.headers });
        });
      });
      sent.end();
    });
  }
  const upgrade: KubeletBed['upgrade'] = (path, headers, method = 'POST', identity = admin) =>
    exchange(send(path, method, { Connection: 'Upgrade', ...headers }, identity));
  return {
    get: ((path, identity = admin, method = 'GET') => exchange(send(path, method, {}, identity))) as KubeletBed['get'],
    upgrade,
    async spdy(path: string, protocol: string | string[], keepData = true): Promise<SpdyClient> {
      const headers = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': protocol };
      const answer = await upgrade(path, headers);
      if (!answer.socket) throw new Error(`no upgrade: ${answer.status} ${answer.body}`);
      return createSpdyClient(answer.socket, keepData);
    },
  };
}
