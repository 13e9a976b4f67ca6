import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import type { KubeClient } from '../../../src/kube/client-types.ts';
import { createPodApi } from '../../../src/kube/pods.ts';
import type { Pod } from '../../../src/kube/types.ts';
import { pod } from '../../lib/builders.ts';

const path = '/api/v1/namespaces/default/pods/web';
const failure = (kind: AppError['kind'], code: string) => new AppError({ kind, code, message: code });

function setup(parts: { live?: Pod; deleteFails?: AppError } = {}) {
  const calls: unknown[] = [];
  const client: Pick<KubeClient, 'get' | 'patch' | 'delete'> = {
    async get<T>(at: string) {
      calls.push(['get', at]);
      if (!parts.live) throw failure('not-found', 'kube.not-found');
      return structuredClone(parts.live) as T;
    },
    async patch<T>(at: string, body: object, call: object = {}) {
      calls.push(['patch', at, body, 'type' in call ? call.type : 'strategic']);
      return structuredClone(parts.live) as T;
    },
    async delete(at, call) {
      calls.push(['delete', at, call?.uid, call?.gracePeriodSeconds]);
      if (parts.deleteFails) throw parts.deleteFails;
    },
  };
  // Only these three calls are made.
  return { api: createPodApi(client as KubeClient), calls };
}

test('pod api: status: a strategic merge patch with the uid', async () => {
  const { api, calls } = setup({ live: pod({ uid: 'u1' }) });
  await api.patchStatus(pod({ uid: 'u1' }), { phase: 'Running' });
  assert.deepEqual(calls, [
    ['patch', `${path}/status`, { metadata: { uid: 'u1' }, status: { phase: 'Running' } }, 'strategic'],
  ]);
});

test('pod api: read: managedFields are dropped', async () => {
  const live = pod({ uid: 'u1' });
  live.metadata.managedFields = [{ manager: 'kubectl' }];
  assert.deepEqual(await setup({ live }).api.read('default', 'web', 'u1'), pod({ uid: 'u1' }));
});

test('pod api: read of a Pod recreated under its name: undefined', async () => {
  assert.equal(await setup({ live: pod({ uid: 'u2' }) }).api.read('default', 'web', 'u1'), undefined);
});

test('pod api: read of a Pod that is gone: undefined', async () => {
  assert.equal(await setup().api.read('default', 'web', 'u1'), undefined);
});

test('pod api: removal: grace 0 and the uid as precondition', async () => {
  const { api, calls } = setup();
  await api.remove(pod({ uid: 'u1' }));
  assert.deepEqual(calls, [['delete', path, 'u1', 0]]);
});

test('pod api: removal of a Pod that is gone: success', async () => {
  await setup({ deleteFails: failure('not-found', 'kube.not-found') }).api.remove(pod());
});

test('pod api: removal of a Pod recreated under its name: success, the new one stays', async () => {
  const { api } = setup({ live: pod({ uid: 'u2' }), deleteFails: failure('conflict', 'kube.conflict') });
  await api.remove(pod({ uid: 'u1' }));
});

test('pod api: removal refused for another reason: thrown', async () => {
  const { api } = setup({ live: pod({ uid: 'u1' }), deleteFails: failure('conflict', 'kube.conflict') });
  await assert.rejects(api.remove(pod({ uid: 'u1' })), { kind: 'conflict' });
});

for (const [name, answer] of [
  ['an empty object', {}],
  ['a Status', { kind: 'Status', metadata: {} }],
  ['null', null],
] as const) {
  test(`pod api: read: ${name} with status 200: an error, never a Pod that is gone`, async () => {
    // What a proxy answers has no type.
    const { api } = setup({ live: answer as unknown as Pod });
    const live = answer === null ? createPodApi({ get: async () => null } as unknown as KubeClient) : api;
    await assert.rejects(live.read('default', 'web', 'u1'), { code: 'kube.garbage' });
  });
}
