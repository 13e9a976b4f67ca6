/** How zunlet's own client fares with the real Keystone: each way to log in, each way to be refused. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import type { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { createCapsules } from '../../../src/openstack/capsules.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { createSession } from '../../../src/openstack/session.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { until } from '../lib/processes.ts';
import { logIn } from './identity.ts';
import { type RealZun, startRealZun } from './start.ts';

const zun = await startRealZun({ serviceType: 'application-container', tokenSeconds: 8 });
after(() => zun.stop());

/** Makes zunlet's client for what the environment says. */
async function connect(env: Record<string, string>) {
  const cloud = await loadCloud({ env, cwd: zun.dir, readFile: () => Promise.resolve(undefined) });
  const session = createSession({ cloud, clock: systemClock, log: silentLog, userAgent: 'zunlet-test' });
  return { session, capsules: createCapsules(createZun(session)), close: () => session.close() };
}

async function refusal(env: Record<string, string>): Promise<AppError> {
  const client = await connect(env);
  try {
    await client.capsules.list();
  } catch (error) {
    // Everything that the client throws is an AppError.
    return error as AppError;
  } finally {
    await client.close();
  }
  throw new Error('the call was not refused');
}

function credentialEnv({ env, identity }: RealZun): Record<string, string> {
  return {
    OS_AUTH_TYPE: 'v3applicationcredential',
    OS_AUTH_URL: env['OS_AUTH_URL'] ?? '',
    OS_REGION_NAME: env['OS_REGION_NAME'] ?? '',
    OS_APPLICATION_CREDENTIAL_ID: identity.applicationCredential.id,
    OS_APPLICATION_CREDENTIAL_SECRET: identity.applicationCredential.secret,
  };
}

test('real keystone: user and password, Zun catalogued by its official type: capsules are listed', async () => {
  const client = await connect(zun.env);
  assert.deepEqual(await client.capsules.list(), []);
  await client.close();
});

test('real keystone: an application credential: capsules are listed in its project', async () => {
  const client = await connect(credentialEnv(zun));
  assert.deepEqual(await client.capsules.list(), []);
  assert.equal((await client.session.token()).projectId, zun.identity.projects['demo']);
  await client.close();
});

test('real keystone: tokens of eight seconds: calls go on over several of them', async () => {
  const client = await connect(zun.env);
  const tokens = new Set<string>();
  await until(
    'three tokens were used',
    async () => {
      await client.capsules.list();
      tokens.add((await client.session.token()).id);
      return tokens.size >= 3;
    },
    { everyMs: 500 },
  );
  await client.close();
});

test('real keystone: a wrong password: unauthorized, and the message has no password', async () => {
  const error = await refusal({ ...zun.env, OS_PASSWORD: 'not-the-password' });
  assert.equal(error.kind, 'unauthorized');
  assert.doesNotMatch(error.message, /not-the-password/);
});

test('real keystone: a wrong application credential secret: unauthorized', async () => {
  const error = await refusal({ ...credentialEnv(zun), OS_APPLICATION_CREDENTIAL_SECRET: 'wrong' });
  assert.equal(error.kind, 'unauthorized');
});

test('real keystone: a project that does not exist: unauthorized', async () => {
  assert.equal((await refusal({ ...zun.env, OS_PROJECT_NAME: 'nowhere' })).kind, 'unauthorized');
});

test('real keystone: a region without Zun: the message names it', async () => {
  const error = await refusal({ ...zun.env, OS_REGION_NAME: 'Elsewhere' });
  assert.match(error.message, /Elsewhere/);
});

test('real keystone: a project disabled in the middle: unauthorized, and well again once it is enabled', async () => {
  const client = await connect(zun.env);
  assert.deepEqual(await client.capsules.list(), []);
  await enableProject(false);
  const error = await until('the call is refused', async () => {
    try {
      await client.capsules.list();
      return undefined;
    } catch (thrown) {
      return thrown as AppError;
    }
  });
  assert.equal(error.kind, 'unauthorized');
  await enableProject(true);
  await until('calls work again', () => client.capsules.list().catch(() => undefined), { everyMs: 500 });
  await client.close();
});

async function enableProject(isEnabled: boolean): Promise<void> {
  const admin = zun.account('admin');
  const url = admin['OS_AUTH_URL'] ?? '';
  const { token } = await logIn(url, 'admin', admin['OS_PASSWORD'] ?? '', 'admin');
  const answer = await fetch(`${url}/projects/${zun.identity.projects['demo']}`, {
    method: 'PATCH',
    headers: { 'content-type': 'application/json', 'x-auth-token': token },
    body: JSON.stringify({ project: { enabled: isEnabled } }),
  });
  assert.equal(answer.status, 200);
}
