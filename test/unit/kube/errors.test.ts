import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubeError, watchError } from '../../../src/kube/errors.ts';
import type { KubeStatus } from '../../../src/kube/types.ts';

function answer(status: number, body: Partial<KubeStatus> | string = {}, headers: Record<string, string> = {}) {
  const text = typeof body === 'string' ? body : JSON.stringify({ kind: 'Status', code: status, ...body });
  return { status, headers, body: Buffer.from(text) };
}

const cases: [string, ReturnType<typeof answer>, string, string, 'none' | 'unknown'][] = [
  ['404', answer(404, { reason: 'NotFound' }), 'not-found', 'kube.not-found', 'none'],
  ['404 of a proxy', answer(404, '404 page not found'), 'retryable', 'kube.no-route', 'none'],
  ['409', answer(409, { reason: 'Conflict' }), 'conflict', 'kube.conflict', 'none'],
  ['409 exists', answer(409, { reason: 'AlreadyExists' }), 'conflict', 'kube.already-exists', 'none'],
  ['403', answer(403, { reason: 'Forbidden' }), 'forbidden', 'kube.forbidden', 'none'],
  [
    '403 while the namespace goes',
    answer(403, { reason: 'Forbidden', details: { causes: [{ reason: 'NamespaceTerminating' }] } }),
    'forbidden',
    'kube.namespace-terminating',
    'none',
  ],
  ['403 quota', answer(403, { message: 'exceeded quota: pods=1' }), 'quota', 'kube.quota', 'none'],
  ['401', answer(401, { reason: 'Unauthorized' }), 'unauthorized', 'kube.unauthorized', 'none'],
  ['400', answer(400, { reason: 'BadRequest' }), 'invalid', 'kube.bad-request', 'none'],
  ['422', answer(422, { reason: 'Invalid' }), 'invalid', 'kube.invalid', 'none'],
  [
    '422 on the uid of a patch',
    answer(422, { reason: 'Invalid', details: { causes: [{ field: 'metadata.uid', reason: 'FieldValueInvalid' }] } }),
    'conflict',
    'kube.other-uid',
    'none',
  ],
  ['410', answer(410, { reason: 'Expired' }), 'invalid', 'kube.expired', 'none'],
  ['429', answer(429), 'retryable', 'kube.too-many-requests', 'none'],
  ['500', answer(500, { reason: 'InternalError' }), 'retryable', 'kube.server-error', 'unknown'],
  ['503', answer(503), 'retryable', 'kube.server-error', 'unknown'],
  ['504', answer(504, { reason: 'Timeout' }), 'retryable', 'kube.timeout', 'unknown'],
  ['502 of a proxy', answer(502, '<html>bad gateway</html>'), 'retryable', 'kube.server-error', 'unknown'],
  ['418', answer(418, ''), 'invalid', 'kube.unexpected-answer', 'none'],
];

for (const [name, given, kind, code, effect] of cases) {
  test(`errors of the API: ${name}: ${kind}, effect ${effect}`, () => {
    const error = kubeError(given, 'reading x');
    assert.deepEqual(
      { kind: error.kind, code: error.code, effect: error.effect, status: error.status },
      { kind, code, effect, status: given.status },
    );
  });
}

test('errors of the API: Retry-After as a header: milliseconds', () => {
  assert.equal(kubeError(answer(429, {}, { 'retry-after': '3' }), 'x').retryAfterMs, 3000);
});

test('errors of the API: Retry-After in the Status only: milliseconds', () => {
  assert.equal(kubeError(answer(429, { details: { retryAfterSeconds: 2 } }), 'x').retryAfterMs, 2000);
});

test('errors of the API: Retry-After that is no number: left out', () => {
  assert.equal(
    kubeError(answer(503, {}, { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' }), 'x').retryAfterMs,
    undefined,
  );
});

test('errors of the API: invalid object: names the fields and not their values', () => {
  const message = 'Pod "a" is invalid: spec.containers[0].env[0].value: Invalid value: "hunter2"';
  const causes = [{ field: 'spec.containers[0].env[0].value', reason: 'FieldValueInvalid', message }];
  const error = kubeError(answer(422, { reason: 'Invalid', message, details: { causes } }), 'writing pod a');
  assert.equal(
    error.message,
    'writing pod a: the API server answered 422 Invalid: fields spec.containers[0].env[0].value (FieldValueInvalid)',
  );
});

test('errors of the API: endless message: cut', () => {
  assert.ok(kubeError(answer(500, { message: 'x'.repeat(10_000) }), 'y').message.length < 400);
});

test('errors of the API: Status in an ERROR event: judged like an answer', () => {
  assert.equal(watchError({ kind: 'Status', code: 410, reason: 'Expired' }, 'x').code, 'kube.expired');
  assert.equal(watchError({ kind: 'Status', reason: 'Gone' }, 'x').code, 'kube.expired');
});
