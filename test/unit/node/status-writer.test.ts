import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { seededRandom } from '../../../src/base/random.ts';
import type { KubeCall, KubeClient } from '../../../src/kube/client-types.ts';
import type { Node } from '../../../src/kube/types.ts';
import { createStatusWriter } from '../../../src/node/status-writer.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';
import { facts, options } from './support.ts';

/** A writer whose Node the API server's cache and its store may know or not. */
function setup(known: { cache: boolean; store: boolean }) {
  const reads: string[] = [];
  const client: Pick<KubeClient, 'get' | 'patch'> = {
    async get<T>(_: string, call: KubeCall = {}) {
      const isCached = call.query?.['resourceVersion'] === '0';
      reads.push(isCached ? 'cache' : 'store');
      if (isCached ? known.cache : known.store) return { metadata: { name: 'zun-1', uid: 'u1' } } as T;
      throw new AppError({ kind: 'not-found', code: 'kube.not-found', message: 'gone' });
    },
    patch: async <T>() => ({ metadata: { name: 'zun-1', uid: 'u1' } }) as T,
  };
  const writer = createStatusWriter({
    client,
    clock: createVirtualClock(),
    random: seededRandom(1),
    log: silentLog,
    events: { record() {} },
    options: options(),
    facts: () => facts,
    cloudHealth: () => ({ ok: true }),
    notReadyAfterMs: 0,
    reportEveryMs: 300_000,
  });
  const write = (): Promise<Node | undefined> => writer.write(new AbortController().signal);
  return { reads, write };
}

test('status writer: cache does not know the new Node yet: the store is asked before it counts as gone', async () => {
  const { reads, write } = setup({ cache: false, store: true });
  assert.equal((await write())?.metadata.uid, 'u1');
  assert.deepEqual(reads, ['cache', 'store']);
});

test('status writer: store does not know the Node either: gone', async () => {
  assert.equal(await setup({ cache: false, store: false }).write(), undefined);
});

test('status writer: cache knows the Node: one read', async () => {
  const { reads, write } = setup({ cache: true, store: true });
  await write();
  assert.deepEqual(reads, ['cache']);
});
