import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiFailure } from '../../../../src/emulators/kube/failures.ts';
import type { Json, JsonObject } from '../../../../src/emulators/kube/objects.ts';
import { jsonPatch, mergePatch } from '../../../../src/emulators/kube/patch.ts';

const merges: [target: Json, patch: Json, wanted: Json][] = [
  [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
  [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
  [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
  [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
  [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
  [{ a: [1, 2] }, { a: [3] }, { a: [3] }],
  ['a', { b: 'c' }, { b: 'c' }],
];
for (const [target, patch, wanted] of merges) {
  test(`merge patch: ${JSON.stringify(patch)} on ${JSON.stringify(target)}: as RFC 7396 says`, () => {
    assert.deepEqual(mergePatch(target, patch), wanted);
  });
}

const patches: [target: JsonObject, operations: Json, wanted: Json][] = [
  [{ a: [1, 3] }, [{ op: 'add', path: '/a/1', value: 2 }], { a: [1, 2, 3] }],
  [{ a: [1] }, [{ op: 'add', path: '/a/-', value: 2 }], { a: [1, 2] }],
  [
    { 'x/y': 1, 'm~n': 2 },
    [
      { op: 'remove', path: '/x~1y' },
      { op: 'replace', path: '/m~0n', value: 3 },
    ],
    { 'm~n': 3 },
  ],
  [{ a: { b: 1 } }, [{ op: 'move', from: '/a/b', path: '/c' }], { a: {}, c: 1 }],
  [
    { a: { b: 1 } },
    [
      { op: 'copy', from: '/a', path: '/c' },
      { op: 'test', path: '/c', value: { b: 1 } },
    ],
    { a: { b: 1 }, c: { b: 1 } },
  ],
];
for (const [target, operations, wanted] of patches) {
  test(`json patch: ${JSON.stringify(operations)}: as RFC 6902 says`, () => {
    assert.deepEqual(jsonPatch(target, operations), wanted);
  });
}

const refusals: [operations: Json, code: number][] = [
  [[{ op: 'remove', path: '/nope' }], 422],
  [[{ op: 'replace', path: '/a/7', value: 1 }], 422],
  [[{ op: 'test', path: '/a', value: 1 }], 422],
  [[{ op: 'sing', path: '/a' }], 400],
  [{ op: 'add' }, 400],
];
for (const [operations, code] of refusals) {
  test(`json patch: ${JSON.stringify(operations)}: refused with ${code}`, () => {
    const isIt = (error: unknown) => error instanceof ApiFailure && error.code === code;
    assert.throws(() => jsonPatch({ a: [1] }, operations), isIt);
  });
}
