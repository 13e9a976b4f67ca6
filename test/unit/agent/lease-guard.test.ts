import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guardedPods, guardedZun, whileHeld } from '../../../src/agent/lease-guard.ts';
import type { CapsuleApi, CreateRequest } from '../../../src/openstack/types.ts';
import type { PodApi } from '../../../src/sync/ports.ts';
import { capsule, pod } from '../../lib/builders.ts';

/** Clients that only write down what is called. */
function setup(mayWork: boolean) {
  const calls: string[] = [];
  const note = <T>(name: string, answer: T) => {
    calls.push(name);
    return Promise.resolve(answer);
  };
  const zun: CapsuleApi = {
    create: () => note('create', capsule()),
    get: () => note('get', undefined),
    list: () => note('list', []),
    delete: () => note('delete', undefined),
  };
  const pods: PodApi = {
    read: () => note('read', undefined),
    patchStatus: (given) => note('patchStatus', given),
    remove: () => note('remove', undefined),
  };
  const restart = () =>
    whileHeld(
      () => mayWork,
      'restarting a container',
      () => note('restart', undefined),
    );
  return { calls, zun: guardedZun(zun, () => mayWork), pods: guardedPods(pods, () => mayWork), restart };
}

// The guard never looks into it.
const request = {} as CreateRequest;

function writes({ zun, pods, restart }: ReturnType<typeof setup>): (() => Promise<unknown>)[] {
  return [
    () => zun.create(request),
    () => zun.delete('capsule', 'a', 1),
    () => pods.patchStatus(pod(), {}),
    () => pods.remove(pod()),
    restart,
  ];
}

test('lease guard: lease not held: nothing is written, and the error says that nothing happened', async () => {
  const guarded = setup(false);
  for (const write of writes(guarded)) {
    await assert.rejects(write(), { code: 'agent.lease-lost', kind: 'retryable', effect: 'none' });
  }
  assert.deepEqual(guarded.calls, []);
});

test('lease guard: lease not held: reading goes on', async () => {
  const { calls, zun, pods } = setup(false);
  await zun.get('capsule', 'a');
  await zun.list();
  await pods.read('web', 'a', 'u');
  assert.deepEqual(calls, ['get', 'list', 'read']);
});

test('lease guard: lease held: everything is passed on', async () => {
  const guarded = setup(true);
  for (const write of writes(guarded)) await write();
  assert.deepEqual(guarded.calls, ['create', 'delete', 'patchStatus', 'remove', 'restart']);
});
