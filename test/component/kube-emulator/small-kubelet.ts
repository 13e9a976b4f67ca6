import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import { issueCertificate } from '../../../src/emulators/kube/certificates.ts';
import type { KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import type { KubeObject } from '../../../src/emulators/kube/objects.ts';
import { decodeObject } from '../../../src/emulators/kube/registry.ts';
import { resourceNamed } from '../../../src/emulators/kube/resources.ts';
import type { Pod } from '../../../src/kube/types.ts';

const nodes = resourceNamed('nodes');
const pods = resourceNamed('pods');
const user = { name: 'system:node:small', groups: ['system:nodes'] };
const name = 'small';

/** What the smallest kubelet does: a node, Pods that run at once and go when they should, and an HTTPS port. */
export interface SmallKubelet {
  name: string;
  /** Paths that the API server asked for. */
  asked: string[];
  /** Subjects of the client certificates that it showed. */
  clients: Set<string>;
  close(): Promise<void>;
}

/** Registers a node in the emulator and keeps its Pods. */
export async function startSmallKubelet(emulator: KubeEmulator): Promise<SmallKubelet> {
  const asked: string[] = [];
  const clients = new Set<string>();
  const server = await serve(asked, clients);
  register(emulator, (server.address() as AddressInfo).port);
  const stop = emulator.store.subscribe(({ storage, type, object }) => {
    if (storage !== 'pods' || type === 'DELETED') return;
    // The registry has checked it.
    const pod = object as unknown as Pod;
    if (pod.spec.nodeName === name) setImmediate(() => sync(emulator, object, pod));
  });
  return {
    name,
    asked,
    clients,
    async close() {
      stop();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function register(emulator: KubeEmulator, port: number): void {
  const time = new Date().toISOString();
  const body = {
    metadata: { name, labels: { type: 'virtual-kubelet', 'kubernetes.io/os': 'linux' } },
    spec: { taints: [{ key: 'virtual-kubelet.io/provider', value: 'zun', effect: 'NoSchedule' }] },
    status: {
      capacity: { cpu: '16', memory: '64Gi', pods: '110' },
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
      conditions: [
        { type: 'Ready', status: 'True', reason: 'KubeletReady', lastHeartbeatTime: time, lastTransitionTime: time },
      ],
      nodeInfo: {
        kubeletVersion: 'v1.35.0-zun',
        containerRuntimeVersion: 'zun://1',
        osImage: 'Zun',
        architecture: 'amd64',
        operatingSystem: 'linux',
      },
    },
  };
  emulator.registry.create({ resource: nodes, namespace: '', user }, decodeObject(body, nodes));
}

function sync(emulator: KubeEmulator, object: KubeObject, pod: Pod): void {
  const { namespace } = pod.metadata;
  const target = { resource: pods, namespace, name: pod.metadata.name, user };
  const current = emulator.store.get('pods', namespace, pod.metadata.name);
  if (current?.metadata.uid !== object.metadata.uid) return;
  if (current.metadata['deletionTimestamp'] !== undefined) {
    emulator.registry.remove(target, { gracePeriodSeconds: 0 });
    return;
  }
  if (pod.status?.phase !== 'Pending') return;
  const time = new Date().toISOString();
  const status = {
    ...pod.status,
    phase: 'Running',
    podIP: '10.1.2.3',
    podIPs: [{ ip: '10.1.2.3' }],
    hostIP: '127.0.0.1',
    hostIPs: [{ ip: '127.0.0.1' }],
    startTime: time,
    conditions: [
      ...(pod.status.conditions ?? []),
      ...['Initialized', 'ContainersReady', 'Ready'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: time,
      })),
    ],
    containerStatuses: pod.spec.containers.map((one) => ({
      name: one.name,
      image: one.image ?? '',
      imageID: '',
      containerID: 'zun://1',
      ready: true,
      started: true,
      restartCount: 0,
      state: { running: { startedAt: time } },
      lastState: {},
    })),
  };
  emulator.registry.update({ ...target, subresource: 'status', make: (copy) => ({ ...copy, status }) });
}

async function serve(asked: string[], clients: Set<string>): Promise<Server> {
  const certificate = issueCertificate({
    commonName: name,
    use: { kind: 'server', dnsNames: [], ips: ['127.0.0.1'] },
    now: Date.now(),
  });
  const server = createServer({ ...certificate, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    const path = request.url ?? '';
    asked.push(`${request.method} ${path}`);
    clients.add(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN ?? ''));
    if (path.startsWith('/containerLogs/') && path.includes('previous=true')) {
      response.writeHead(400).end('previous terminated container "a" in pod "p" not found');
    } else if (path.startsWith('/containerLogs/')) response.end('line one\nline two\n');
    else if (path === '/healthz') response.end('ok');
    else response.writeHead(404).end('not here');
  });
  server.on('upgrade', (request, socket: Duplex) => {
    asked.push(`${request.method} ${request.url} ${request.headers.upgrade}`);
    if (request.url?.includes('command=refuse')) {
      socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 19\r\nConnection: close\r\n\r\ncontainer not found');
      return;
    }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n');
    socket.pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  return server;
}
