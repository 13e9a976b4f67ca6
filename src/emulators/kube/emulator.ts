import { randomBytes, randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Random, systemRandom } from '../../base/random.ts';
import { createMovableClock } from '../clock.ts';
import { createApply } from './apply.ts';
import { type Authority, createAuthority } from './authority.ts';
import { bootstrap, furnishNamespace } from './bootstrap.ts';
import { parseCall } from './calls.ts';
import { createControl, type KubeControl } from './control.ts';
import { allControllers, type ControllerName, startControlPlane } from './controllers/start.ts';
import { showAs } from './event-view.ts';
import { ApiFailure, internalError, pathNotFound } from './failures.ts';
import { createFaults } from './faults.ts';
import { administrator, createIdentities, type Identities } from './identities.ts';
import { type KubeconfigOptions, kubeconfigText } from './kubeconfig.ts';
import { createKubeletProxy, type KubeletProxy, refuseUpgrade } from './kubelet-proxy.ts';
import { listen } from './listener.ts';
import { createLists } from './lists.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createRepresentations } from './representations.ts';
import { createResourceApi } from './resource-api.ts';
import { createRequestListener, credentialsOf } from './server.ts';
import { createSpecialCalls } from './special-calls.ts';
import { createObjectStore, type ObjectStore } from './store.ts';
import { createWatches } from './watches.ts';

export interface KubeEmulatorOptions {
  /** Serve HTTPS and demand credentials; default HTTP, where a call without credentials is the administrator's. */
  tls?: boolean;
  clock?: Clock;
  random?: Random;
  /** Which controllers run; default all. */
  controllers?: ControllerName[];
  /** The version that `/version` tells; default `v1.35.0`. */
  gitVersion?: string;
  /** How many changes watches can resume from; default 20,000. */
  historyLimit?: number;
}

/** A Kubernetes API server in this process, on a real socket. */
export interface KubeEmulator {
  /** Where it listens: `http://127.0.0.1:<port>`, or `https://`. */
  url: string;
  /** PEM of the certificate authority of the server and of client certificates; made without TLS as well. */
  ca: string;
  /** A kubeconfig, as YAML, with which kubectl and any client reach it; as administrator unless told otherwise. */
  kubeconfig(options?: KubeconfigOptions): string;
  control: KubeControl;
  store: ObjectStore;
  /** Creates, changes and deletes objects without a call, with the rules of the API server. */
  registry: Registry;
  close(): Promise<void>;
}

/** Starts an emulated API server on a free port of 127.0.0.1. */
export async function createKubeEmulator(options: KubeEmulatorOptions = {}): Promise<KubeEmulator> {
  const clock = createMovableClock({ base: options.clock ?? systemClock });
  const random = options.random ?? systemRandom;
  const now = () => clock.now();
  const suffix = () => randomSuffix(random);
  const authority = createAuthority(systemClock.now());
  const store = createObjectStore(options.historyLimit ?? 20_000);
  const registry = createRegistry({ store, now, suffix, newUid: () => randomUUID() });
  const lists = createLists(store);
  const watches = createWatches(store, clock);
  const faults = createFaults(random);
  const newToken = () => randomBytes(24).toString('base64url');
  const identities = createIdentities({ now, newToken, allowsAnonymous: options.tls !== true });
  store.subscribe(({ storage, type, object }) => {
    if (storage === 'namespaces' && type === 'ADDED') furnishNamespace(registry, object.metadata.name, authority.ca);
  });
  const plane = startControlPlane({ store, clock, registry, suffix }, options.controllers ?? allControllers);
  bootstrap(registry, authority.ca);

  const proxy = createKubeletProxy(store, authority.kubeletClient);
  const { control, record, authorize, attach } = createControl({ clock, faults, lists, watches, store, identities });
  const special = createSpecialCalls({ registry, identities, now, authorize, proxy: proxy.serve });
  const applied = createApply();
  store.subscribe(({ type, object }) => {
    if (type === 'DELETED') applied.forget(object.metadata.uid);
  });
  const representations = createRepresentations(store, now, showAs);
  const listener = await listen({
    authority: options.tls === true ? authority : undefined,
    onRequest: createRequestListener({
      clock,
      identities,
      faults,
      gitVersion: options.gitVersion ?? 'v1.35.0',
      handle: createResourceApi({ registry, lists, watches, representations, special, applied }),
      record,
    }),
    onUpgrade: (incoming, socket, head) => passUpgrade({ proxy, identities, incoming, socket, head }),
  });
  attach(listener);

  return {
    url: listener.url,
    ca: authority.ca,
    kubeconfig: (wanted = {}) =>
      kubeconfigOf(wanted, { url: listener.url, isTls: options.tls === true, authority, identities }),
    control,
    store,
    registry,
    async close() {
      plane.stop();
      watches.end();
      proxy.close();
      clock.stop();
      await listener.down();
    },
  };
}

/** The characters of generated names: no vowels, nothing that looks like another. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

function randomSuffix(random: Random): string {
  return Array.from({ length: 5 }, () => suffixLetters[Math.floor(random() * suffixLetters.length)]).join('');
}

function kubeconfigOf(
  wanted: KubeconfigOptions,
  server: { url: string; isTls: boolean; authority: Authority; identities: Identities },
): string {
  const user = wanted.user ?? administrator;
  const { url, isTls, authority, identities } = server;
  return kubeconfigText({
    url,
    namespace: wanted.namespace ?? 'default',
    ...(isTls && { ca: authority.ca }),
    ...(wanted.as === 'certificate' ? { certificate: authority.clientFor(user) } : { token: identities.issue(user) }),
  });
}

interface Upgrade {
  proxy: KubeletProxy;
  identities: Identities;
  incoming: IncomingMessage;
  socket: Duplex;
  head: Buffer;
}

function passUpgrade({ proxy, identities, incoming, socket, head }: Upgrade): void {
  socket.on('error', () => socket.destroy());
  try {
    const url = new URL(incoming.url ?? '/', 'http://api');
    identities.authenticate(credentialsOf(incoming));
    const call = parseCall(incoming.method ?? 'GET', url.pathname, url.searchParams);
    if (call?.resource.plural !== 'pods' || !['exec', 'attach', 'portforward'].includes(call.subresource))
      throw pathNotFound();
    const { namespace, name, subresource } = call;
    proxy.upgrade({ namespace, name, subresource, query: url.searchParams }, incoming, socket, head);
  } catch (error) {
    refuseUpgrade(socket, error instanceof ApiFailure ? error : internalError(String(error)));
  }
}
