import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Json, startCloud } from './lib.ts';

const wish = { name: 'r-1', domain: 'private.example', username: 'u', password: 'pw' };

test('registries: create, list, delete: the password comes back as stars', async (context) => {
  const cloud = await startCloud(context);
  const made = await cloud.call('POST', '/registries', { registry: wish });
  assert.equal(made.status, 201);
  const registry = made.json['registry'] as Json;
  assert.deepEqual([registry['name'], registry['password']], ['r-1', '***']);
  const listed = (await cloud.call('GET', '/registries')).json['registries'] as Json[];
  assert.deepEqual(listed, [registry]);
  assert.equal((await cloud.call('DELETE', `/registries/${registry['uuid']}`)).status, 204);
  assert.equal((await cloud.call('GET', `/registries/${registry['uuid']}`)).status, 404);
});

test('registries: an unknown field: 400', async (context) => {
  const cloud = await startCloud(context);
  assert.equal((await cloud.call('POST', '/registries', { registry: { ...wish, tls: true } })).status, 400);
});

test('registries: an image of a private host: pulled with a login only; one in use is not deleted', async (context) => {
  const cloud = await startCloud(context);
  const image = 'private.example/team/app:1';
  const status = async (uuid: string) => (await cloud.call('GET', `/containers/${uuid}`)).json['status'];
  assert.equal(await status(await cloud.container({ image })), 'Error');
  const { json } = await cloud.call('POST', '/registries', { registry: wish });
  const { uuid: registry } = json['registry'] as Json;
  const uuid = await cloud.container({ image, registry, command: ['sleep', '1d'] });
  assert.equal(await status(uuid), 'Running');
  assert.equal((await cloud.call('GET', `/containers/${uuid}`)).json['registry_id'], registry);
  assert.equal((await cloud.call('DELETE', `/registries/${registry}`)).status, 500);
  const missing = { image, registry: '00000000-0000-4000-8000-000000000000' };
  assert.equal((await cloud.call('POST', '/containers?run=true', missing)).status, 404);
});
