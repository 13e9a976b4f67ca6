import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { KubeClient } from '../../../src/kube/client-types.ts';
import { createObjectReader } from '../../../src/kube/objects.ts';
import { pod } from '../../lib/builders.ts';
import { runClock, settled } from '../../lib/run-clock.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';

const secretPath = '/api/v1/namespaces/web/secrets/login';
const failure = (kind: AppError['kind']) => new AppError({ kind, code: `kube.${kind}`, message: kind });

/** A reader over a small store of objects by path; `log` holds every call. */
function setup(objects: Record<string, unknown> = {}) {
  const clock = createVirtualClock();
  const calls: string[] = [];
  const bodies: unknown[] = [];
  let gate: Promise<void> | undefined;
  const client: Pick<KubeClient, 'get' | 'create'> = {
    async get<T>(path: string) {
      calls.push(path);
      const object = objects[path];
      await gate;
      if (object instanceof Error) throw object;
      if (object === undefined) throw failure('not-found');
      return structuredClone(object) as T;
    },
    async create<T>(path: string, body: object) {
      calls.push(path);
      bodies.push(body);
      const object = objects[path];
      if (object instanceof Error) throw object;
      return structuredClone(object) as T;
    },
  };
  // Only these two calls are made here.
  const reader = createObjectReader({ client: client as KubeClient, clock, random: seededRandom(1), log: silentLog });
  const hold = () => {
    const held = Promise.withResolvers<void>();
    gate = held.promise;
    return () => {
      gate = undefined;
      held.resolve();
    };
  };
  return { clock, calls, bodies, objects, reader, hold };
}

const secret = (value: string) => ({
  metadata: { name: 'login', uid: 'u', managedFields: [{}] },
  data: { key: value },
});

test('objects: missing object: null', async () => {
  assert.equal(await setup().reader.secret('web', 'login'), null);
});

test('objects: read twice within the time to live: one call, without managedFields', async () => {
  const { calls, reader } = setup({ [secretPath]: secret('a') });
  await reader.secret('web', 'login');
  assert.deepEqual(await reader.secret('web', 'login'), { metadata: { name: 'login', uid: 'u' }, data: { key: 'a' } });
  assert.equal(calls.length, 1);
});

test('objects: asked by many at once: one call', async () => {
  const { calls, reader, hold } = setup({ [secretPath]: secret('a') });
  const release = hold();
  const asked = Promise.all([1, 2, 3].map(() => reader.secret('web', 'login')));
  release();
  await asked;
  assert.equal(calls.length, 1);
});

test('objects: time to live over: asked again', async () => {
  const { clock, calls, reader } = setup({ [secretPath]: secret('a') });
  await reader.secret('web', 'login');
  await runClock(clock, 5_000);
  await reader.secret('web', 'login');
  assert.equal(calls.length, 2);
});

test('objects: caller who wants a newer answer: gets one, even while an older question is open', async () => {
  const { clock, calls, objects, reader, hold } = setup({ [secretPath]: secret('old') });
  const release = hold();
  const early = reader.secret('web', 'login');
  await runClock(clock, 100);
  objects[secretPath] = secret('new');
  const late = reader.secret('web', 'login', 50);
  release();
  assert.deepEqual((await early)?.data, { key: 'old' });
  assert.deepEqual((await late)?.data, { key: 'new' });
  assert.equal(calls.length, 2);
  // The older answer does not replace the newer one.
  assert.deepEqual((await reader.secret('web', 'login'))?.data, { key: 'new' });
});

test('objects: error: thrown and not remembered', async () => {
  const { objects, reader } = setup({ [secretPath]: failure('retryable') });
  await assert.rejects(reader.secret('web', 'login'), { kind: 'retryable' });
  objects[secretPath] = secret('a');
  assert.ok(await reader.secret('web', 'login'));
});

test('objects: forbidden for a moment, as under the Node authorizer: asked again', async () => {
  const { clock, objects, reader } = setup({ [secretPath]: failure('forbidden') });
  const read = reader.secret('web', 'login');
  await settled();
  objects[secretPath] = secret('a');
  await runClock(clock, 1000);
  assert.ok(await read);
});

test('objects: forbidden for good: says so after three calls', async () => {
  const { clock, calls, reader } = setup({ [secretPath]: failure('forbidden') });
  const read = assert.rejects(reader.secret('web', 'login'), { kind: 'forbidden' });
  await runClock(clock, 2000);
  await read;
  assert.equal(calls.length, 3);
});

test('objects: class of a runtime: its handler', async () => {
  const path = '/apis/node.k8s.io/v1/runtimeclasses/zun';
  const { reader } = setup({ [path]: { metadata: { name: 'zun', uid: 'u' }, handler: 'zun-container' } });
  assert.equal(await reader.runtimeHandler('zun'), 'zun-container');
  assert.equal(await reader.runtimeHandler('gvisor'), null);
});

test('objects: missing object appears: the waiter hears within five seconds, once, and reads it without a call', async () => {
  const { clock, calls, objects, reader } = setup();
  const heard: unknown[] = [];
  reader.whenAppears({ kind: 'Secret', namespace: 'web', name: 'login' }, () => {
    const asked = calls.length;
    void reader.secret('web', 'login', 60_000).then((object) => heard.push([object?.data, calls.length - asked]));
  });
  await runClock(clock, 60_000);
  assert.deepEqual(heard, []);
  objects[secretPath] = secret('a');
  await runClock(clock, 65_000);
  assert.deepEqual(heard, [[{ key: 'a' }, 0]]);
  const asked = calls.length;
  await runClock(clock, 120_000);
  assert.equal(calls.length, asked);
});

test('objects: many wait for one object: one question at a time', async () => {
  const { clock, calls, reader } = setup();
  for (let at = 0; at < 100; at++) reader.whenAppears({ kind: 'Secret', namespace: 'web', name: 'login' }, () => {});
  await runClock(clock, 10_000);
  assert.ok(calls.length <= 6, `${calls.length} calls`);
});

test('objects: a thousand objects are missing: no more than ten questions a second', async () => {
  const { clock, calls, reader } = setup();
  for (let at = 0; at < 1000; at++) reader.whenAppears({ kind: 'Secret', namespace: 'web', name: `s${at}` }, () => {});
  await runClock(clock, 300_000);
  assert.ok(calls.length <= 3500, `${calls.length} calls`);
});

test('objects: nobody waits any more: nothing is asked', async () => {
  const { clock, calls, reader } = setup();
  const leave = reader.whenAppears({ kind: 'Secret', namespace: 'web', name: 'login' }, () => {});
  leave();
  await runClock(clock, 60_000);
  assert.deepEqual(calls, []);
});

const tokenPath = '/api/v1/namespaces/default/serviceaccounts/default/token';
const token = (text: string) => ({ status: { token: text, expirationTimestamp: '2026-01-01T01:00:00Z' } });

test('tokens: first request: bound to the Pod', async () => {
  const { bodies, reader } = setup({ [tokenPath]: token('t1') });
  assert.equal(await reader.token(pod({ uid: 'u9' }), 'default', 'vault', 3600), 't1');
  assert.deepEqual(bodies, [
    {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {
        audiences: ['vault'],
        expirationSeconds: 3600,
        boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: 'web', uid: 'u9' },
      },
    },
  ]);
});

test('tokens: four fifths of the life over: a new one', async () => {
  const { clock, calls, reader } = setup({ [tokenPath]: token('t1') });
  await reader.token(pod(), 'default', '', 3600);
  await runClock(clock, 2_879_000);
  await reader.token(pod(), 'default', '', 3600);
  assert.equal(calls.length, 1);
  await runClock(clock, 2_880_000);
  await reader.token(pod(), 'default', '', 3600);
  assert.equal(calls.length, 2);
});

test('tokens: Pod forgotten: nothing is kept', async () => {
  const { calls, reader } = setup({ [tokenPath]: token('t1') });
  await reader.token(pod({ uid: 'u9' }), 'default', '', 3600);
  reader.forgetPod('u9');
  await reader.token(pod({ uid: 'u9' }), 'default', '', 3600);
  assert.equal(calls.length, 2);
});

test('tokens: request failed: the next one asks again', async () => {
  const { objects, reader } = setup({ [tokenPath]: failure('not-found') });
  await assert.rejects(reader.token(pod(), 'default', '', 3600), { kind: 'not-found' });
  objects[tokenPath] = token('t1');
  assert.equal(await reader.token(pod(), 'default', '', 3600), 't1');
});
