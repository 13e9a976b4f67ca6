import { randomUUID } from 'node:crypto';
import { sleep, systemClock } from '../../base/clock.ts';
import type { Capsule } from '../../openstack/types.ts';
import { isInCreation } from '../../sync/plan.ts';
import type { CloudClients } from '../cloud.ts';
import type { Examination } from './finding.ts';

/**
 * Creates one tiny capsule, follows it until it runs, and deletes it whatever happens. Its creation may take `creationMs`, with
 * the wait before the removal.
 */
export async function probeCloud(
  exam: Examination,
  { capsules }: CloudClients,
  image: string,
  signal: AbortSignal,
  creationMs = 180_000,
): Promise<void> {
  // Its name finds it again when the answer to its creation was lost.
  const name = `zunlet-check-${randomUUID().slice(0, 8)}`;
  let uuid: string | undefined;
  const began = performance.now();
  const deadline = began + creationMs;
  try {
    await exam.check('zun.probe', `capsule with ${image}`, async () => {
      const made = await capsules.create(
        {
          capsuleVersion: 'beta',
          kind: 'capsule',
          metadata: { name, labels: { 'zunlet.io/check': name } },
          spec: {
            restartPolicy: 'Never',
            containers: [{ image, command: ['sleep', '600'], resources: { requests: { cpu: 0.1, memory: 64 } } }],
          },
        },
        `creating capsule ${name}`,
      );
      uuid = made.uuid;
      const seen = (await untilCreated(capsules, made, deadline, signal)) ?? {
        ...made,
        status: 'Error',
        status_reason: 'it vanished',
      };
      if (isInCreation(seen))
        return {
          value: seen,
          found: `still ${seen.status} after ${creationMs / 1000} s`,
          fail: 'look at zun-compute: it may be down or pulling',
        };
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
    if (made !== undefined) await removeProbe(exam, capsules, made, deadline);
  }
}

/** Reads a capsule until its creation is over or the deadline has come. Undefined: it vanished. */
async function untilCreated(
  capsules: CloudClients['capsules'],
  made: Capsule,
  deadline: number,
  signal?: AbortSignal,
): Promise<Capsule | undefined> {
  let seen: Capsule | undefined = made;
  while (seen && isInCreation(seen) && performance.now() < deadline) {
    await sleep(systemClock, periodMs, signal);
    seen = await capsules.get(made.uuid);
  }
  return seen;
}

/** Undefined where there is none, or where Zun cannot be asked. */
async function findProbe(capsules: CloudClients['capsules'], name: string): Promise<string | undefined> {
  try {
    return (await capsules.list()).find(({ labels }) => labels?.['zunlet.io/check'] === name)?.uuid;
  } catch {
    return undefined;
  }
}

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
async function removeProbe(
  exam: Examination,
  capsules: CloudClients['capsules'],
  uuid: string,
  deadline: number,
): Promise<void> {
  await exam.check('zun.probe-removed', `deletion of capsule ${uuid}`, async () => {
    const gone = { value: true, found: 'gone' };
    let seen = await capsules.get(uuid);
    seen &&= await untilCreated(capsules, seen, deadline);
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
