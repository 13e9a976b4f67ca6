import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { decodeHealthResponse, encodeHealthRequest } from '../../../src/http/grpc-health.ts';

function framed(...message: number[]): Buffer {
  return Buffer.from([0, 0, 0, 0, message.length, ...message]);
}

const answers: [string, Buffer, number | undefined][] = [
  ['an empty message: UNKNOWN', framed(), 0],
  ['SERVING', framed(8, 1), 1],
  ['SERVICE_UNKNOWN', framed(8, 3), 3],
  [
    'fields of all types before it',
    framed(0x10, 0x96, 1, 0x19, 1, 2, 3, 4, 5, 6, 7, 8, 0x25, 1, 2, 3, 4, 0x32, 2, 9, 9, 8, 1),
    1,
  ],
  ['the field twice: the last counts', framed(8, 1, 8, 2), 2],
  ['compressed', Buffer.from([1, 0, 0, 0, 2, 8, 1]), undefined],
  ['cut in the frame', Buffer.from([0, 0, 0]), undefined],
  ['cut in the message', Buffer.from([0, 0, 0, 0, 9, 8, 1]), undefined],
  ['cut in a number', framed(0x88), undefined],
  ['a group, which is no more', framed(0x0b), undefined],
];
for (const [name, bytes, expected] of answers) {
  test(`grpc health: the answer is ${name}: ${expected}`, () => {
    assert.equal(decodeHealthResponse(bytes), expected);
  });
}

test('grpc health: any bytes: read or refused, never an endless loop or a throw', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      const status = decodeHealthResponse(framed(...bytes));
      assert.ok(status === undefined || status >= 0);
    }),
  );
});

test('grpc health: a long service name: its length takes two bytes', () => {
  const request = encodeHealthRequest('x'.repeat(200));
  assert.deepEqual([...request.subarray(0, 8)], [0, 0, 0, 0, 203, 0x0a, 0xc8, 1]);
  assert.equal(request.length, 208);
});
