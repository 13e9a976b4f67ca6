import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { createMovableClock } from '../../../src/emulators/clock.ts';
import { type CloudEmulator, createCloudEmulator } from '../../../src/emulators/cloud.ts';

let cloud: CloudEmulator;
let token = '';

before(async () => {
  cloud = await createCloudEmulator({ clock: createMovableClock({ base: systemClock, manual: true }) });
  token = await login('demo', 'demopw');
});
after(() => cloud.close());

async function login(name: string, password: string): Promise<string> {
  const user = { name, password, domain: { id: 'default' } };
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name, domain: { id: 'default' } } },
  };
  const response = await fetch(`${cloud.keystone.url}/auth/tokens`, { method: 'POST', body: JSON.stringify({ auth }) });
  assert.equal(response.status, 201);
  return response.headers.get('x-subject-token') ?? '';
}

async function zun(method: string, path: string, body?: unknown): Promise<{ status: number; json: Json }> {
  const response = await fetch(`${cloud.zun.url}${path}`, {
    method,
    headers: {
      'x-auth-token': token,
      'openstack-api-version': 'container 1.40',
      accept: 'application/json',
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, json: text === '' ? {} : (JSON.parse(text) as Json) };
}

type Json = Record<string, unknown>;

function template(over: Json = {}): Json {
  const spec = { restartPolicy: 'Always', containers: [{ image: 'busybox', command: ['sleep', '1d'] }] };
  return { template: { kind: 'capsule', metadata: { name: 'web', labels: { a: 'b' } }, spec, ...over } };
}

test('emulated cloud: a capsule is created: it goes from Creating to Running with an address', async () => {
  const created = await zun('POST', '/capsules', template());
  assert.equal(created.status, 202);
  assert.equal(created.json['status'], 'Creating');
  await cloud.clock.advance(1000);
  const running = await zun('GET', `/capsules/${created.json['uuid']}`);
  assert.equal(running.json['status'], 'Running');
  assert.match(JSON.stringify(running.json['addresses']), /127\.77\./);
});

test('emulated cloud: a capsule is deleted: it shows no change until it is gone', async () => {
  const { json } = await zun('POST', '/capsules', template());
  await cloud.clock.advance(1000);
  assert.equal((await zun('DELETE', `/capsules/${json['uuid']}`)).status, 204);
  assert.equal((await zun('GET', `/capsules/${json['uuid']}`)).json['status'], 'Running');
  await cloud.clock.advance(1000);
  assert.equal((await zun('GET', `/capsules/${json['uuid']}`)).status, 404);
  assert.deepEqual(cloud.zun.control.leftovers(), []);
});
