import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { sleep, systemClock } from '../../../src/base/clock.ts';
import { isKind } from '../../../src/base/errors.ts';
import { ownerLabels } from '../../../src/base/identity.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createCapsuleApi } from '../../../src/openstack/capsule-api.ts';
import { createCinder } from '../../../src/openstack/cinder.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { createContainers } from '../../../src/openstack/containers.ts';
import { createNeutron } from '../../../src/openstack/neutron.ts';
import { createSession, type Session } from '../../../src/openstack/session.ts';
import type { BackendName, Capsule, CapsuleTemplate } from '../../../src/openstack/types.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { createZunProject } from '../../../src/openstack/zun-project.ts';
import { until } from '../lib/processes.ts';
import type { OpenStackEnvironment } from './identity.ts';
import { startRealZun } from './start.ts';

// The other tests have `container` in the catalog; tokens are short so that they are renewed in the middle.
const bed = await startRealZun({ serviceType: 'application-container', tokenSeconds: 20 });
const sessions: Session[] = [];
after(async () => {
  await Promise.all(sessions.map((session) => session.close()));
  await bed.stop();
});

/** Clients with the variables of an account, or a part of them. */
async function connect(env: OpenStackEnvironment | Record<string, string> = bed.env) {
  const cloud = await loadCloud({ env, cwd: '/', readFile: async () => undefined });
  const session = createSession({ cloud, clock: systemClock, log: silentLog, userAgent: 'zunlet/test' });
  sessions.push(session);
  const zun = createZun(session);
  return {
    session,
    zun,
    api: createCapsuleApi(zun),
    containers: createContainers(zun),
    project: createZunProject(zun),
  };
}

type Clients = Awaited<ReturnType<typeof connect>>;

function settled(
  api: Clients['api'],
  backend: BackendName,
  uuid: string,
  isSettled: (capsule: Capsule) => boolean,
): Promise<Capsule> {
  return until(
    `${backend} ${uuid} settles`,
    async () => {
      const found = await api.get(backend, uuid);
      return found && isSettled(found) ? found : undefined;
    },
    { limitMs: 60_000, everyMs: 300 },
  );
}

function gone(api: Clients['api'], backend: BackendName, uuid: string) {
  return until(`${backend} ${uuid} is gone`, async () => (await api.get(backend, uuid)) === undefined, {
    limitMs: 60_000,
    everyMs: 300,
  });
}

const labels = ownerLabels({ cluster: 'c1', node: 'n1', namespace: 'web', pod: 'api-0', uid: 'u1' });
const template: CapsuleTemplate = {
  capsuleVersion: 'beta',
  kind: 'capsule',
  metadata: { name: 'api-0', labels, annotations: { note: { any: ['thing'] } } },
  spec: {
    restartPolicy: 'Always',
    containers: [
      { image: 'nginx', env: { A: '1' }, resources: { requests: { cpu: 0.5, memory: 128 } } },
      { image: 'redis' },
    ],
  },
};
const nowhere = '11111111-2222-4333-8444-555555555555';

test('client: login, catalog, versions, quota, zones: as the real services have them', async () => {
  const { session, zun, project } = await connect();
  const token = await session.token();
  assert.ok(token.roles.includes('member'));
  assert.equal(token.projectName, 'demo');
  assert.deepEqual((await zun.version()).used, [1, 40]);
  assert.deepEqual((await project.quotas())['containers'], { limit: 40, inUse: 0 });
  assert.deepEqual(await project.availabilityZones(), ['nova']);
});

test('client: a capsule: created, listed, read with its port, deleted', async () => {
  const { session, api } = await connect();
  const made = await api.create({ backend: 'capsule', template });
  assert.deepEqual([made.status, made.labels, made.containers.length], ['Creating', labels, 2]);
  const running = await settled(
    api,
    'capsule',
    made.uuid,
    (capsule) => capsule.status !== 'Creating' && capsule.status !== 'Created',
  );
  assert.equal(running.status, 'Running', running.status_reason ?? '');
  assert.deepEqual(
    running.containers.map((container) => container.image),
    ['nginx', 'redis'],
  );
  const [port, ...others] = await createNeutron(session).ports({ deviceId: made.uuid });
  assert.equal(others.length, 0);
  assert.deepEqual(
    Object.values(running.addresses)
      .flat()
      .map((address) => address.addr),
    port?.addresses,
  );
  assert.ok((await api.list()).some((capsule) => capsule.uuid === made.uuid));
  await api.delete('capsule', made.uuid, 30);
  await gone(api, 'capsule', made.uuid);
  await api.delete('capsule', made.uuid, 30);
});

test('client: a standalone container: every operation, then deleted with grace', async () => {
  const { api, containers } = await connect();
  const container = {
    name: 'single',
    image: 'nginx',
    labels,
    entrypoint: ['nginx'],
    command: ['-g', 'x'],
    environment: { A: '1' },
    memory: 128,
    interactive: true,
    tty: true,
  };
  const { uuid } = await api.create({ backend: 'container', container });
  await settled(api, 'container', uuid, (capsule) => capsule.status === 'Running');
  assert.ok((await api.list()).some((capsule) => capsule.uuid === uuid && capsule.backend === 'container'));
  assert.equal(
    typeof (await containers.logs(uuid, { stdout: true, stderr: true, timestamps: false, tail: 5, since: 1 })),
    'string',
  );
  assert.equal((await containers.execute(uuid, ['sh', '-c', `echo "it's"`])).exitCode, 0);
  assert.match((await containers.executeInteractive(uuid, ['sh'])).proxyUrl, /^ws:.*exec_id=/);
  assert.match(await containers.attach(uuid), /^ws:/);
  assert.equal((await containers.stats(uuid)).memoryMiB, 1);
  assert.ok((await containers.top(uuid)).titles.includes('PID'));
  await containers.resize(uuid, { rows: 24, columns: 80 });
  await containers.putArchive(uuid, '/tmp', Buffer.alloc(1024));
  await containers.kill(uuid, 'SIGHUP');
  await containers.stop(uuid, 1);
  const stopped = await settled(api, 'container', uuid, (capsule) => capsule.status === 'Stopped');
  assert.match(stopped.containers[0]?.status_detail ?? '', /^Exited\(\d+\)/);
  await containers.start(uuid);
  await settled(api, 'container', uuid, (capsule) => capsule.status === 'Running');
  await api.delete('container', uuid, 2);
  await api.delete('container', uuid, 2);
  await gone(api, 'container', uuid);
  await api.delete('container', uuid, 2);
});

test('client: what is refused: the kind, the effect, and no value that was sent', async () => {
  const { api } = await connect();
  assert.equal(await api.get('capsule', nowhere), undefined);
  const refused = (spec: Partial<CapsuleTemplate['spec']>) =>
    api.create({ backend: 'capsule', template: { ...template, spec: { ...template.spec, ...spec } } });
  await assert.rejects(
    refused({ containers: [{ image: 'nginx', resources: { requests: { memory: 1 } } }] }),
    (error) => {
      assert.ok(isKind(error, 'invalid') && error.effect === 'none');
      assert.match(
        error.message,
        /invalid input at template\.spec\.containers\[0\]\.resources\.requests\.memory: is less than the minimum of 4$/,
      );
      return true;
    },
  );
  const volumes = [{ name: 'data', cinder: { volumeID: nowhere } }];
  const mounts = [{ image: 'nginx', volumeMounts: [{ name: 'data', mountPath: '/data' }] }];
  await assert.rejects(
    refused({ containers: mounts, volumes }),
    (error) => isKind(error, 'invalid') && /could not be found/.test(error.message),
  );
  assert.deepEqual(await api.list(), []);
});

test('client: registries and volumes', async () => {
  const { session, project } = await connect();
  const made = await project.createRegistry({
    name: 'r1',
    domain: 'registry.example',
    username: 'u',
    password: 's3cr3t',
  });
  assert.deepEqual(await project.listRegistries(), [made]);
  await project.deleteRegistry(made.uuid);
  await project.deleteRegistry(made.uuid);
  assert.equal(await createCinder(session).volume(nowhere), undefined);
});

test('client: a container with a registry: shows it by its uuid, alone and in the list, and keeps its labels', async () => {
  const { api, project } = await connect();
  const login = { name: 'zunlet-0-web-1', domain: 'registry.example', username: 'u', password: 's3cr3t' };
  const registry = await project.createRegistry(login);
  const images = { 'zunlet.io/images': 'app=registry.example/team/app:1@sha256:0 side=nginx' };
  const container = {
    name: 'pulled',
    image: 'registry.example/team/app:1',
    labels: { ...labels, ...images },
    registry: registry.uuid,
  };
  const made = await api.create({ backend: 'container', container });
  assert.equal(made.containers[0]?.registry_id, registry.uuid);
  const listed = (await api.list()).find(({ uuid }) => uuid === made.uuid);
  assert.equal(listed?.containers[0]?.registry_id, registry.uuid);
  assert.deepEqual(listed.labels, container.labels);
  await settled(api, 'container', made.uuid, ({ status }) => status !== 'Creating');
  await api.delete('container', made.uuid, 1);
  await gone(api, 'container', made.uuid);
  await project.deleteRegistry(registry.uuid);
});

test('client: tokens expire: renewed before that, no call is refused', async () => {
  const { session, api } = await connect();
  const first = (await session.token()).id;
  for (let second = 0; second < 25; second += 1) {
    await api.list();
    await sleep(systemClock, 1000);
  }
  assert.notEqual((await session.token()).id, first);
});

test('client: a token revoked: one more login, the call succeeds', async () => {
  // keystonemiddleware believes for a while in a token that it has seen; this one it has not.
  const { session, api } = await connect();
  const { id } = await session.token();
  const revoked = await fetch(`${bed.env['OS_AUTH_URL']}/auth/tokens`, {
    method: 'DELETE',
    headers: { 'x-auth-token': id, 'x-subject-token': id },
  });
  assert.equal(revoked.status, 204);
  await api.list();
  assert.notEqual((await session.token()).id, id);
});

test('client: an application credential: works like the user', async () => {
  const { id, secret } = bed.identity.applicationCredential;
  const { session, api } = await connect({
    OS_AUTH_URL: bed.env['OS_AUTH_URL'] ?? '',
    OS_AUTH_TYPE: 'v3applicationcredential',
    OS_APPLICATION_CREDENTIAL_ID: id,
    OS_APPLICATION_CREDENTIAL_SECRET: secret,
  });
  assert.equal((await session.token()).projectId, bed.identity.projects['demo']);
  assert.deepEqual(await api.list(), []);
});

test('client: a token as the credential: works until it expires', async () => {
  const { session } = await connect();
  const { id, projectId } = await session.token();
  const { api } = await connect({
    OS_AUTH_URL: bed.env['OS_AUTH_URL'] ?? '',
    OS_AUTH_TYPE: 'token',
    OS_TOKEN: id,
    OS_PROJECT_ID: projectId,
  });
  assert.deepEqual(await api.list(), []);
});

for (const [what, change] of [
  ['a wrong password', { OS_PASSWORD: 'wr0ng' }],
  ['an unknown user', { OS_USERNAME: 'nobody' }],
  ['an unknown project', { OS_PROJECT_NAME: 'nothing' }],
  ['a project of somebody else', { OS_PROJECT_NAME: 'other' }],
] as const) {
  test(`client: ${what}: unauthorized, with advice and without the password`, async () => {
    const { api } = await connect({ ...bed.env, ...change });
    await assert.rejects(api.list(), (error) => {
      assert.ok(isKind(error, 'unauthorized'));
      assert.match(error.message, /keystone answered 401: .*; check user, password, domains and project/);
      assert.doesNotMatch(error.message, /wr0ng|demopw/);
      return true;
    });
  });
}

test('client: a project that is disabled: unauthorized, and well again when it is enabled', async () => {
  const admin = await connect(bed.account('admin'));
  const enable = async (enabled: boolean) => {
    const { id } = await admin.session.token();
    const answer = await fetch(`${bed.env['OS_AUTH_URL']}/projects/${bed.identity.projects['other']}`, {
      method: 'PATCH',
      headers: { 'x-auth-token': id, 'content-type': 'application/json' },
      body: JSON.stringify({ project: { enabled } }),
    });
    assert.equal(answer.status, 200);
  };
  const other = await connect(bed.account('other'));
  await other.session.token();
  await enable(false);
  await assert.rejects(other.api.list(), (error) => isKind(error, 'unauthorized'));
  await enable(true);
  const again = await connect(bed.account('other'));
  assert.deepEqual(await again.api.list(), []);
});

test('client: Zun out of order: unreachable, and well again', async () => {
  const { api } = await connect();
  await api.list();
  const start = await bed.stopApi();
  await assert.rejects(api.list(), (error) => isKind(error, 'retryable') && error.effect === 'none');
  await start();
  await api.list();
});
