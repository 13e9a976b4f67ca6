import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError, isKind } from '../../../src/base/errors.ts';
import { readAllPages } from '../../../src/openstack/paging.ts';

const gone = new AppError({ kind: 'not-found', code: 'zun.not-found', message: 'marker' });
const item = (n: number) => ({ uuid: `u${n}` });

test('paging: a full last page: ends with an empty one', async () => {
  const markers: (string | undefined)[] = [];
  const items = await readAllPages('zun', 'listing', async (marker) => {
    markers.push(marker);
    return marker === undefined
      ? { items: [item(1), item(2)], next: 'http://wrong:1/x?limit=2&marker=u2' }
      : { items: [], next: null };
  });
  assert.deepEqual(items, [item(1), item(2)]);
  assert.deepEqual(markers, [undefined, 'u2']);
});

test('paging: a link without marker: the last item is the marker', async () => {
  const markers: (string | undefined)[] = [];
  await readAllPages('zun', 'listing', async (marker) => {
    markers.push(marker);
    return { items: marker === undefined ? [item(1)] : [item(2)], next: marker === undefined ? 'more' : null };
  });
  assert.deepEqual(markers, [undefined, 'u1']);
});

test('paging: the marker vanishes: the listing starts again and the first try is forgotten', async () => {
  let calls = 0;
  const items = await readAllPages('zun', 'listing', async (marker) => {
    calls += 1;
    if (calls === 2) throw gone;
    if (calls === 1) return { items: [item(1)], next: 'x?marker=u1' };
    return { items: marker === undefined ? [item(2)] : [item(3)], next: marker === undefined ? 'x?marker=u2' : null };
  });
  assert.deepEqual(items, [item(2), item(3)]);
});

test('paging: the marker vanishes every time: an error, not a part', async () => {
  await assert.rejects(
    readAllPages('zun', 'listing', async (marker) => {
      if (marker !== undefined) throw gone;
      return { items: [item(1)], next: 'x?marker=u1' };
    }),
    (error) => isKind(error, 'retryable') && error.code === 'zun.list-unsteady',
  );
});

test('paging: the first page is not found: is not an empty list', async () => {
  await assert.rejects(
    readAllPages('zun', 'listing', async () => {
      throw gone;
    }),
    gone,
  );
});

test('paging: a failure after the first page: an error, not a part', async () => {
  const failure = new AppError({ kind: 'retryable', code: 'zun.http-500', message: 'x' });
  await assert.rejects(
    readAllPages('zun', 'listing', async (marker) => {
      if (marker !== undefined) throw failure;
      return { items: [item(1)], next: 'x?marker=u1' };
    }),
    failure,
  );
});

test('paging: pages that repeat for ever: an error', async () => {
  await assert.rejects(
    readAllPages('zun', 'listing', async () => ({ items: [item(1)], next: 'x?marker=u1' })),
    (error) => isKind(error, 'retryable') && /do not end/.test(error.message),
  );
});
