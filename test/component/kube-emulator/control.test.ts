import assert from 'node:assert/strict';
import { after, afterEach, before, test } from 'node:test';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { resourceNamed } from '../../../src/emulators/kube/resources.ts';
import { type Client, createClient, podBody } from './client.ts';

const pods = '/api/v1/namespaces/default/pods';
const maps = '/api/v1/namespaces/default/configmaps';

let emulator: KubeEmulator;
let client: Client;

before(async () => {
  emulator = await createKubeEmulator({ controllers: [], historyLimit: 1000 });
  client = createClient(emulator.url, { 'user-agent': 'test/1' });
});
after(async () => {
  await client.close();
  await emulator.close();
});
afterEach(async () => {
  emulator.control.clearFaults();
  await emulator.control.release();
});

test('control: fault 429 for two calls: two refusals with Retry-After, then the answer', async () => {
  emulator.control.fault({
    match: { verb: 'get', resource: 'pods' },
    action: { kind: 'status', status: 429, retryAfterSeconds: 3 },
    times: 2,
  });
  const replies = [await client.get(`${pods}/x`), await client.get(`${pods}/x`), await client.get(`${pods}/x`)];
  assert.deepEqual(
    replies.map(({ status }) => status),
    [429, 429, 404],
  );
  assert.equal(replies[0]?.headers['retry-after'], '3');
  assert.equal(replies[0]?.body.reason, 'TooManyRequests');
});

test('control: fault lose-answer: the connection breaks and the effect stays', async () => {
  emulator.control.fault({
    match: { verb: 'create', resource: 'configmaps' },
    action: { kind: 'lose-answer' },
    times: 1,
  });
  await assert.rejects(client.post(maps, { metadata: { name: 'lost' } }));
  assert.equal((await client.get(`${maps}/lost`)).status, 200);
});

test('control: fault refuse: the connection breaks and there is no effect', async () => {
  const remove = emulator.control.fault({ match: { verb: 'create' }, action: { kind: 'refuse' } });
  await assert.rejects(client.post(maps, { metadata: { name: 'refused' } }));
  remove();
  assert.equal((await client.get(`${maps}/refused`)).status, 404);
  assert.equal((await client.post(maps, { metadata: { name: 'refused' } })).status, 201);
});

test('control: fault slow: the effect comes when the time has passed', async () => {
  emulator.control.fault({ match: { verb: 'create', name: '' }, action: { kind: 'slow', ms: 60_000 }, times: 1 });
  emulator.control.resetCalls();
  const slow = client.post(maps, { metadata: { name: 'slow' } });
  while (emulator.control.calls({ verb: 'create' }).length === 0) await new Promise((done) => setImmediate(done));
  assert.equal((await client.get(`${maps}/slow`)).status, 404);
  await emulator.control.advance(60_000);
  assert.equal((await slow).status, 201);
});

test('control: outage: connections are refused, then taken on the same port', async () => {
  const end = await emulator.control.outage();
  await assert.rejects(client.get('/version'), /ECONNREFUSED/);
  await end();
  assert.equal((await client.get('/version')).status, 200);
});

test('control: counts: calls by verb and resource, for one user agent', async () => {
  emulator.control.resetCalls();
  await client.post(pods, podBody('counted'));
  await client.patch(`${pods}/counted/status`, { status: { phase: 'Running' } });
  await client.get(pods);
  assert.deepEqual(emulator.control.counts({ userAgent: 'test/1' }), {
    'create pods': 1,
    'patch pods/status': 1,
    'list pods': 1,
  });
  assert.deepEqual(emulator.control.counts({ userAgent: 'other' }), {});
  assert.equal(emulator.control.calls({ resource: 'pods/status' })[0]?.status, 200);
});

test('watches: cut: the connection breaks; a new one goes on from the last version', async () => {
  const { resourceVersion } = (await client.get(maps)).body.metadata;
  const first = await client.watch(`${maps}?watch=1&resourceVersion=${resourceVersion}`);
  await client.post(maps, { metadata: { name: 'w1' } });
  const [line] = await first.count(1);
  emulator.control.cutWatches('configmaps');
  assert.equal(await first.ended, false);
  await client.post(maps, { metadata: { name: 'w2' } });
  const second = await client.watch(`${maps}?watch=1&resourceVersion=${line?.object.metadata.resourceVersion}`);
  const lines = await second.count(1);
  assert.deepEqual(
    lines.map(({ type, object }) => [type, object.metadata.name]),
    [['ADDED', 'w2']],
  );
  second.close();
});

test('watches: expire: an ERROR event with 410, then the end', async () => {
  const watch = await client.watch(`${maps}?watch=1`);
  emulator.control.expireWatches();
  assert.equal(await watch.ended, true);
  const last = watch.lines.at(-1);
  assert.deepEqual([last?.type, last?.object.code, last?.object.reason], ['ERROR', 410, 'Expired']);
});

test('watches: compaction: an older version and the rest of a page answer 410', async () => {
  for (const name of ['c1', 'c2', 'c3']) await client.post(maps, { metadata: { name } });
  const page = await client.get(`${maps}?limit=1`);
  emulator.control.compact();
  await client.post(maps, { metadata: { name: 'c4' } });
  const rest = await client.get(`${maps}?limit=1&continue=${page.body.metadata.continue}`);
  assert.deepEqual([rest.status, rest.body.reason], [410, 'Expired']);
  const watch = await client.get(`${maps}?watch=1&resourceVersion=1`);
  assert.deepEqual([watch.status, watch.body.reason], [410, 'Expired']);
});

test('watches: history is limited: a version beyond it answers 410', async () => {
  const { resourceVersion } = (await client.get(maps)).body.metadata;
  for (let index = 0; index < 2100; index++) {
    emulator.registry.update({
      ...target('c1'),
      subresource: '',
      make: (copy) => ({ ...copy, data: { index: String(index) } }),
    });
  }
  const reply = await client.get(`${maps}?watch=1&resourceVersion=${resourceVersion}`);
  assert.equal(reply.status, 410);
});

function target(name: string) {
  return { resource: resourceNamed('configmaps'), namespace: 'default', name, user: { name: 'test', groups: [] } };
}

test('watches: held back: nothing comes until they are released, and nothing is lost', async () => {
  const watch = await client.watch(`${maps}?watch=1&fieldSelector=metadata.name=held`);
  const release = emulator.control.holdWatches();
  await client.post(maps, { metadata: { name: 'held' } });
  await client.delete(`${maps}/held`);
  assert.equal(watch.lines.length, 0);
  release();
  const lines = await watch.count(2);
  assert.deepEqual(
    lines.map(({ type }) => type),
    ['ADDED', 'DELETED'],
  );
  watch.close();
});

test('watches: begun while others are held back: nothing comes twice', async () => {
  const release = emulator.control.holdWatches();
  await client.post(maps, { metadata: { name: 'once' } });
  const watch = await client.watch(`${maps}?watch=1&fieldSelector=metadata.name=once`);
  release();
  await client.delete(`${maps}/once`);
  const lines = await watch.count(2);
  assert.deepEqual(
    lines.map(({ type }) => type),
    ['ADDED', 'DELETED'],
  );
  watch.close();
});

test('watches: a minute of silence: a bookmark with the newest version', async () => {
  const watch = await client.watch(`${maps}?watch=1&allowWatchBookmarks=true&fieldSelector=metadata.name=none`);
  await client.post(maps, { metadata: { name: 'news' } });
  await emulator.control.advance(60_000);
  const [line] = await watch.count(1);
  const { resourceVersion } = (await client.get(maps)).body.metadata;
  assert.deepEqual([line?.type, line?.object.metadata.resourceVersion], ['BOOKMARK', resourceVersion]);
  watch.close();
});

test('lists: frozen cache: reads at version 0 are stale, others are not', async () => {
  const release = emulator.control.freezeCache();
  await client.post(maps, { metadata: { name: 'fresh' } });
  const names = async (query: string) => {
    const { body } = await client.get(`${maps}?${query}`);
    return body.items.some((item) => item.metadata.name === 'fresh');
  };
  assert.deepEqual([await names('resourceVersion=0'), await names('')], [false, true]);
  release();
  assert.equal(await names('resourceVersion=0'), true);
});

test('tls: no credentials 401, a token and a certificate let in, a revoked token does not', async () => {
  const secure = await createKubeEmulator({ tls: true, controllers: [] });
  const { ca } = secure;
  const status = async (headers: Record<string, string>, connect: object = {}) => {
    const one = createClient(secure.url, headers, { ca, ...connect });
    const reply = await one.post('/apis/authentication.k8s.io/v1/selfsubjectreviews', {});
    await one.close();
    return [reply.status, reply.body.status?.userInfo?.username];
  };
  const user = { name: 'system:node:n', groups: ['system:nodes'] };
  assert.equal((await status({}))[0], 401);
  const token = secure.control.issueToken(user, 60_000);
  assert.deepEqual(await status({ authorization: `Bearer ${token}` }), [201, 'system:node:n']);
  const config = secure.kubeconfig({ user, as: 'certificate' });
  const pem = (name: string) => Buffer.from(new RegExp(`${name}: (\\S+)`).exec(config)?.[1] ?? '', 'base64').toString();
  const identity = { cert: pem('client-certificate-data'), key: pem('client-key-data') };
  assert.deepEqual(await status({}, identity), [201, 'system:node:n']);
  await secure.control.advance(60_000);
  assert.equal((await status({ authorization: `Bearer ${token}` }))[0], 401);
  await secure.close();
});

test('reviews: service account token: TokenReview knows whose it is, SubjectAccessReview asks the script', async () => {
  const minted = await client.post('/api/v1/namespaces/default/serviceaccounts/default/token', { spec: {} });
  const review = await client.post('/apis/authentication.k8s.io/v1/tokenreviews', {
    spec: { token: minted.body.status.token },
  });
  assert.equal(review.body.status.user.username, 'system:serviceaccount:default:default');
  const unknown = await client.post('/apis/authentication.k8s.io/v1/tokenreviews', { spec: { token: 'nonsense' } });
  assert.notEqual(unknown.body.status.authenticated, true);
  const access = async () => {
    const body = { spec: { user: 'u', resourceAttributes: { verb: 'get', resource: 'nodes', subresource: 'proxy' } } };
    return (await client.post('/apis/authorization.k8s.io/v1/subjectaccessreviews', body)).body.status;
  };
  assert.deepEqual(await access(), { allowed: true });
  emulator.control.onAccessReview(({ user, subresource }) =>
    user === 'u' && subresource === 'proxy' ? 'not you' : undefined,
  );
  assert.deepEqual(await access(), { allowed: false, reason: 'not you' });
});
