import assert from 'node:assert/strict';
import { test } from 'node:test';
import { answerError, errorText, parseRetryAfter } from '../../../src/openstack/errors.ts';

interface Parts {
  service?: string;
  method?: string;
  status: number;
  headers?: Record<string, string>;
  body?: unknown;
}

function answer({ service = 'zun', method = 'POST', status, headers = {}, body = '' }: Parts) {
  const bytes = Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
  return answerError({ service, attempt: 'creating capsule web-0', method, status, headers, body: bytes, nowMs: 0 });
}

function zunError(status: number, code: string, detail: string, title = detail) {
  return { errors: [{ request_id: '', code, status, title, detail, links: [] }] };
}

for (const [what, parts, kind, code, effect] of [
  [
    'policy',
    { status: 403, body: zunError(403, 'container.policy-not-authorized', "Policy doesn't allow it.") },
    'forbidden',
    'zun.forbidden',
    'none',
  ],
  [
    'quota of Zun',
    { status: 403, body: zunError(403, 'container.over-quota', "Quota exceeded for resources: ['containers']") },
    'quota',
    'zun.quota-exceeded',
    'none',
  ],
  [
    'quota of Neutron',
    {
      service: 'neutron',
      status: 409,
      body: { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['port'].", detail: '' } },
    },
    'quota',
    'neutron.quota-exceeded',
    'unknown',
  ],
  [
    'quota of Cinder',
    { service: 'cinder', status: 413, body: { overLimit: { code: 413, message: 'VolumeSizeExceedsAvailableQuota' } } },
    'quota',
    'cinder.quota-exceeded',
    'none',
  ],
  [
    'schema',
    { status: 400, body: zunError(400, 'container.schema-validation-error', 'x') },
    'invalid',
    'zun.schema-validation-error',
    'none',
  ],
  [
    'conflict on create',
    { status: 409, body: zunError(409, 'container.conflict', 'There is no neutron network available') },
    'conflict',
    'zun.conflict',
    'unknown',
  ],
  [
    'state',
    { method: 'DELETE', status: 409, body: zunError(409, 'container.invalid-state-exception', 'Cannot delete') },
    'conflict',
    'zun.invalid-state-exception',
    'none',
  ],
  [
    'not found',
    { status: 404, body: zunError(404, 'container.container-not-found', 'Container x could not be found.') },
    'not-found',
    'zun.not-found',
    'none',
  ],
  [
    'no route',
    { status: 404, body: zunError(404, 'container.', '', 'Not Found') },
    'not-found',
    'zun.no-route',
    'none',
  ],
  [
    'page of a proxy',
    { status: 404, body: '<html><title>404 Not Found</title></html>' },
    'not-found',
    'zun.no-route',
    'none',
  ],
  [
    'token',
    { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: 'needs authentication' } } },
    'unauthorized',
    'zun.unauthorized',
    'none',
  ],
  [
    'bug in Zun',
    { status: 500, body: zunError(500, 'container.', 'problem') },
    'retryable',
    'zun.internal-error',
    'unknown',
  ],
  ['bug in Zun on a read', { method: 'GET', status: 500, body: '' }, 'retryable', 'zun.http-500', 'none'],
  ['busy', { status: 429, headers: { 'retry-after': '7' } }, 'retryable', 'zun.http-429', 'none'],
  ['gateway', { status: 502, body: '<h1>Bad Gateway</h1>' }, 'retryable', 'zun.http-502', 'unknown'],
  [
    'version',
    { status: 406, body: zunError(406, 'container.', 'Invalid value') },
    'unsupported',
    'zun.http-406',
    'none',
  ],
  ['redirect', { status: 302, headers: { location: 'https://login' } }, 'retryable', 'zun.http-302', 'none'],
] as const) {
  test(`error answer: ${what}: ${kind}, ${code}, effect ${effect}`, () => {
    const error = answer(parts);
    assert.deepEqual([error.kind, error.code, error.effect, error.status], [kind, code, effect, parts.status]);
  });
}

test('error answer: message: attempt, service, status, text', () => {
  const error = answer({ status: 403, body: zunError(403, 'container.over-quota', 'Quota exceeded') });
  assert.equal(error.message, 'creating capsule web-0: zun answered 403: Quota exceeded');
});

test('error answer: correlation id: out of the message, so that equal errors have equal text', () => {
  const id = '47168473-c68b-4cd8-ae76-e0fa21a379f3';
  const error = answer({
    status: 500,
    body: zunError(500, 'container.', `Something went wrong. Error Correlation id is: ${id}`),
  });
  assert.match(error.message, /Something went wrong\.$/);
  assert.deepEqual(error.cause, { requestId: undefined, correlationId: id });
});

test('error answer: Retry-After: is carried', () => {
  assert.equal(answer({ status: 503, headers: { 'retry-after': '7' } }).retryAfterMs, 7000);
});

test('error text: a schema error that quotes an environment: path and rule, no value', () => {
  const detail =
    "Invalid input for field 'SECRET'.Value: '['s3cr3t']'. ['s3cr3t'] is not of type 'string'\n\nFailed validating 'type' in schema['properties']['template']:\n    {'type': ['string']}\n\nOn instance['template']['spec']['containers'][0]['env']:\n    ['s3cr3t']";
  const { text } = errorText(Buffer.from(JSON.stringify(zunError(400, 'container.schema-validation-error', detail))));
  assert.equal(text, "invalid input at template.spec.containers[0].env.SECRET: is not of type 'string'");
});

test('error text: a schema error that quotes a whole container: names the unexpected key only', () => {
  const detail =
    "Invalid input for field '0'.Value: '{'image': 'nginx', 'env': {'P': 's3cr3t'}, 'livenessProbe': {}}'. Additional properties are not allowed ('livenessProbe' was unexpected)\n\nFailed validating 'additionalProperties' in schema:\n    {}\n\nOn instance['template']['spec']['containers']:\n    {'env': {'P': 's3cr3t'}}";
  const { text } = errorText(Buffer.from(JSON.stringify(zunError(400, 'container.schema-validation-error', detail))));
  assert.equal(
    text,
    "invalid input at template.spec.containers[0]: Additional properties are not allowed ('livenessProbe' was unexpected)",
  );
});

for (const [rule, words] of [
  ["'500m' is not of type 'number', 'null'", "is not of type 'number', 'null'"],
  ["'a' is too short", 'is too short'],
  ['16.5 is greater than the maximum of 16.0', 'is greater than the maximum of 16.0'],
  ["'SCTP' is not one of ['TCP', 'UDP']", "is not one of ['TCP', 'UDP']"],
  ["'s3cr3t-x' does not match '^[0-9]+$'", "does not match '^[0-9]+$'"],
  ["'image' is a required property", "'image' is a required property"],
  ['s3cr3t is something new', 'the value is not accepted'],
] as const) {
  test(`error text: schema rule "${words}": is kept without the value`, () => {
    const detail = `Invalid input for field 'f'.Value: 's3cr3t'. ${rule}\n\nFailed validating 'x' in schema`;
    const { text } = errorText(Buffer.from(JSON.stringify(zunError(400, 'c', detail))));
    assert.equal(text, `invalid input at f: ${words}`);
  });
}

test('error text: a Python traceback in detail: the title alone', () => {
  const body = zunError(
    400,
    'container.invalid-remote',
    'Cannot operate.\nTraceback (most recent call last):\n File "x"',
    'Cannot operate an uncreated container.',
  );
  assert.equal(errorText(Buffer.from(JSON.stringify(body))).text, 'Cannot operate an uncreated container.');
});

for (const [what, body, text] of [
  ['an empty body', '', ''],
  ['a page', '<html><head><title>502 Bad Gateway</title></head><body>x</body></html>', '502 Bad Gateway'],
  ['a page without title', '<p>Service <b>down</b></p>', 'Service down'],
  ['plain text', 'upstream connect error', 'upstream connect error'],
  ['JSON of another shape', '{"hello": "world"}', ''],
  ['an empty errors array', '{"errors": []}', ''],
  ['wrong types', '{"errors": [{"detail": 7, "title": null, "code": []}]}', ''],
  ['null', 'null', ''],
  ['control characters', 'a\u0000b\u001b[31mc', 'a b [31mc'],
] as const) {
  test(`error text: ${what}: one harmless line`, () => {
    assert.equal(errorText(Buffer.from(body)).text, text);
  });
}

test('error text: a megabyte: is cut', () => {
  assert.ok(errorText(Buffer.from('x'.repeat(5_000_000))).text.length <= 301);
  const deep = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  assert.ok(errorText(Buffer.from(deep)).text.length <= 301);
});

test('Retry-After: seconds, date, nonsense, negative, endless', () => {
  assert.equal(parseRetryAfter('5', 0), 5000);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 4000), 6000);
  assert.equal(parseRetryAfter('soon', 0), undefined);
  assert.equal(parseRetryAfter('Thu, 01 Jan 1970 00:00:10 GMT', 40_000), undefined);
  assert.equal(parseRetryAfter('999999999', 0), 3_600_000);
  assert.equal(parseRetryAfter(undefined, 0), undefined);
});
