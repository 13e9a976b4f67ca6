import { randomBytes, randomUUID } from 'node:crypto';
import { createServer as createHttpServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '../../base/clock.ts';
import { type Random, systemRandom } from '../../base/random.ts';
import { bootstrap, furnishNamespace } from './bootstrap.ts';
import { createControl, type KubeControl } from './control.ts';
import { allControllers, type ControllerName, startControlPlane } from './controllers/start.ts';
import { showAs } from './event-view.ts';
import { createFaults } from './faults.ts';
import { administrator, createIdentities } from './identities.ts';
import { createLists } from './lists.ts';
import { createMovableClock } from './movable-clock.ts';
import { createRegistry, type Registry } from './registry.ts';
import { createRepresentations } from './representations.ts';
import { createResourceApi } from './resource-api.ts';
import { createRequestListener } from './server.ts';
import { createSpecialCalls } from './special-calls.ts';
import { createObjectStore, type ObjectStore } from './store.ts';
import { createWatches } from './watches.ts';

export interface KubeEmulatorOptions {
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
  /** Where it listens: `http://127.0.0.1:<port>`. */
  url: string;
  /** A kubeconfig, as YAML, with which kubectl and any client reach it as administrator. */
  kubeconfig(): string;
  control: KubeControl;
  store: ObjectStore;
  /** Creates, changes and deletes objects without a call, with the rules of the API server. */
  registry: Registry;
  close(): Promise<void>;
}

/** Starts an emulated API server on a free port of 127.0.0.1. */
export async function createKubeEmulator(options: KubeEmulatorOptions = {}): Promise<KubeEmulator> {
  const clock = createMovableClock(options.clock ?? systemClock);
  const random = options.random ?? systemRandom;
  const now = () => clock.now();
  const store = createObjectStore(options.historyLimit ?? 20_000);
  const suffix = () =>
    Array.from({ length: 5 }, () => suffixLetters[Math.floor(random() * suffixLetters.length)]).join('');
  const registry = createRegistry({ store, now, suffix, newUid: () => randomUUID() });
  const lists = createLists(store);
  const watches = createWatches(store, clock);
  const faults = createFaults(random);
  const newToken = () => randomBytes(24).toString('base64url');
  const identities = createIdentities({ now, newToken, allowsAnonymous: true });
  const adminToken = identities.issue(administrator);
  store.subscribe(({ storage, type, object }) => {
    if (storage === 'namespaces' && type === 'ADDED') furnishNamespace(registry, object.metadata.name, '');
  });
  const plane = startControlPlane({ store, clock, registry, suffix }, options.controllers ?? allControllers);
  bootstrap(registry);

  const { control, record, authorize } = createControl({ clock, faults, lists, watches, store, identities });
  const special = createSpecialCalls({ registry, identities, now, authorize, proxy: () => undefined });
  const representations = createRepresentations(store, now, showAs);
  const handle = createResourceApi({ registry, lists, watches, representations, special });
  const listener = createRequestListener({
    clock,
    identities,
    faults,
    gitVersion: options.gitVersion ?? 'v1.35.0',
    handle,
    record,
  });
  const server = createHttpServer({ keepAliveTimeout: 120_000, requestTimeout: 0 }, listener);
  await listen(server);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  return {
    url,
    kubeconfig: () => kubeconfigText(url, adminToken),
    control,
    store,
    registry,
    async close() {
      plane.stop();
      watches.end();
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

/** The characters of generated names: no vowels, nothing that looks like another. */
const suffixLetters = 'bcdfghjklmnpqrstvwxz2456789';

function listen(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => resolve());
  });
}

function kubeconfigText(url: string, token: string): string {
  return `apiVersion: v1
kind: Config
current-context: zunlet-emulator
clusters:
- name: zunlet-emulator
  cluster:
    server: ${url}
users:
- name: admin
  user:
    token: ${token}
contexts:
- name: zunlet-emulator
  context:
    cluster: zunlet-emulator
    user: admin
    namespace: default
`;
}
