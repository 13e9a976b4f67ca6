import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { readKubeconfig } from '../e2e/lib/api.ts';
import { type ControlPlane, startControlPlane } from '../e2e/lib/control-plane.ts';
import { type ApiProxy, startApiProxy } from './api-proxy.ts';
import { type ChaosCloud, startCloud } from './cloud.ts';
import { type Judge, startJudge } from './judge.ts';
import { type Neighbour, startNeighbour } from './neighbour.ts';
import { calm, podNames, type Weather, type WorldAction } from './plan.ts';
import { diskOf, networkedGroup } from './pods.ts';
import { createSeat, type Seat } from './seat.ts';
import { createUsers, type Users } from './users.ts';

export const nodeName = 'zun-node';

/** Everything of one run. */
export interface World {
  plane: ControlPlane;
  cloud: ChaosCloud;
  proxy: ApiProxy;
  judge: Judge;
  users: Users;
  /** Two processes for one node: who holds the Lease works. */
  seats: [Seat, Seat];
  neighbour: Neighbour;
  setWeather(weather: Weather): Promise<void>;
  act(action: WorldAction): Promise<void>;
  /** How often each thing happened, the faults in the wires apart. */
  counts: Record<string, number>;
  stop(): Promise<void>;
}

export interface WorldOptions {
  seed: number;
  /** Whether the rule about time is in force. */
  timeRule: boolean;
  /** A folder for the logs of the zunlets. */
  logs: string;
}

/** Longer than a call of the plan's weather may take effect after it failed plus what a list may lag. */
const settle = '12s';

/** Starts everything; nothing fails yet. */
export async function startWorld(options: WorldOptions): Promise<World> {
  const random = seededRandom(options.seed ^ 0x5eed);
  const [plane, cloud] = await Promise.all([startControlPlane(), startCloud(['--remember', '30'])]);
  await cloud.control.neutron.createSecurityGroup(networkedGroup);
  for (const name of podNames) await cloud.control.cinder.createVolume({ id: diskOf(name), sizeGiB: 1, name });
  const user = plane.user('zunlet-chaos', ['zunlet-nodes']);
  await allowEverything(plane);
  const proxy = await startApiProxy({ upstream: readKubeconfig(user), serving: servingOf(plane), random });
  const kubeconfig = join(plane.dir, 'proxied.kubeconfig');
  writeFileSync(kubeconfig, readFileSync(user, 'utf8').replaceAll(plane.server, proxy.url));
  const serving = plane.servingCert(nodeName);
  const flags = {
    'node-name': nodeName,
    'node-addresses': plane.hostIP,
    'kubelet-port': '0',
    'health-address': '',
    ...{ settle, relist: '8s', live: '1s', redelete: '15s', 'orphan-fuse-share': '1' },
  };
  const own = {
    ...{ kubeconfig, 'serving-certificate': 'files', 'tls-cert-file': serving.cert, 'tls-key-file': serving.key },
  };
  const seatOf = (name: string, more: Record<string, string>) => ({
    name,
    flags: { ...flags, ...more },
    env: { ...cloud.env, POD_NAME: name, ...(!options.timeRule && { ZUNLET_TEST_TIME_RULE: 'off' }) },
    logFile: join(options.logs, `${name}.log`),
  });
  const neighbour = await startNeighbour(cloud, seatOf('neighbour', {}));
  const judge = await startJudge(plane.api);
  const counts: Record<string, number> = {};
  const underWay = new Set<WorldAction['do']>();
  const parts = { plane, cloud, proxy };
  return {
    ...{ ...parts, judge, neighbour, counts },
    users: createUsers(plane.api, judge, nodeName),
    seats: [createSeat(seatOf('first', own)), createSeat(seatOf('second', own))],
    setWeather: (weather) => setWeather(parts, weather),
    async act(action) {
      // A thing that is down cannot go down again.
      if (underWay.has(action.do)) return;
      underWay.add(action.do);
      counts[action.do] = (counts[action.do] ?? 0) + 1;
      await act(parts, action)
        .catch((error: unknown) => process.stderr.write(`${action.do} in vain: ${String(error)}\n`))
        .finally(() => underWay.delete(action.do));
    },
    async stop() {
      await judge.stop();
      await neighbour.stop();
      await proxy.close();
      await Promise.all([cloud.stop(), plane.stop()]);
    },
  };
}

/** Ends every trouble that an action may have left. */
export async function becomeCalm({ setWeather: set, cloud }: World): Promise<void> {
  await set(calm);
  await cloud.control.zun.comeUp();
  await cloud.control.keystone.comeUp();
  await cloud.control.zun.setComputeUp(true);
}

type Parts = Pick<World, 'plane' | 'cloud' | 'proxy'>;

async function setWeather({ cloud, proxy }: Parts, weather: Weather): Promise<void> {
  proxy.setRules(weather.api);
  for (const service of ['zun', 'keystone', 'neutron', 'cinder'] as const) {
    const { faults } = cloud.control[service];
    await faults.clear();
    for (const { operation, ...rule } of weather[service]) {
      await faults.add({ ...rule, ...(operation !== '*' && { operation }) });
    }
  }
}

async function act({ plane, cloud, proxy }: Parts, action: WorldAction): Promise<void> {
  const { zun, keystone } = cloud.control;
  switch (action.do) {
    case 'restart-api-server':
      return plane.restartApiServer();
    case 'compact-etcd':
      return plane.compactEtcd();
    case 'delete-node':
      return plane.api.delete(`/api/v1/nodes/${nodeName}`).catch(() => undefined);
    case 'refuse-api':
      return proxy.refuse(action.forMs);
    case 'zun-down':
      await zun.goDown();
      await delay(action.forMs);
      return zun.comeUp();
    case 'keystone-down':
      await keystone.goDown();
      await delay(action.forMs);
      return keystone.comeUp();
    case 'compute-down':
      await zun.setComputeUp(false);
      await delay(action.forMs);
      return zun.setComputeUp(true);
    case 'revoke-tokens':
      await keystone.revokeTokens();
      return;
    case 'cloud-clock':
      return zun.advance(action.ms);
    default:
      action satisfies never;
  }
}

/** The API server's own certificate, which every client of the cluster trusts. */
function servingOf(plane: ControlPlane): { cert: string; key: string } {
  const file = (ending: string) => readFileSync(join(plane.dir, 'pki', `apiserver.${ending}`), 'utf8');
  return { cert: file('crt'), key: file('key') };
}

async function allowEverything(plane: ControlPlane): Promise<void> {
  await plane.api.post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'zunlet-nodes' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: 'zunlet-nodes' }],
  });
}
