import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { startAgent } from '../../../src/agent/agent.ts';
import { silentLog } from '../../../src/base/log.ts';
import { loadOptions } from '../../../src/config/load.ts';
import { createCloudEmulator } from '../../../src/emulators/cloud.ts';
import { freePorts } from '../../e2e/lib/processes.ts';

/** A start against an API server that does not answer, and what ends it. */
async function startAlone(context: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'zunlet-start-'));
  const cloud = await createCloudEmulator();
  context.after(() => Promise.all([cloud.close(), rm(folder, { recursive: true })]));
  const [apiPort, healthPort] = await freePorts(2);
  const kubeconfig = join(folder, 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    clusters: [{ name: 'a', cluster: { server: `http://127.0.0.1:${apiPort}` } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    users: [{ name: 'a', user: { token: 'none' } }],
  };
  writeFileSync(kubeconfig, JSON.stringify(config));
  const { values } = loadOptions({
    flags: { kubeconfig, 'node-name': 'zun-1', 'health-address': `127.0.0.1:${healthPort}` },
    env: {},
  });
  const stop = new AbortController();
  const waits = Promise.withResolvers<void>();
  const log = { ...silentLog, warn: () => waits.resolve() };
  const agent = startAgent({ options: values, env: cloud.env, cwd: folder, log, version: '0', signal: stop.signal });
  return { agent, stop, health: `http://127.0.0.1:${healthPort}/healthz`, waits: waits.promise };
}

test('start: the API server is down: the health page says that the process lives', async (context) => {
  const { agent, stop, health, waits } = await startAlone(context);
  await Promise.race([waits, agent]);
  const answer = await fetch(health);
  assert.equal(answer.status, 200);
  stop.abort(new Error('SIGTERM'));
  await assert.rejects(agent, /SIGTERM/);
});
