import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Clock } from '../../../src/base/clock.ts';
import { AppError, isKind } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { HttpRequest, HttpResponse, Transport } from '../../../src/http/transport.ts';
import { findEndpoint } from '../../../src/openstack/catalog.ts';
import type { CloudAuth } from '../../../src/openstack/cloud-auth.ts';
import { createKeystone } from '../../../src/openstack/keystone.ts';

const epoch = Date.parse('2026-06-01T00:00:00Z');
const password: CloudAuth = {
  method: 'password',
  url: 'https://cloud/identity/v3',
  user: { name: 'demo', domain: { id: 'default' } },
  password: 's3cr3t',
  project: { name: 'web', domain: { id: 'default' } },
};

interface Setup {
  auth?: CloudAuth;
  lifeMs?: number;
  reply?: (call: number) => Partial<HttpResponse> | Error | undefined;
  token?: object;
  reload?: () => Promise<CloudAuth>;
}

/** A Keystone that answers at once, on a clock that the test moves. */
function setup({ auth = password, lifeMs = 3_600_000, reply, token = {}, reload }: Setup = {}) {
  let now = 0;
  const clock: Clock = { now: () => epoch + now, monotonic: () => now, after: () => () => {} };
  const requests: HttpRequest[] = [];
  const transport: Transport = {
    async request(request) {
      requests.push(request);
      const own = reply?.(requests.length);
      if (own instanceof Error) throw own;
      const body = {
        token: {
          methods: ['password'],
          issued_at: new Date(epoch + now).toISOString(),
          expires_at: new Date(epoch + now + lifeMs).toISOString(),
          user: { id: 'u1', name: 'demo' },
          project: { id: 'p1', name: 'web' },
          roles: [{ id: 'r', name: 'member' }],
          catalog: [],
          ...token,
        },
      };
      return {
        status: 201,
        headers: { 'x-subject-token': `token-${requests.length}` },
        body: Buffer.from(JSON.stringify(body)),
        ...own,
      };
    },
    stream: () => Promise.reject(new Error('not used')),
    setTls() {},
    close: async () => {},
  };
  const keystone = createKeystone({
    auth,
    transport: () => transport,
    clock,
    log: silentLog,
    userAgent: 'test',
    ...(reload && { reload }),
  });
  const move = (ms: number) => {
    now += ms;
  };
  return { keystone, requests, move };
}

const unreachable = new AppError({ kind: 'retryable', code: 'http.unreachable', message: 'no route', effect: 'none' });
const refused = {
  status: 401,
  body: Buffer.from('{"error": {"code": 401, "title": "Unauthorized", "message": "no"}}'),
};

test('keystone: many callers at once: one login', async () => {
  const { keystone, requests } = setup();
  const tokens = await Promise.all(Array.from({ length: 50 }, () => keystone.token()));
  assert.equal(requests.length, 1);
  assert.ok(tokens.every((token) => token.id === 'token-1' && token.projectId === 'p1' && token.roles[0] === 'member'));
});

test('keystone: password: the body that Keystone expects', async () => {
  const { keystone, requests } = setup();
  await keystone.token();
  assert.equal(requests[0]?.path, '/identity/v3/auth/tokens');
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), {
    auth: {
      identity: {
        methods: ['password'],
        password: { user: { name: 'demo', domain: { id: 'default' }, password: 's3cr3t' } },
      },
      scope: { project: { name: 'web', domain: { id: 'default' } } },
    },
  });
});

test('keystone: application credential: no scope', async () => {
  const { keystone, requests } = setup({
    auth: {
      method: 'application_credential',
      url: 'http://k/v3',
      credential: { name: 'node', user: { id: 'u1' } },
      secret: 's',
    },
  });
  await keystone.token();
  assert.deepEqual(JSON.parse(requests[0]?.body ?? ''), {
    auth: {
      identity: {
        methods: ['application_credential'],
        application_credential: { name: 'node', user: { id: 'u1' }, secret: 's' },
      },
    },
  });
});

test('keystone: a token of an hour: renewed when 15 minutes are left, not before', async () => {
  const { keystone, requests, move } = setup();
  await keystone.token();
  move(44 * 60_000);
  assert.equal((await keystone.token()).id, 'token-1');
  move(60_000);
  assert.equal((await keystone.token()).id, 'token-2');
  assert.equal(requests.length, 2);
});

test('keystone: a token of two minutes: renewed after three quarters of it', async () => {
  const { keystone, move } = setup({ lifeMs: 120_000 });
  await keystone.token();
  move(89_000);
  assert.equal((await keystone.token()).id, 'token-1');
  move(1000);
  assert.equal((await keystone.token()).id, 'token-2');
});

test('keystone: a token from a token: not renewed early, since it would not live longer', async () => {
  const { keystone, move } = setup({
    auth: { method: 'token', url: 'http://k/v3', token: 't', project: { id: 'p1' } },
  });
  await keystone.token();
  move(59 * 60_000);
  assert.equal((await keystone.token()).id, 'token-1');
});

test('keystone: out of reach at renewal: the old token while it lives, asked again after a pause', async () => {
  const { keystone, requests, move } = setup({ reply: (call) => (call > 1 ? unreachable : undefined) });
  await keystone.token();
  move(50 * 60_000);
  assert.equal((await keystone.token()).id, 'token-1');
  assert.equal((await keystone.token()).id, 'token-1');
  assert.equal(requests.length, 2);
  move(10_000);
  await keystone.token();
  assert.equal(requests.length, 3);
  move(10 * 60_000);
  await assert.rejects(keystone.token(), unreachable);
});

test('keystone: a refused token: is forgotten, another one is not', async () => {
  const { keystone } = setup();
  await keystone.token();
  keystone.refuse('token-0');
  assert.equal((await keystone.token()).id, 'token-1');
  keystone.refuse('token-1');
  assert.equal((await keystone.token()).id, 'token-2');
});

test('keystone: wrong password: says what to check, without the password', async () => {
  const { keystone } = setup({ reply: () => refused });
  await assert.rejects(keystone.token(), (error) => {
    assert.ok(isKind(error, 'unauthorized'));
    assert.equal(error.code, 'keystone.unauthorized');
    assert.equal(error.effect, 'none');
    assert.match(
      error.message,
      /logging in at https:\/\/cloud\/identity\/v3 as demo: keystone answered 401: no; check user, password/,
    );
    assert.doesNotMatch(error.message, /s3cr3t/);
    return true;
  });
});

test('keystone: wrong password, many callers: no further login for ten seconds', async () => {
  const { keystone, requests, move } = setup({ reply: () => refused });
  for (let i = 0; i < 20; i += 1) await assert.rejects(keystone.token());
  assert.equal(requests.length, 1);
  move(10_000);
  await assert.rejects(keystone.token());
  assert.equal(requests.length, 2);
});

test('keystone: refused, and the credentials have changed meanwhile: logs in with the new ones', async () => {
  const { keystone, requests } = setup({
    reply: (call) => (call === 1 ? refused : undefined),
    reload: async () => ({ ...password, password: 'n3w' }),
  });
  assert.equal((await keystone.token()).id, 'token-2');
  assert.match(requests[1]?.body ?? '', /n3w/);
});

test('keystone: refused, and the credentials are the same or cannot be read: no second login', async () => {
  for (const reload of [async () => ({ ...password }), () => Promise.reject(new Error('no file'))]) {
    const { keystone, requests } = setup({ reply: () => refused, reload });
    await assert.rejects(keystone.token(), (error) => isKind(error, 'unauthorized'));
    assert.equal(requests.length, 1);
  }
});

test('keystone: out of reach: every caller tries again', async () => {
  const { keystone, requests } = setup({ reply: (call) => (call === 1 ? unreachable : undefined) });
  await assert.rejects(keystone.token(), unreachable);
  assert.equal((await keystone.token()).id, 'token-2');
  assert.equal(requests.length, 2);
});

test('keystone: no project in the token: not scoped', async () => {
  const { keystone } = setup({ token: { project: undefined } });
  await assert.rejects(
    keystone.token(),
    (error) => isKind(error, 'unauthorized') && error.code === 'keystone.not-scoped',
  );
});

for (const [what, reply] of [
  ['no token header', { headers: {} }],
  ['garbage', { body: Buffer.from('<html>') }],
  ['another document', { body: Buffer.from('{"token": {"user": 7}}') }],
  ['a header that is no token', { headers: { 'x-subject-token': 'a b' } }],
] as const) {
  test(`keystone: ${what}: an error, retryable`, async () => {
    const { keystone } = setup({ reply: () => reply });
    await assert.rejects(
      keystone.token(),
      (error) => isKind(error, 'retryable') && error.code === 'keystone.bad-answer',
    );
  });
}

test('keystone: times that cannot be read: an error', async () => {
  const { keystone } = setup({ token: { expires_at: 'tomorrow' } });
  await assert.rejects(keystone.token(), (error) => isKind(error, 'retryable'));
});

test('keystone: another document at the auth URL: says so', async () => {
  const { keystone } = setup({ reply: () => ({ status: 404, body: Buffer.from('<title>Not Found</title>') }) });
  await assert.rejects(
    keystone.token(),
    (error) => isKind(error, 'retryable') && /no Identity v3 API at this auth_url/.test(error.message),
  );
});

test('keystone: one caller gives up: the others get their token', async () => {
  const { keystone, requests } = setup();
  const controller = new AbortController();
  const impatient = keystone.token(controller.signal);
  const patient = keystone.token();
  controller.abort();
  await assert.rejects(impatient, (error) => isKind(error, 'retryable') && error.code === 'http.aborted');
  assert.equal((await patient).id, 'token-1');
  assert.equal(requests.length, 1);
});

const catalog = [
  { type: 'compute', name: 'nova', endpoints: [] },
  {
    type: 'container',
    name: 'zun',
    endpoints: [
      { interface: 'public', region: 'A', url: 'https://a/container/v1/' },
      { interface: 'internal', region: 'A', url: 'http://a.internal/v1' },
      { interface: 'public', region: 'B', url: 'https://b/v1' },
    ],
  },
];
const zunTypes = ['application-container', 'container'];

async function endpoint(query: {
  region?: string;
  interface?: 'public' | 'internal' | 'admin';
  overrides?: Record<string, string>;
}) {
  const { keystone } = setup({
    token: {
      catalog: catalog.map((entry) => ({
        ...entry,
        endpoints: entry.endpoints.map((each) => ({ ...each, region_id: each.region })),
      })),
    },
  });
  return findEndpoint(await keystone.token(), { types: zunTypes, interface: 'public', overrides: {}, ...query });
}

test('catalog: type, interface and region: choose the endpoint', async () => {
  assert.equal(await endpoint({}), 'https://a/container/v1');
  assert.equal(await endpoint({ region: 'B' }), 'https://b/v1');
  assert.equal(await endpoint({ region: 'A', interface: 'internal' }), 'http://a.internal/v1');
});

test('catalog: an override by any name of the type: wins', async () => {
  assert.equal(await endpoint({ overrides: { container: 'http://mine/v1/' } }), 'http://mine/v1');
  assert.equal(await endpoint({ overrides: { 'application-container': 'http://mine' } }), 'http://mine');
});

test('catalog: wrong region: lists what is there', async () => {
  await assert.rejects(
    endpoint({ region: 'C' }),
    /no public in region C endpoint in project web's catalog, which has container public A, container internal A, container public B; set region_name/,
  );
});

test('catalog: no such service: lists the services', async () => {
  const { keystone } = setup({ token: { catalog: [{ type: 'compute', endpoints: [] }] } });
  const token = await keystone.token();
  assert.throws(
    () => findEndpoint(token, { types: zunTypes, interface: 'public', overrides: {} }),
    /which has compute; set region_name, interface or container_endpoint_override/,
  );
});
