import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { type Reply, type StubOptions, startStub, versionDocument, zunError } from './stub.ts';

const open: { close(): Promise<void> }[] = [];
after(() => Promise.all(open.map((stub) => stub.close())));

async function start(options: Partial<StubOptions> = {}) {
  const stub = await startStub({ reply: () => ({ status: 200, body: {} }), ...options });
  open.push(stub);
  return { stub, zun: createZun(stub.session) };
}

const read = { operation: 'test', attempt: 'reading', method: 'GET', path: '/capsules' } as const;
const write = { operation: 'test', attempt: 'writing', method: 'POST', path: '/capsules', body: { a: 1 } } as const;
const unauthorized: Reply = {
  status: 401,
  body: { error: { code: 401, title: 'Unauthorized', message: 'needs authentication' } },
};

test('session: a call: carries token, version, request id, Accept and the body', async () => {
  const { stub, zun } = await start();
  await zun.call({ ...write, query: { run: true, marker: undefined } });
  const [seen] = stub.calls;
  assert.equal(seen?.url, '/container/v1/capsules?run=true');
  assert.equal(seen.headers['x-auth-token'], 'token-1');
  assert.equal(seen.headers['openstack-api-version'], 'container 1.40');
  assert.equal(seen.headers.accept, 'application/json');
  assert.equal(seen.headers['content-type'], 'application/json');
  assert.equal(seen.headers['user-agent'], 'zunlet/test');
  assert.match(String(seen.headers['x-openstack-request-id']), /^req-[0-9a-f-]{36}$/);
  assert.deepEqual(seen.body, { a: 1 });
});

test('session: many calls: one login, one version document', async () => {
  const { stub, zun } = await start();
  await Promise.all(Array.from({ length: 20 }, () => zun.call(read)));
  assert.equal(stub.logins, 1);
  assert.equal(stub.reports.filter((report) => report.operation === 'versions').length, 1);
});

test('session: token refused once: logs in again and repeats the call, a POST too', async () => {
  const { stub, zun } = await start({
    reply: (_, { calls }) => (calls.length === 1 ? unauthorized : { status: 202, body: {} }),
  });
  await zun.call(write);
  assert.deepEqual(
    stub.calls.map((seen) => seen.headers['x-auth-token']),
    ['token-1', 'token-2'],
  );
});

test('session: token refused twice: unauthorized, no third try', async () => {
  const { stub, zun } = await start({ reply: () => unauthorized });
  await assert.rejects(zun.call(read), (error) => isKind(error, 'unauthorized') && error.code === 'zun.unauthorized');
  assert.equal(stub.calls.length, 2);
  assert.equal(stub.logins, 2);
});

test('session: login cut off: a write that was never sent has no effect', async () => {
  const { stub, zun } = await start({ login: () => 'cut' });
  await assert.rejects(zun.call(write), (error) => isKind(error, 'retryable') && error.effect === 'none');
  assert.equal(stub.calls.length, 0);
});

test('session: a write cut off: effect unknown, not repeated', async () => {
  const { stub, zun } = await start({ reply: () => 'cut' });
  await assert.rejects(zun.call(write), (error) => isKind(error, 'retryable') && error.effect === 'unknown');
  assert.equal(stub.calls.length, 1);
});

test('session: a read cut off: effect none', async () => {
  const { zun } = await start({ reply: () => 'cut' });
  await assert.rejects(zun.call(read), (error) => isKind(error, 'retryable') && error.effect === 'none');
});

test('session: no answer in time: says so, effect unknown for a write', async () => {
  const { zun } = await start({ reply: () => 'hang' });
  await assert.rejects(
    zun.call({ ...write, timeoutMs: 50 }),
    (error) => isKind(error, 'retryable') && error.code === 'http.timeout' && error.effect === 'unknown',
  );
});

test('session: onCall: hears service, operation, code and the request id', async () => {
  const { stub, zun } = await start({
    reply: () => ({ status: 200, body: {}, headers: { 'x-openstack-request-id': 'req-1' } }),
  });
  await zun.call(read);
  assert.deepEqual(
    stub.reports.map((each) => `${each.service} ${each.operation} ${each.code}`),
    ['keystone login 201', 'zun versions 200', 'zun test 200'],
  );
  const report = stub.reports.at(-1);
  assert.deepEqual(
    { ...report, durationMs: 0 },
    { service: 'zun', operation: 'test', code: '200', durationMs: 0, requestId: 'req-1' },
  );
});

test('session: another region than the catalog has: no call, the catalog is named', async () => {
  const { stub, zun } = await start({ env: { OS_REGION_NAME: 'S' } });
  await assert.rejects(
    zun.call(write),
    (error) => isKind(error, 'retryable') && error.code === 'keystone.no-endpoint' && error.effect === 'none',
  );
  assert.equal(stub.calls.length, 0);
});

for (const [max, used] of [
  ['1.40', 'container 1.40'],
  ['1.36', 'container 1.36'],
  ['1.99', 'container 1.40'],
  ['2.3', 'container 1.40'],
] as const) {
  test(`versions: server up to ${max}: ${used} is sent`, async () => {
    const { stub, zun } = await start({ versions: () => versionDocument('1.1', max) });
    await zun.call(read);
    assert.equal(stub.calls[0]?.headers['openstack-api-version'], used);
  });
}

test('versions: a server older than 1.32: unsupported, nothing is sent', async () => {
  const { stub, zun } = await start({ versions: () => versionDocument('1.1', '1.31') });
  await assert.rejects(
    zun.call(write),
    (error) => isKind(error, 'unsupported') && error.code === 'zun.too-old' && error.effect === 'none',
  );
  assert.equal(stub.calls.length, 0);
});

test('versions: a proxy that passes only /v1: the headers of /v1 tell', async () => {
  const headers = {
    'openstack-api-minimum-version': 'container 1.1',
    'openstack-api-maximum-version': 'container 1.38',
  };
  const { stub, zun } = await start({
    versions: () => ({ status: 404, text: '<html>nginx</html>' }),
    reply: () => ({ status: 200, body: {}, headers }),
  });
  await zun.call(read);
  assert.deepEqual(
    stub.calls.map((seen) => [seen.url, seen.headers['x-auth-token']]),
    [
      ['/container/v1', undefined],
      ['/container/v1/capsules', 'token-1'],
    ],
  );
  assert.equal(stub.calls[1]?.headers['openstack-api-version'], 'container 1.38');
});

test('versions: something else at the endpoint: says so and asks again next time', async () => {
  const { stub, zun } = await start({
    versions: () => ({ status: 200, text: 'hello' }),
    reply: () => ({ status: 404, text: 'no' }),
  });
  await assert.rejects(zun.call(read), /is this Zun\? check the catalog or container_endpoint_override/);
  await assert.rejects(zun.call(read));
  assert.equal(stub.calls.length, 2);
});

test('versions: Zun replaced by an older one: negotiated anew after its 500', async () => {
  let max = '1.40';
  const { stub, zun } = await start({
    versions: () => versionDocument('1.1', max),
    reply: (seen) =>
      seen.headers['openstack-api-version'] === `container ${max}`
        ? { status: 200, body: {} }
        : { status: 500, text: '' },
  });
  await zun.call(read);
  max = '1.36';
  await assert.rejects(zun.call(read));
  await zun.call(read);
  assert.equal(stub.calls.length, 3);
});

test('session: an error of Zun: classified, with the attempt', async () => {
  const { zun } = await start({ reply: () => zunError(403, 'policy-not-authorized', "Policy doesn't allow it.") });
  await assert.rejects(
    zun.call(write),
    (error) => isKind(error, 'forbidden') && error.message === "writing: zun answered 403: Policy doesn't allow it.",
  );
});
