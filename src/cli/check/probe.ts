import { randomUUID } from 'node:crypto';
import { sleep, systemClock } from '../../base/clock.ts';
import { isInCreation } from '../../sync/plan.ts';
import type { CloudClients } from '../cloud.ts';
import type { Examination } from './finding.ts';

/** Creates one tiny capsule, follows it until it runs, and deletes it whatever happens. */
export async function probeCloud(
  exam: Examination,
  clients: CloudClients,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  const { api, capsules } = clients;
  // Its name finds it again when the answer to its creation was lost.
  const name = `zunlet-check-${randomUUID().slice(0, 8)}`;
  let uuid: string | undefined;
  try {
    await exam.check('zun.probe', `capsule with ${image}`, async () => {
      const began = performance.now();
      const made = await api.create({
        backend: 'capsule',
        template: {
          capsuleVersion: 'beta',
          kind: 'capsule',
          metadata: { name, labels: { 'zunlet.io/check': name } },
          spec: {
            restartPolicy: 'Never',
            containers: [{ image, command: ['sleep', '600'], resources: { requests: { cpu: 0.1, memory: 64 } } }],
          },
        },
      });
      uuid = made.uuid;
      let seen = made;
      while (isInCreation(seen)) {
        if (performance.now() - began > probeMs)
          return {
            value: seen,
            found: `still ${seen.status} after ${probeMs / 1000} s`,
            fail: 'look at zun-compute: it may be down or pulling',
          };
        await sleep(systemClock, periodMs, signal);
        seen = (await capsules.get(made.uuid)) ?? { ...seen, status: 'Error', status_reason: 'it vanished' };
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const reason = firstLine(seen.status_reason);
      if (seen.status !== 'Running') return { value: seen, found: `${seen.status}: ${reason}`, fail: cureOf(reason) };
      const docker = seen.containers.some(({ hostname }) => hostname);
      return {
        value: seen,
        found: `Running after ${seconds} s, driver ${docker ? 'docker' : 'cri'}, address ${Object.values(seen.addresses).flat()[0]?.addr ?? 'none'}`,
      };
    });
  } finally {
    const made = uuid ?? (await findProbe(capsules, name));
    if (made !== undefined) await removeProbe(exam, clients, made);
  }
}

/** Undefined where there is none, or where Zun cannot be asked. */
async function findProbe(capsules: CloudClients['capsules'], name: string): Promise<string | undefined> {
  try {
    return (await capsules.list()).find(({ labels }) => labels?.['zunlet.io/check'] === name)?.uuid;
  } catch {
    return undefined;
  }
}

/** How long a creation may take. */
const probeMs = 180_000;
const removalMs = 60_000;
const periodMs = 1000;

function cureOf(reason: string): string {
  if (/not enough hosts|no valid host/i.test(reason))
    return 'no compute host has room or is up: openstack appcontainer service list';
  if (/image/i.test(reason)) return 'the computes cannot pull the image: name another by --probe-image';
  return "look for it in zun-compute's log";
}

/**
 * Deletes the capsule once its creation is over: before, Zun would leave running what it starts after the DELETE, or fail with
 * `Resource ID was not provided` (docs/zun.md §4.5). What turned `Error` is deleted once more.
 */
async function removeProbe(exam: Examination, { capsules }: CloudClients, uuid: string): Promise<void> {
  await exam.check('zun.probe-removed', `deletion of capsule ${uuid}`, async () => {
    const gone = { value: true, found: 'gone' };
    let seen = await capsules.get(uuid);
    for (const began = performance.now(); seen && isInCreation(seen) && performance.now() - began < probeMs; ) {
      await sleep(systemClock, periodMs);
      seen = await capsules.get(uuid);
    }
    if (!seen) return gone;
    let failed = seen.status === 'Error';
    await capsules.delete(uuid);
    for (const began = performance.now(); performance.now() - began < removalMs; ) {
      seen = await capsules.get(uuid);
      if (!seen) return gone;
      if (seen.status === 'Error' && !failed) {
        failed = true;
        await capsules.delete(uuid);
      }
      await sleep(systemClock, periodMs);
    }
    const reason = seen.status_reason ? `: ${firstLine(seen.status_reason)}` : '';
    return {
      value: false,
      found: `still ${seen.status} after ${removalMs / 1000} s${reason}`,
      fail: `delete it by hand: zunlet capsule delete ${uuid}`,
    };
  });
}

function firstLine(text: string | null | undefined): string {
  return (text ?? '').split('\n')[0] ?? '';
}
