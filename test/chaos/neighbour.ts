import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownerLabel } from '../../src/base/identity.ts';
import { createKubeEmulator } from '../../src/emulators/kube/emulator.ts';
import { temporaryFolder, until } from '../e2e/lib/processes.ts';
import type { ChaosCloud } from './cloud.ts';
import { chaosPod } from './pods.ts';
import { createSeat, type SeatOptions } from './seat.ts';

/** Another cluster in the same project, with a node of the same name and Pods that nobody touches. */
export interface Neighbour {
  /** What is no longer as it was when the neighbour moved in. */
  complaints(): Promise<string[]>;
  /** Ends its Pods and waits until their capsules are gone. */
  moveOut(): Promise<void>;
  stop(): Promise<void>;
}

const podCount = 6;
const podsPath = '/api/v1/namespaces/default/pods';

/** Starts the other cluster (an emulated API server) and its zunlet, and waits until its Pods run. */
export async function startNeighbour(cloud: ChaosCloud, seatOptions: SeatOptions): Promise<Neighbour> {
  const kube = await createKubeEmulator();
  const kubeconfig = join(temporaryFolder('neighbour'), 'kubeconfig');
  writeFileSync(kubeconfig, kube.kubeconfig());
  const seat = createSeat({
    ...seatOptions,
    flags: { ...seatOptions.flags, kubeconfig },
    env: { ...seatOptions.env, ZUNLET_KUBELET_API: 'false' },
  });
  seat.start();
  const nodeName = seatOptions.flags['node-name'];

  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${kube.url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
  const listPods = async () =>
    // The emulator's own answer.
    (
      (await call('GET', podsPath)) as {
        items: { metadata: { uid: string; name: string }; status?: { phase?: string } }[];
      }
    ).items;

  async function capsules(uids: Set<string>): Promise<string[]> {
    const { capsules: rows } = await cloud.control.zun.inventory();
    return rows
      .filter(({ labels }) => uids.has(labels[ownerLabel.uid] ?? ''))
      .map(({ uuid }) => uuid)
      .toSorted();
  }

  await until('the neighbour has a node', async () => {
    const { items } = (await call('GET', '/api/v1/nodes')) as { items: object[] };
    return items.length > 0;
  });
  for (let index = 0; index < podCount; index += 1) {
    await call('POST', podsPath, chaosPod(`quiet-${index}`, index % 2 === 0 ? 'capsule' : 'volume', nodeName));
  }
  await until('the neighbour runs', async () => {
    const pods = await listPods();
    return pods.length === podCount && pods.every(({ status }) => status?.phase === 'Running');
  });
  const uids = new Set((await listPods()).map(({ metadata }) => metadata.uid));
  const before = await capsules(uids);
  return {
    async complaints() {
      const pods = await listPods();
      const now = await capsules(uids);
      return [
        ...before.filter((uuid) => !now.includes(uuid)).map((uuid) => `capsule ${uuid} of another cluster is gone`),
        ...now.filter((uuid) => !before.includes(uuid)).map((uuid) => `capsule ${uuid} of another cluster is new`),
        ...pods
          .filter(({ metadata, status }) => !uids.has(metadata.uid) || status?.phase !== 'Running')
          .map(({ metadata, status }) => `pod ${metadata.name} of another cluster is ${status?.phase}`),
      ];
    },
    async moveOut() {
      for (const { metadata } of await listPods()) await call('DELETE', `${podsPath}/${metadata.name}`);
      await until('the neighbour moved out', async () => (await listPods()).length === 0, { limitMs: 120_000 });
    },
    async stop() {
      await seat.stop();
      await kube.close();
    },
  };
}
