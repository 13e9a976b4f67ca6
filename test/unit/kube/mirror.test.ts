import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import { createMirror } from '../../../src/kube/mirror.ts';
import type { Stored } from '../../../src/kube/watch.ts';

const thing = (name: string, uid: string, namespace = 'web'): Stored => ({ metadata: { name, namespace, uid } });

function setup() {
  const seen: string[] = [];
  const mirror = createMirror<Stored>(
    {
      replace: (items) => seen.push(`replace ${items.map(({ metadata }) => metadata.uid).join(' ')}`),
      upsert: ({ metadata }) => seen.push(`upsert ${metadata.uid}`),
      remove: ({ metadata }) => seen.push(`remove ${metadata.uid}`),
    },
    silentLog,
  );
  return { mirror, seen };
}

test('mirror: another uid under a name in an event: the old object is removed first', () => {
  const { mirror, seen } = setup();
  mirror.apply('ADDED', thing('a', 'old'));
  mirror.apply('MODIFIED', thing('a', 'new'));
  assert.deepEqual(seen, ['upsert old', 'remove old', 'upsert new']);
});

test('mirror: another uid under a name in a list: the old object is removed first', () => {
  const { mirror, seen } = setup();
  mirror.replace([thing('a', 'old'), thing('b', 'b')]);
  mirror.replace([thing('a', 'new'), thing('b', 'b')]);
  assert.deepEqual(seen, ['replace old b', 'remove old', 'replace new b']);
});

test('mirror: one name in two namespaces: two objects', () => {
  const { mirror, seen } = setup();
  mirror.apply('ADDED', thing('a', '1', 'web'));
  mirror.apply('ADDED', thing('a', '2', 'shop'));
  assert.deepEqual(seen, ['upsert 1', 'upsert 2']);
});

test('mirror: deleted and made again: no second removal', () => {
  const { mirror, seen } = setup();
  mirror.apply('ADDED', thing('a', 'old'));
  mirror.apply('DELETED', thing('a', 'old'));
  mirror.apply('ADDED', thing('a', 'new'));
  assert.deepEqual(seen, ['upsert old', 'remove old', 'upsert new']);
});

test('mirror: sink throws: logged as a bug, the next event goes on', () => {
  const errors: string[] = [];
  const seen: string[] = [];
  const mirror = createMirror<Stored>(
    {
      replace() {},
      upsert({ metadata }) {
        if (metadata.uid === 'bad') throw new Error('broken handler');
        seen.push(metadata.uid);
      },
      remove() {},
    },
    { ...silentLog, error: (message) => errors.push(message) },
  );
  mirror.apply('ADDED', thing('a', 'bad'));
  mirror.apply('ADDED', thing('b', 'good'));
  assert.deepEqual([seen, errors.length], [['good'], 1]);
});
