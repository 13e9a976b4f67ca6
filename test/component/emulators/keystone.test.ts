import assert from 'node:assert/strict';
import { test } from 'node:test';
import { passwordIdentity, projectScope, startCloud, type TestCloud } from './lib.ts';

const wrong = 'The request you have made requires authentication.';

function credential(cloud: TestCloud): { id: string; secret: string } {
  const [item] = cloud.keystone.identity.applicationCredentials;
  assert.ok(item);
  return item;
}

async function zunStatus(cloud: TestCloud, token: string): Promise<number> {
  const response = await fetch(`${cloud.zun.url}/capsules`, { headers: { 'x-auth-token': token } });
  await response.text();
  return response.status;
}

test('keystone: password with a project: a token in a header, a catalog with both types of Zun', async (context) => {
  const cloud = await startCloud(context, { region: 'R1' });
  const { status, headers, json } = await cloud.login(passwordIdentity('demo', 'demopw'), projectScope('demo'));
  assert.equal(status, 201);
  const { token } = json as {
    token: { expires_at: string; catalog: { type: string; endpoints: { url: string; region: string }[] }[] };
  };
  assert.match(token.expires_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/);
  assert.deepEqual(
    token.catalog.map((service) => service.type),
    ['container', 'application-container', 'network', 'volumev3'],
  );
  assert.deepEqual(
    [token.catalog[0]?.endpoints[0]?.url, token.catalog[0]?.endpoints[0]?.region],
    [cloud.zun.url, 'R1'],
  );
  assert.equal(await zunStatus(cloud, headers.get('x-subject-token') ?? ''), 200);
});

test('keystone: application credential: its own project, no scope allowed', async (context) => {
  const cloud = await startCloud(context);
  const { id, secret } = credential(cloud);
  const identity = { methods: ['application_credential'], application_credential: { id, secret } };
  const { status, json } = await cloud.login(identity);
  assert.equal(status, 201);
  assert.equal((json as { token: { project: { name: string } } }).token.project.name, 'demo');
  assert.equal((await cloud.login(identity, projectScope('demo'))).status, 401);
  cloud.keystone.control.removeApplicationCredential('zunlet');
  assert.equal((await cloud.login(identity)).status, 401);
});

test('keystone: a token for a token: the end stays where it was', async (context) => {
  const cloud = await startCloud(context);
  await cloud.clock.advance(600_000);
  const identity = { methods: ['token'], token: { id: cloud.token } };
  const { status, json } = await cloud.login(identity, projectScope('demo'));
  assert.equal(status, 201);
  const end = Date.parse((json as { token: { expires_at: string } }).token.expires_at);
  assert.ok(end - cloud.clock.now() < 3_000_001);
});

test('keystone: wrong password, disabled user, disabled project, unknown project: 401 without a reason', async (context) => {
  const cloud = await startCloud(context);
  const attempt = async (name: string, password: string, project = name) => {
    const reply = await cloud.login(passwordIdentity(name, password), projectScope(project));
    return [reply.status, (reply.json as { error?: { message: string } }).error?.message];
  };
  assert.deepEqual(await attempt('demo', 'nope'), [401, wrong]);
  assert.deepEqual(await attempt('demo', 'demopw', 'nowhere'), [401, wrong]);
  cloud.keystone.control.enableUser('demo', false);
  assert.deepEqual(await attempt('demo', 'demopw'), [401, wrong]);
  cloud.keystone.control.enableProject('other', false);
  assert.deepEqual(await attempt('other', 'otherpw'), [401, wrong]);
});

test('keystone: a login that cannot be read: 400', async (context) => {
  const cloud = await startCloud(context);
  const { status, json } = await cloud.login({
    methods: ['password'],
    password: { user: { name: 'demo', password: 'x' } },
  });
  assert.equal(status, 400);
  assert.match(JSON.stringify(json), /Expecting to find domain in user/);
});

test('keystone: tokens expire, are shortened, are revoked: Zun answers 401 with the way to Keystone', async (context) => {
  const cloud = await startCloud(context, { tokenLifeMs: 60_000 });
  assert.equal(await zunStatus(cloud, cloud.token), 200);
  cloud.keystone.control.shortenTokens(1000);
  await cloud.clock.advance(1500);
  const response = await fetch(`${cloud.zun.url}/capsules`, { headers: { 'x-auth-token': cloud.token } });
  assert.deepEqual(await response.json(), { error: { code: 401, title: 'Unauthorized', message: wrong } });
  assert.match(response.headers.get('www-authenticate') ?? '', /^Keystone uri="http:/);
  const again = await cloud.login(passwordIdentity('demo', 'demopw'), projectScope('demo'));
  const token = again.headers.get('x-subject-token') ?? '';
  assert.equal(await zunStatus(cloud, token), 200);
  cloud.keystone.control.revokeTokens();
  assert.equal(await zunStatus(cloud, token), 401);
});

test('keystone: out of reach: logins are refused, Zun answers 503, then all is well', async (context) => {
  const cloud = await startCloud(context);
  await cloud.keystone.control.goDown();
  assert.equal(await zunStatus(cloud, cloud.token), 503);
  await assert.rejects(cloud.login(passwordIdentity('demo', 'demopw')));
  await cloud.keystone.control.comeUp();
  assert.equal(await zunStatus(cloud, cloud.token), 200);
});

test('neutron and cinder: ports of a capsule and volumes: seen, deleted, and refused without a token', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({});
  const ask = async (url: string, method = 'GET', token = cloud.token, body?: unknown) => {
    const response = await fetch(url, {
      method,
      headers: { 'x-auth-token': token },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    return { status: response.status, text: await response.text() };
  };
  const { ports } = JSON.parse((await ask(`${cloud.neutron.url}/v2.0/ports?device_id=${uuid}`)).text) as {
    ports: { id: string }[];
  };
  assert.equal(ports.length, 1);
  assert.equal((await ask(`${cloud.neutron.url}/v2.0/ports/${ports[0]?.id}`, 'DELETE')).status, 204);
  assert.equal((await ask(`${cloud.neutron.url}/v2.0/networks`, 'GET', 'bad')).status, 401);
  const project = cloud.keystone.identity.projects[0]?.id;
  const made = await ask(`${cloud.cinder.url}/${project}/volumes`, 'POST', cloud.token, {
    volume: { size: 1, name: 'data' },
  });
  assert.equal(made.status, 202);
  const listed = JSON.parse((await ask(`${cloud.cinder.url}/${project}/volumes?name=data`)).text) as {
    volumes: { status: string }[];
  };
  assert.deepEqual(
    listed.volumes.map((volume) => volume.status),
    ['available'],
  );
});
