import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ApiFailure } from '../../../../src/emulators/kube/failures.ts';
import { decodeProtobuf } from '../../../../src/emulators/kube/protobuf.ts';

/** A field with text or a message in it. */
const field = (number: number, content: string | Buffer) => {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from([(number << 3) | 2, bytes.length]), bytes]);
};
const varint = (number: number, value: number) => Buffer.from([number << 3, value]);
const message = (...fields: Buffer[]) => Buffer.concat(fields);
const envelope = (apiVersion: string, kind: string, raw: Buffer) =>
  message(Buffer.from('k8s\0'), field(1, message(field(1, apiVersion), field(2, kind))), field(2, raw), field(3, ''));

test('protobuf: a ConfigMap: maps, and no empty texts', () => {
  const metadata = message(field(1, 'c'), field(2, ''), field(11, message(field(1, 'k'), field(2, 'v'))));
  const raw = message(
    field(1, metadata),
    field(2, message(field(1, 'a'), field(2, 'b'))),
    field(2, message(field(1, 'c'), field(2, ''))),
  );
  assert.deepEqual(decodeProtobuf(envelope('v1', 'ConfigMap', raw)), {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'c', labels: { k: 'v' } },
    data: { a: 'b', c: '' },
  });
});

test('protobuf: a Deployment: pointers keep zero, inlined messages and int-or-string', () => {
  const httpGet = message(field(2, message(varint(1, 1), varint(2, 0), field(3, 'web'))));
  const probe = message(field(1, message(field(2, httpGet))), varint(2, 0), varint(3, 5));
  const container = message(field(1, 'a'), field(2, 'i'), field(10, probe));
  const spec = message(varint(1, 0), field(3, message(field(2, message(field(2, container))))));
  assert.deepEqual(decodeProtobuf(envelope('apps/v1', 'Deployment', message(field(2, spec)))), {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    spec: {
      replicas: 0,
      template: {
        spec: {
          containers: [{ name: 'a', image: 'i', livenessProbe: { httpGet: { port: 'web' }, timeoutSeconds: 5 } }],
        },
      },
    },
  });
});

test('protobuf: damaged, or of a kind that is not known: refused', () => {
  const refused = (content: Buffer, code: number) =>
    assert.throws(
      () => decodeProtobuf(content),
      (error) => error instanceof ApiFailure && error.code === code,
    );
  refused(Buffer.from('nonsense'), 400);
  refused(envelope('v1', 'ConfigMap', message(field(1, 'x'))).subarray(0, -3), 400);
  refused(envelope('v1', 'ConfigMap', Buffer.from([0x0a, 0x7f])), 400);
  refused(envelope('x/v1', 'Unknown', message(field(1, ''))), 415);
  refused(envelope('v1', 'ConfigMap', message(field(15, ''))), 415);
});
