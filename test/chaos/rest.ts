import { ownerLabel } from '../../src/base/identity.ts';
import type { Pod } from '../../src/kube/types.ts';
import { until } from '../e2e/lib/processes.ts';
import { describe, isTerminal } from './judge.ts';
import { podNames } from './plan.ts';
import { diskOf, isAtRest, kindOf } from './pods.ts';
import type { World } from './world.ts';

/** After the last fault: the longest back-off, an answer that never comes and a deletion, twice over. */
const restLimitMs = 600_000;
const emptyLimitMs = 240_000;
const podsPath = '/api/v1/namespaces/default/pods';

/** Waits until every Pod is where it should be; what is not in time is lost or leaked. */
export async function comeToRest(world: World, say: (line: string) => void): Promise<void> {
  const { verdict } = world.judge;
  let wrong: { lost: string[]; leaks: string[] } = { lost: [], leaks: [] };
  let polls = 0;
  const isCalm = async () => {
    await world.users.makeSecrets();
    wrong = await whatIsWrong(world);
    if (polls++ % 30 === 29) say(['still waiting for:', ...wrong.lost, ...wrong.leaks].join('\n  '));
    return wrong.lost.length + wrong.leaks.length === 0;
  };
  await until('everything is at rest', async () => isCalm().catch(() => false), {
    limitMs: restLimitMs,
    everyMs: 1000,
  }).catch(() => {
    verdict.lostPods.push(...wrong.lost);
    verdict.leaks.push(...wrong.leaks);
  });
  verdict.leaks.push(...(await world.neighbour.complaints()));
}

/** Deletes everything and waits until nothing is left; what is left is leaked. */
export async function becomeEmpty(world: World, say: (line: string) => void): Promise<void> {
  const { cloud, judge, neighbour, plane, users } = world;
  await neighbour.moveOut();
  await users.deleteAll();
  let left: string[] = [];
  let polls = 0;
  const isEmpty = async () => {
    left = [...(await podsLeft(plane.api)), ...(await leftInCloud(cloud))];
    if (polls++ % 30 === 29) say(['still left:', ...left].join('\n  '));
    return left.length === 0;
  };
  await until('nothing is left', isEmpty, { limitMs: emptyLimitMs, everyMs: 1000 }).catch(() => undefined);
  judge.verdict.leaks.push(...left);
}

async function whatIsWrong({ cloud, plane }: World): Promise<{ lost: string[]; leaks: string[] }> {
  const { items: pods } = await plane.api.get<{ items: Pod[] }>(podsPath);
  const { capsules, containers } = await cloud.control.zun.inventory();
  const ours = new Map<string, string[]>();
  const namespace = await plane.api.get<{ metadata: { uid: string } }>('/api/v1/namespaces/kube-system');
  for (const { uuid, labels } of [...capsules, ...containers]) {
    if (labels[ownerLabel.cluster] !== namespace.metadata.uid) continue;
    const uid = labels[ownerLabel.uid] ?? '';
    ours.set(uid, [...(ours.get(uid) ?? []), uuid]);
  }
  // One that ended as it should not is in the verdict already.
  const lost = pods
    .filter((pod) => pod.metadata.deletionTimestamp || !(isTerminal(pod) || isAtRest(pod)))
    .map(
      (pod) =>
        `${describe(pod)}: still not at rest: ${pod.status?.reason ?? ''} ${JSON.stringify(pod.status?.containerStatuses?.map(({ state }) => state) ?? [])}`,
    );
  const without = pods
    .filter((pod) => pod.status?.phase === 'Running' && !ours.has(pod.metadata.uid))
    .map((pod) => `${describe(pod)}: without a capsule`);
  const uids = new Set(pods.map(({ metadata }) => metadata.uid));
  const leaks = [...ours]
    .filter(([uid]) => !uids.has(uid))
    .map(([uid, uuids]) => `capsule ${uuids} of pod ${uid}, which is gone`);
  const addresses = await wrongAddresses(cloud, pods);
  return {
    lost: [...lost, ...without.filter((line) => !line.includes('(sick')), ...addresses.missing],
    leaks: [...leaks, ...addresses.second],
  };
}

async function podsLeft(api: World['plane']['api']): Promise<string[]> {
  const { items } = await api.get<{ items: Pod[] }>(podsPath);
  return items.map((pod) => `${describe(pod)}: still there after its deletion`);
}

/** Pods that asked for a floating IP and have none that leads to them, or more than one. */
async function wrongAddresses({ control }: World['cloud'], pods: readonly Pod[]) {
  const all = await control.neutron.floatingIps();
  const wrong = { missing: [] as string[], second: [] as string[] };
  for (const pod of pods) {
    if (kindOf(pod) !== 'networked' || pod.status?.phase !== 'Running') continue;
    const own = all.filter(({ description }) => description.includes(pod.metadata.uid));
    if (own.length > 1) wrong.second.push(`${describe(pod)}: ${own.length} floating IPs`);
    if (!own.some(({ portId }) => portId !== null)) wrong.missing.push(`${describe(pod)}: without its floating IP`);
  }
  return wrong;
}

async function leftInCloud({ control }: World['cloud']): Promise<string[]> {
  const { capsules, containers, leftovers } = await control.zun.inventory();
  const ports = await control.neutron.ports();
  const volumes = await control.cinder.volumes();
  const disks = new Set(podNames.map(diskOf));
  return [
    ...capsules.map(({ uuid, status, name }) => `capsule ${uuid} (${name}, ${status})`),
    ...containers.map(({ uuid, status }) => `container ${uuid} (${status})`),
    ...ports.map(({ id, deviceId }) => `port ${id} of ${deviceId}`),
    ...(await control.neutron.floatingIps()).map(({ id, description }) => `floating IP ${id} of ${description}`),
    ...volumes
      .filter(({ id, attachedTo }) => attachedTo.length > 0 || !disks.has(id))
      .map(({ id, attachedTo }) => `volume ${id}, attached to ${attachedTo.join(', ') || 'nothing'}`),
    ...leftovers
      .filter(({ kind }) => kind === 'port')
      .map(({ id, capsule }) => `port ${id} of capsule ${capsule}, left by zun`),
  ];
}
