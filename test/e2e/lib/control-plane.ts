import { mkdirSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join, resolve } from 'node:path';
import { type Api, createApi, readKubeconfig } from './api.ts';
import { type AuditLog, openAuditLog } from './audit.ts';
import { controlPlaneBinary } from './control-plane-binary.ts';
import {
  apiServerArgs,
  auditFile,
  controllerArgs,
  etcdArgs,
  kubeconfigFile,
  type Layout,
  makeIdentities,
  schedulerArgs,
  serverUrl,
} from './control-plane-parts.ts';
import { type CertificateFiles, createPki, writeKubeconfig } from './pki.ts';
import { freePorts, type Service, startService, temporaryFolder, until, untilReady } from './processes.ts';

/** How to start a control plane. */
export interface ControlPlaneOptions {
  /** Keep a log of every call. Default false. */
  audit?: boolean;
  /** How long certificates that it signs are good for, as `30s`. Default a year. */
  signingDuration?: string;
  /** Default true. */
  scheduler?: boolean;
  /** Default true. */
  controllers?: boolean;
  /** Where everything lies. Default a temporary folder, removed when this process ends. */
  dir?: string;
}

/** A running etcd, kube-apiserver, kube-controller-manager and kube-scheduler on loopback. */
export interface ControlPlane {
  readonly dir: string;
  /** `https://127.0.0.1:port`. */
  readonly server: string;
  /** The kubeconfig of a user who may do everything. */
  readonly kubeconfig: string;
  /** The same user as a client in this process. */
  readonly api: Api;
  /** An address of this machine under which the API server can reach a node; it refuses loopback. */
  readonly hostIP: string;
  /** The authority that signs clients, and the one that signs kubelet servers; PEM files. */
  readonly clientAuthority: string;
  readonly kubeletAuthority: string;
  /** Every call answered so far; empty unless started with `audit`. */
  readonly audit: AuditLog;
  /** Makes a user known by a client certificate; answers its kubeconfig. */
  user(name: string, groups?: string[]): string;
  /** Makes a kubelet serving certificate for a node. */
  servingCert(node: string): CertificateFiles;
  /** Kills the API server as a crash would and starts it again on the same port. */
  restartApiServer(): Promise<void>;
  /** Kills the API server and leaves it away until the returned function is called. */
  stopApiServer(): Promise<() => Promise<void>>;
  /** Forgets every revision before the newest, so that old watches and pages answer 410. */
  compactEtcd(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a control plane, building it first where the cache has none. Ready when Pods can be created in `default`. */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const binary = await controlPlaneBinary();
  const dir = options.dir ? resolve(options.dir) : temporaryFolder('control-plane');
  const layout = await layOut(dir, options);
  const services: Service[] = [];
  const run = (args: string[]) => {
    const [name = ''] = args;
    const service = startService({ name, command: binary, args, cwd: dir, logFile: join(dir, `${name}.log`) });
    services.push(service);
    return service;
  };
  // The scheduler ends itself when it doubts its cache; on a real control plane the kubelet starts it again.
  const kept = new Map<string, { service: Service; args: string[] }>();
  const keep = (args: string[]) => kept.set(args[0] ?? '', { service: run(args), args });
  const watchdog = setInterval(() => {
    for (const { service, args } of kept.values()) if (service.hasEnded()) keep(args);
  }, 1000).unref();
  const stop = async () => {
    clearInterval(watchdog);
    // A graceful stop of anything but etcd takes seconds and gains a test nothing.
    await Promise.all(services.map((service) => service.stop(service.name === 'etcd' ? 'SIGTERM' : 'SIGKILL')));
    await api.close();
  };
  const kubeconfig = kubeconfigFile(dir, 'admin');
  const api = createApi(readKubeconfig(kubeconfig));

  let apiServer: Service;
  const startApiServer = async () => {
    apiServer = run(apiServerArgs(layout));
    await untilReady(apiServer, () => api.isOk('/readyz'));
  };
  try {
    await untilReady(run(etcdArgs(layout)), () => isHealthy(layout.ports.etcd));
    await startApiServer();
    if (options.controllers ?? true) keep(controllerArgs(layout));
    if (options.scheduler ?? true) keep(schedulerArgs(layout));
    await untilUsable(api, options.controllers ?? true);
  } catch (error) {
    await stop();
    throw error;
  }
  const stopApiServer = async () => {
    await apiServer.stop('SIGKILL');
    return startApiServer;
  };
  return {
    ...identity(layout, kubeconfig),
    api,
    audit: openAuditLog(auditFile(dir)),
    stopApiServer,
    restartApiServer: async () => (await stopApiServer())(),
    compactEtcd: () => compact(layout.ports.etcd),
    stop,
  };
}

async function layOut(dir: string, { audit = false, signingDuration }: ControlPlaneOptions): Promise<Layout> {
  mkdirSync(dir, { recursive: true });
  const [etcd = 0, etcdPeer = 0, apiServer = 0, controllers = 0, scheduler = 0] = await freePorts(5);
  const layout: Layout = {
    dir,
    pki: createPki(join(dir, 'pki')),
    ports: { etcd, etcdPeer, apiServer, controllers, scheduler },
    hostIP: ownAddress(),
    audit,
    ...(signingDuration !== undefined && { signingDuration }),
  };
  makeIdentities(layout);
  return layout;
}

function identity(layout: Layout, kubeconfig: string) {
  const { dir, pki, hostIP, ports } = layout;
  return {
    dir,
    server: serverUrl(ports),
    kubeconfig,
    hostIP,
    clientAuthority: pki.files('ca').cert,
    kubeletAuthority: pki.files('kubelet-ca').cert,
    user(name: string, groups: string[] = []) {
      const file = kubeconfigFile(dir, name);
      const files = pki.certificate({
        name: `user-${name.replaceAll(/[^\w.-]/g, '_')}`,
        commonName: name,
        organizations: groups,
        signer: 'ca',
      });
      return writeKubeconfig(file, serverUrl(ports), pki.files('ca').cert, files);
    },
    servingCert: (node: string) =>
      pki.certificate({
        name: `serving-${node}`,
        commonName: `system:node:${node}`,
        organizations: ['system:nodes'],
        signer: 'kubelet-ca',
        serverNames: [`DNS:${node}`, 'DNS:localhost', 'IP:127.0.0.1', `IP:${hostIP}`],
      }),
  };
}

/** Pods are refused in a namespace until its default service account is there, which a controller makes. */
async function untilUsable(api: Api, hasControllers: boolean): Promise<void> {
  const path = `/api/v1/namespaces/default${hasControllers ? '/serviceaccounts/default' : ''}`;
  await until(`${path} exists`, () => api.isOk(path));
  if (hasControllers) return;
  // Without controllers nobody else will make it.
  const account = { metadata: { name: 'default' } };
  await api.post('/api/v1/namespaces/default/serviceaccounts', account);
}

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  return addresses.find((address) => address.family === 'IPv4' && !address.internal)?.address ?? '127.0.0.1';
}

async function isHealthy(etcdPort: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${etcdPort}/health`)).ok;
  } catch {
    return false;
  }
}

/** Source: etcd's JSON gateway, rpc.proto `Range` and `Compact`. */
async function compact(etcdPort: number): Promise<void> {
  const call = async (path: string, body: object) => {
    const url = `http://127.0.0.1:${etcdPort}/v3/kv/${path}`;
    const answer = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`compacting etcd: ${path} answered ${answer.status}: ${await answer.text()}`);
    return (await answer.json()) as { header: { revision: string } };
  };
  const { header } = await call('range', { key: Buffer.from('/').toString('base64') });
  await call('compaction', { revision: header.revision, physical: true });
}
