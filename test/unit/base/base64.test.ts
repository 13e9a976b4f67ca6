import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from '../../../src/base/base64.ts';

test('base64: any bytes: the same as Node makes of them, there and back', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = encodeBase64(bytes);
      assert.equal(text, Buffer.from(bytes).toString('base64'));
      assert.deepEqual([...(decodeBase64(text) ?? [])], [...bytes]);
    }),
  );
});

test('base64: a megabyte: encoded whole', () => {
  const bytes = new Uint8Array(1 << 20).fill(7);
  assert.equal(encodeBase64(bytes), Buffer.from(bytes).toString('base64'));
});

test('decodeBase64: not base64: undefined', () => {
  for (const text of ['*', 'a', 'ab=c', '====', 'é']) assert.equal(decodeBase64(text), undefined, text);
  assert.deepEqual([...(decodeBase64('aGk=\n') ?? [])], [104, 105]);
});

test('decodeUtf8: bytes that are no text: undefined', () => {
  assert.equal(decodeUtf8(Uint8Array.of(0xff, 0xfe)), undefined);
  assert.equal(decodeUtf8(encodeUtf8('\ufeffgrüß')), '\ufeffgrüß');
});
