import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiFailure } from '../../../../src/emulators/kube/failures.ts';
import { mergeShape } from '../../../../src/emulators/kube/merge-keys.ts';
import type { JsonObject } from '../../../../src/emulators/kube/objects.ts';
import { strategicMergePatch } from '../../../../src/emulators/kube/strategic-merge.ts';

const merge = (kind: string, target: JsonObject, patch: JsonObject) =>
  strategicMergePatch(target, patch, mergeShape(kind));
const types = (result: JsonObject) =>
  (result['status'] as { conditions: { type: string }[] }).conditions.map(({ type }) => type);
const conditions = (...names: string[]) => ({
  status: { conditions: names.map((type) => ({ type, status: 'True' })) },
});

const cases: [title: string, kind: string, target: JsonObject, patch: JsonObject, wanted: JsonObject][] = [
  [
    'a list with a merge key: the item with the key is merged, others stay',
    'Pod',
    conditions('A', 'B'),
    { status: { conditions: [{ type: 'B', status: 'False' }] } },
    {
      status: {
        conditions: [
          { type: 'A', status: 'True' },
          { type: 'B', status: 'False' },
        ],
      },
    },
  ],
  [
    'a list without a merge key: replaced whole',
    'Pod',
    { status: { containerStatuses: [{ name: 'a', ready: true }, { name: 'b' }] } },
    { status: { containerStatuses: [{ name: 'a' }] } },
    { status: { containerStatuses: [{ name: 'a' }] } },
  ],
  [
    'null: the member goes',
    'Pod',
    { status: { reason: 'x', phase: 'Failed' } },
    { status: { reason: null } },
    { status: { phase: 'Failed' } },
  ],
  [
    '$patch delete in a list: that item goes',
    'Pod',
    { status: { podIPs: [{ ip: '1' }, { ip: '2' }] } },
    { status: { podIPs: [{ $patch: 'delete', ip: '1' }] } },
    { status: { podIPs: [{ ip: '2' }] } },
  ],
  [
    '$patch replace in a list: only the patch remains',
    'Node',
    { status: { addresses: [{ type: 'InternalIP', address: '1' }] } },
    {
      status: {
        addresses: [{ $patch: 'replace' }, { type: 'InternalIP', address: '2' }, { type: 'InternalIP', address: '3' }],
      },
    },
    {
      status: {
        addresses: [
          { type: 'InternalIP', address: '2' },
          { type: 'InternalIP', address: '3' },
        ],
      },
    },
  ],
  [
    'one key twice in the target: the first is merged',
    'Node',
    {
      status: {
        addresses: [
          { type: 'InternalIP', address: '1' },
          { type: 'InternalIP', address: '2' },
        ],
      },
    },
    { status: { addresses: [{ type: 'InternalIP', address: '3' }] } },
    {
      status: {
        addresses: [
          { type: 'InternalIP', address: '3' },
          { type: 'InternalIP', address: '2' },
        ],
      },
    },
  ],
  [
    '$patch replace in an object: only the patch remains',
    'ConfigMap',
    { data: { a: '1', b: '2' } },
    { data: { $patch: 'replace', c: '3' } },
    { data: { c: '3' } },
  ],
  [
    'taints: replaced whole',
    'Node',
    { spec: { taints: [{ key: 'a' }, { key: 'b' }] } },
    { spec: { taints: [{ key: 'c' }] } },
    { spec: { taints: [{ key: 'c' }] } },
  ],
  [
    'finalizers: merged as a set, and deleted from',
    'Pod',
    { metadata: { finalizers: ['a', 'b'] } },
    { metadata: { finalizers: ['c'], '$deleteFromPrimitiveList/finalizers': ['a'] } },
    { metadata: { finalizers: ['c', 'b'] } },
  ],
  [
    'a list of lists with keys: merged at every level',
    'Pod',
    {
      spec: {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '2' },
            ],
          },
        ],
      },
    },
    { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '3' }] }] } },
    {
      spec: {
        containers: [
          {
            name: 'a',
            env: [
              { name: 'X', value: '1' },
              { name: 'Y', value: '3' },
            ],
          },
        ],
      },
    },
  ],
  [
    '$setElementOrder: the items stand in that order',
    'Pod',
    { spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
    {
      spec: {
        '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }],
        containers: [{ name: 'c' }],
      },
    },
    { spec: { containers: [{ name: 'c' }, { name: 'b' }, { name: 'a' }] } },
  ],
  [
    '$retainKeys: other members go',
    'Deployment',
    { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } },
    { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } },
    { spec: { strategy: { type: 'Recreate' } } },
  ],
  [
    'nothing there yet: the patch without directives and nulls',
    'Pod',
    {},
    { status: { conditions: [{ type: 'A', reason: null }], hostIPs: [{ $patch: 'delete', ip: '1' }] } },
    { status: { conditions: [{ type: 'A' }], hostIPs: [] } },
  ],
];

for (const [title, kind, target, patch, wanted] of cases) {
  test(`strategic merge: ${title}`, () => {
    const before = structuredClone(target);
    assert.deepEqual(merge(kind, target, patch), wanted);
    assert.deepEqual(target, before, 'the target is left alone');
  });
}

test('strategic merge: new items: before those that stay', () => {
  assert.deepEqual(types(merge('Pod', conditions('A', 'B'), conditions('C'))), ['C', 'A', 'B']);
  assert.deepEqual(types(merge('Pod', conditions('A', 'B', 'C'), conditions('C', 'A'))), ['B', 'C', 'A']);
});

test('strategic merge: an item without its merge key: refused', () => {
  const patch = { status: { conditions: [{ status: 'True' }] } };
  assert.throws(
    () => merge('Pod', conditions('A'), patch),
    (error) => error instanceof ApiFailure && error.code === 400,
  );
});
