import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { createCapsuleApi } from '../../../src/openstack/capsule-api.ts';
import { createContainers } from '../../../src/openstack/containers.ts';
import type { CapsuleTemplate } from '../../../src/openstack/types.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { type Reply, type Seen, startStub, zunError } from './stub.ts';

const open: { close(): Promise<void> }[] = [];
after(() => Promise.all(open.map((stub) => stub.close())));

async function start(reply: (seen: Seen) => Reply | undefined) {
  const stub = await startStub({ reply });
  open.push(stub);
  const zun = createZun(stub.session);
  return { stub, api: createCapsuleApi(zun), containers: createContainers(zun) };
}

interface Recorded {
  steps: { request?: { method: string; path: string }; response?: { status: number; body: Record<string, unknown> } }[];
}

/** What the real Zun answered to the first request of that method in a recorded vector. */
function recorded(id: string, method: string, nth = 0): { status: number; body: Record<string, unknown> } {
  const text = readFileSync(new URL(`../../data/zun-vectors/${id}.json`, import.meta.url), 'utf8');
  const vector = JSON.parse(text) as Recorded; // recorded, of this shape
  const response = vector.steps.filter((step) => step.request?.method === method)[nth]?.response;
  assert.ok(response, `${id} has no ${method}`);
  return { status: response.status, body: response.body };
}

const template: CapsuleTemplate = {
  capsuleVersion: 'beta',
  kind: 'capsule',
  metadata: { name: 'web-0', labels: {} },
  spec: { restartPolicy: 'Always', containers: [{ image: 'nginx' }] },
};
const uuid = '9ebb5c8c-ba03-402b-a611-f2629c1e45a8';
const owner = {
  'zunlet.io/cluster': 'c',
  'zunlet.io/node': 'n',
  'zunlet.io/namespace': 'web',
  'zunlet.io/pod': 'api-0',
  'zunlet.io/uid': 'u1',
};
const page = (key: string, items: unknown[], next: string | null = null): Reply => ({
  status: 200,
  body: { [key]: items, next },
});
const gone = zunError(404, 'container-not-found', 'Container x could not be found.');

test('create capsule: accepted: the template goes as an object, the answer comes normalised', async () => {
  const { stub, api } = await start(() => recorded('command_args_joined', 'POST'));
  const made = await api.create({ backend: 'capsule', template });
  assert.deepEqual(stub.calls[0]?.body, { template });
  assert.equal(made.backend, 'capsule');
  assert.equal(made.status, 'Creating');
  assert.deepEqual(made.labels, {});
  assert.deepEqual(made.addresses, {});
  assert.deepEqual(made.containers[0]?.command, ['a', 'b', 'c']);
  assert.deepEqual(made.init_containers, []);
});

test('create capsule: no network: invalid, but a row may be left', async () => {
  const { api } = await start(() => recorded('net_none', 'POST'));
  await assert.rejects(api.create({ backend: 'capsule', template }), (error) => {
    assert.ok(isKind(error, 'invalid'));
    assert.equal(error.effect, 'unknown');
    assert.equal(error.message, 'creating capsule web-0: zun answered 409: There is no neutron network available');
    return true;
  });
});

test('create capsule: a bad template: refused before anything is sent', async () => {
  const { stub, api } = await start(() => undefined);
  const bad = { ...template, spec: { ...template.spec, containers: [] } };
  await assert.rejects(
    api.create({ backend: 'capsule', template: bad }),
    (error) => isKind(error, 'invalid') && error.code === 'zun.template',
  );
  assert.equal(stub.calls.length, 0);
});

test('create capsule: 500: sent once, effect unknown', async () => {
  const { stub, api } = await start(() => zunError(500, '', 'Error Correlation id is: x'));
  await assert.rejects(
    api.create({ backend: 'capsule', template }),
    (error) => isKind(error, 'retryable') && error.effect === 'unknown',
  );
  assert.equal(stub.calls.length, 1);
});

test('create capsule: an answer that cannot be understood: effect unknown, the field is named', async () => {
  const answer = recorded('command_args_joined', 'POST');
  const { api } = await start(() => ({ ...answer, body: { ...answer.body, status: 7 } }));
  await assert.rejects(api.create({ backend: 'capsule', template }), (error) => {
    assert.ok(isKind(error, 'retryable'));
    assert.equal(error.code, 'zun.bad-answer');
    assert.equal(error.effect, 'unknown');
    assert.match(error.message, /zun sent an unexpected answer, status: expected string/);
    return true;
  });
});

test('get capsule: gone in the words of Zun: undefined', async () => {
  const { api } = await start(() => gone);
  assert.equal(await api.get('capsule', uuid), undefined);
});

for (const [what, reply] of [
  ['the page of a proxy', { status: 404, text: '<html><title>404 Not Found</title></html>' }],
  ['the router of Zun', zunError(404, '', 'Not Found')],
  [
    'an error of Keystone',
    { status: 404, body: { error: { code: 404, title: 'Not Found', message: 'no such path' } } },
  ],
] as const) {
  test(`get capsule: 404 from ${what}: an error, never "gone"`, async () => {
    const { api } = await start(() => reply);
    for (const call of [api.get('capsule', uuid), api.delete('capsule', uuid, 0), api.list()]) {
      await assert.rejects(call, (error) => isKind(error, 'retryable') && error.code === 'zun.not-zun');
    }
  });
}

test('get capsule: an id that is no uuid: never becomes part of a URL', async () => {
  const { stub, api } = await start(() => undefined);
  for (const id of ['../containers', 'web-0', uuid.toUpperCase(), `${uuid}?x=1`]) {
    await assert.rejects(api.get('capsule', id), (error) => isKind(error, 'invalid'));
  }
  assert.equal(stub.calls.length, 0);
});

test('get capsule: a row that failed before it was named: is read', async () => {
  const listed = recorded('net_none', 'GET').body['capsules'];
  assert.ok(Array.isArray(listed));
  const { api } = await start(() => ({ status: 200, body: listed[0] }));
  const capsule = await api.get('capsule', uuid);
  assert.deepEqual(
    [capsule?.name, capsule?.restart_policy, capsule?.labels, capsule?.containers],
    [null, null, {}, []],
  );
});

test('get capsule: a status of another release: Unknown', async () => {
  const answer = recorded('command_args_joined', 'POST');
  const { api } = await start(() => ({ status: 200, body: { ...answer.body, status: 'Hibernating' } }));
  assert.equal((await api.get('capsule', uuid))?.status, 'Unknown');
});

test('list: capsules, and of the containers only ours', async () => {
  const container = recorded('container_lifecycle', 'GET').body;
  const { api } = await start((seen) =>
    seen.url.startsWith('/container/v1/capsules')
      ? page('capsules', [recorded('command_args_joined', 'POST').body])
      : page('containers', [container, { ...container, uuid, labels: owner }]),
  );
  const all = await api.list();
  assert.deepEqual(
    all.map((capsule) => [capsule.backend, capsule.labels]),
    [
      ['capsule', {}],
      ['container', owner],
    ],
  );
  const ours = all[1];
  assert.equal(ours?.uuid, uuid);
  assert.equal(ours.containers[0]?.uuid, uuid);
  assert.equal(ours.status, 'Running');
  assert.equal(Object.values(ours.addresses)[0]?.[0]?.addr, '10.77.0.79');
});

test('list: pages: asked by marker, links are not followed', async () => {
  const capsule = recorded('command_args_joined', 'POST').body;
  const { stub, api } = await start((seen) => {
    if (seen.url.startsWith('/container/v1/containers')) return page('containers', []);
    return seen.url.includes('marker')
      ? page('capsules', [{ ...capsule, uuid: '11111111-2222-4333-8444-555555555555' }])
      : page('capsules', [capsule], `http://10.0.0.1:9517/v1/capsules?limit=200&marker=${uuid}`);
  });
  assert.equal((await api.list()).length, 2);
  const urls = stub.calls.map((seen) => seen.url).filter((url) => url.includes('capsules'));
  assert.deepEqual(urls, ['/container/v1/capsules?limit=200', `/container/v1/capsules?limit=200&marker=${uuid}`]);
});

test('list: one kind fails: an error, not the other half', async () => {
  const { api } = await start((seen) => (seen.url.includes('capsules') ? page('capsules', []) : { status: 503 }));
  await assert.rejects(api.list(), (error) => isKind(error, 'retryable'));
});

test('list: one capsule of the wrong type: an error that names the field', async () => {
  const capsule = recorded('command_args_joined', 'POST').body;
  const { api } = await start((seen) =>
    seen.url.includes('capsules')
      ? page('capsules', [capsule, { ...capsule, containers: 'none' }])
      : page('containers', []),
  );
  await assert.rejects(api.list(), /unexpected answer, capsules\[1\]\.containers: expected array/);
});

test('delete capsule: accepted or gone: done', async () => {
  const { stub, api } = await start((seen) => (seen.url.includes(uuid) ? { status: 204, text: '' } : gone));
  await api.delete('capsule', uuid, 30);
  await api.delete('capsule', '11111111-2222-4333-8444-555555555555', 30);
  assert.deepEqual(stub.calls.map((seen) => `${seen.method} ${seen.url}`)[0], `DELETE /container/v1/capsules/${uuid}`);
});

test('delete capsule: its host is down: retryable, effect unknown', async () => {
  const { api } = await start(() => zunError(500, '', 'problem'));
  await assert.rejects(
    api.delete('capsule', uuid, 0),
    (error) => isKind(error, 'retryable') && error.effect === 'unknown',
  );
});

test('create container: run=true, the answer is a capsule of one', async () => {
  const { stub, api } = await start(() => recorded('container_lifecycle', 'POST'));
  const made = await api.create({
    backend: 'container',
    container: { name: 'st1', image: 'nginx', labels: owner, memory: 128 },
  });
  assert.equal(stub.calls[0]?.url, '/container/v1/containers?run=true');
  assert.deepEqual(stub.calls[0].body, { name: 'st1', image: 'nginx', labels: owner, memory: 128 });
  assert.equal(made.backend, 'container');
  assert.equal(made.containers.length, 1);
  assert.equal(made.containers[0]?.interactive, true);
});

test('create container: quota: quota', async () => {
  const { api } = await start(() => zunError(403, 'over-quota', "Quota exceeded for resources: ['containers']"));
  const call = api.create({ backend: 'container', container: { name: 'st1', image: 'nginx', labels: {} } });
  await assert.rejects(call, (error) => isKind(error, 'quota') && error.effect === 'none');
});

test('delete container: stopped with its grace, then deleted', async () => {
  const { stub, api } = await start((seen) => (seen.method === 'POST' ? { status: 202 } : { status: 204, text: '' }));
  await api.delete('container', uuid, 45);
  assert.deepEqual(
    stub.calls.map((seen) => `${seen.method} ${seen.url}`),
    [`POST /container/v1/containers/${uuid}/stop?timeout=45`, `DELETE /container/v1/containers/${uuid}?stop=true`],
  );
});

test('delete container: does not run: deleted all the same', async () => {
  const { stub, api } = await start((seen) =>
    seen.method === 'POST'
      ? zunError(409, 'invalid-state-exception', 'Cannot stop container x in Stopped state')
      : { status: 204, text: '' },
  );
  await api.delete('container', uuid, 1);
  assert.equal(stub.calls.length, 2);
});

test('delete container: gone at the stop: done without a second call', async () => {
  const { stub, api } = await start(() => gone);
  await api.delete('container', uuid, 1);
  assert.equal(stub.calls.length, 1);
});

test('delete container: deletion under way: done', async () => {
  const { api } = await start((seen) =>
    zunError(
      409,
      'invalid-state-exception',
      `Cannot ${seen.method === 'POST' ? 'stop' : 'delete_after_stop'} container x in Deleting state`,
    ),
  );
  await api.delete('container', uuid, 1);
});

test('delete container: still being created: conflict, nothing happened', async () => {
  const { api } = await start(() =>
    zunError(409, 'invalid-state-exception', 'Cannot delete_after_stop container x in Creating state'),
  );
  await assert.rejects(
    api.delete('container', uuid, 1),
    (error) => isKind(error, 'conflict') && error.effect === 'none',
  );
});

test('container logs: query and text', async () => {
  const { stub, containers } = await start(() => recorded('container_lifecycle', 'GET', 1));
  const logs = await containers.logs(uuid, { stdout: true, stderr: false, timestamps: true, tail: 10, since: 7 });
  assert.equal(logs, 'hello\n');
  assert.equal(
    stub.calls[0]?.url,
    `/container/v1/containers/${uuid}/logs?stdout=true&stderr=false&timestamps=true&tail=10&since=7`,
  );
});

test('container execute: words are quoted for the shell that splits them', async () => {
  const { stub, containers } = await start(() => recorded('container_lifecycle', 'POST', 1));
  assert.deepEqual(await containers.execute(uuid, ['sh', '-c', `echo "it's" $HOME`]), { output: '', exitCode: 0 });
  const query = new URL(`http://x${stub.calls[0]?.url}`).searchParams;
  assert.equal(query.get('command'), `sh -c 'echo "it'"'"'s" $HOME'`);
  assert.deepEqual([query.get('run'), query.get('interactive')], ['true', 'false']);
});

test('container execute: nothing to execute: refused', async () => {
  const { stub, containers } = await start(() => undefined);
  await assert.rejects(containers.execute(uuid, []), (error) => isKind(error, 'invalid'));
  assert.equal(stub.calls.length, 0);
});

test('container execute: interactive: the WebSocket and the id', async () => {
  const { containers } = await start(() => recorded('container_lifecycle', 'POST', 2));
  const { execId, proxyUrl } = await containers.executeInteractive(uuid, ['sh']);
  assert.match(execId, /^[0-9a-f]{64}$/);
  assert.match(proxyUrl, /^ws:\/\/127\.0\.0\.1:6784\/\?token=/);
});

test('container attach: an address that is no WebSocket: an error', async () => {
  const { containers } = await start(() => ({ status: 200, body: 'file:///etc/passwd' }));
  await assert.rejects(containers.attach(uuid), (error) => isKind(error, 'retryable'));
});

test('container stats and top: numbers and rows', async () => {
  const { containers } = await start((seen) =>
    recorded('container_lifecycle', 'GET', seen.url.endsWith('/top') ? 2 : 3),
  );
  const stats = await containers.stats(uuid);
  assert.deepEqual(
    [stats.cpuPercent, stats.memoryMiB, stats.memoryLimitMiB, stats.networkReceivedBytes, stats.networkSentBytes],
    [10, 1, 1024, 1, 2],
  );
  assert.deepEqual((await containers.top(uuid)).titles, ['PID', 'USER', 'TIME', 'COMMAND']);
});

test('container archive: base64 both ways', async () => {
  const tar = Buffer.from([0, 1, 2, 255]);
  const { stub, containers } = await start((seen) =>
    seen.method === 'GET' ? { status: 200, body: { data: tar.toString('base64'), stat: {} } } : { status: 200 },
  );
  assert.deepEqual(await containers.getArchive(uuid, '/etc/hosts'), tar);
  await containers.putArchive(uuid, '/etc', tar);
  assert.deepEqual(stub.calls[1]?.body, { data: tar.toString('base64') });
});

test('container operations: gone: not found', async () => {
  const { containers } = await start(() => gone);
  await assert.rejects(containers.start(uuid), (error) => isKind(error, 'not-found'));
});
