import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createCapsuleStore } from '../../../src/sync/capsule-store.ts';
import { createPodStore } from '../../../src/sync/pod-store.ts';
import { capsule, pod, testCluster, testNode, uuid } from '../../lib/builders.ts';

function capsuleStore() {
  const changed: string[] = [];
  const store = createCapsuleStore({
    cluster: testCluster,
    node: testNode,
    tombstoneMs: 600_000,
    lagMs: 60_000,
    onChange: (uid) => changed.push(uid),
  });
  return { store, changed };
}

test('capsule store: capsules of another cluster, another node or nobody: never let in', () => {
  const { store, changed } = capsuleStore();
  const { labels } = capsule();
  store.replace(
    [
      capsule({ labels: { ...labels, 'zunlet.io/cluster': 'other' } }),
      capsule({ uuid: uuid(101), labels: { ...labels, 'zunlet.io/node': 'other' } }),
      capsule({ uuid: uuid(102), labels: {} }),
    ],
    1,
  );
  assert.deepEqual([store.all(), changed], [[], []]);
});

test('capsule store: a list that began before an answer: does not drop what the answer showed', () => {
  const { store } = capsuleStore();
  store.upsert(capsule(), 10);
  store.replace([], 5);
  assert.equal(store.all().length, 1);
  store.replace([], 11);
  assert.equal(store.all().length, 0);
});

test('capsule store: absent from a list: proof only when no lag explains it', () => {
  const { store } = capsuleStore();
  store.upsert(capsule(), 10);
  store.replace([], 20);
  assert.equal(store.absence(uuid(100)), 'none');
  store.upsert(capsule(), 30);
  store.replace([], 60_031);
  assert.equal(store.absence(uuid(100)), 'list');
  store.upsert(capsule(), 70_000);
  assert.equal(store.absence(uuid(100)), 'none');
});

test('capsule store: answered 404: gone for good, whatever a lagging list says', () => {
  const { store } = capsuleStore();
  store.upsert(capsule(), 10);
  store.remove(uuid(100), 20);
  store.replace([capsule()], 30);
  assert.deepEqual([store.all().length, store.absence(uuid(100))], [0, 'answer']);
});

test('capsule store: two capsules of a Pod: oldest first', () => {
  const { store } = capsuleStore();
  const young = capsule({ uuid: uuid(101), created_at: '2026-01-01 00:00:09' });
  store.replace([young, capsule()], 1);
  assert.deepEqual(
    store.ofPod(uuid(1)).map((one) => one.uuid),
    [uuid(100), uuid(101)],
  );
});

test('capsule store: seen again unchanged but for updated_at: no news', () => {
  const { store, changed } = capsuleStore();
  store.upsert(capsule(), 1);
  store.upsert(capsule({ updated_at: '2026-01-01 00:00:09' }), 2);
  assert.equal(changed.length, 1);
});

function podStore() {
  const changes: string[] = [];
  const store = createPodStore((_uid, change) => changes.push(change));
  return { store, changes };
}

test('pod store: first list, spec, status, deletion: each tells what changed', () => {
  const { store, changes } = podStore();
  assert.equal(store.isComplete(), false);
  store.replace([pod()]);
  assert.deepEqual([store.isComplete(), [...store.firstList()]], [true, [uuid(1)]]);
  store.upsert(pod({ resourceVersion: '2', status: { phase: 'Running' } }));
  store.upsert(pod({ resourceVersion: '3', labels: { a: 'b' } }));
  store.upsert(pod({ resourceVersion: '4', labels: { a: 'b' }, deleted: true }));
  store.remove(pod({ resourceVersion: '5', deleted: true }));
  assert.deepEqual(changes, ['added', 'status', 'spec', 'spec', 'deleted']);
  assert.equal(store.departed(uuid(1))?.metadata.name, 'web');
});

test('pod store: the answer to our own write: its echo is no news, an older echo changes nothing', () => {
  const { store, changes } = podStore();
  store.replace([pod()]);
  store.learn(pod({ resourceVersion: '7', status: { phase: 'Running' } }));
  store.upsert(pod({ resourceVersion: '6' }));
  store.upsert(pod({ resourceVersion: '7', status: { phase: 'Running' } }));
  assert.deepEqual([changes, store.get(uuid(1))?.status?.phase], [['added'], 'Running']);
});

test('pod store: recreated under its name: the new one answers to the name, the old one has departed', () => {
  const { store } = podStore();
  store.replace([pod()]);
  store.upsert(pod({ uid: uuid(2), resourceVersion: '9' }));
  store.remove(pod({ resourceVersion: '8' }));
  assert.equal(store.byName('default', 'web')?.metadata.uid, uuid(2));
  assert.equal(store.get(uuid(1)), undefined);
});

test('pod store: gone while the watch was away: the next list tells', () => {
  const { store, changes } = podStore();
  store.replace([pod(), pod({ uid: uuid(2), name: 'b' })]);
  store.replace([pod()]);
  assert.deepEqual(changes, ['added', 'added', 'deleted']);
});
