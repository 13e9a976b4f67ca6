/** OpenStack's own client, unchanged, on our emulator: what it makes, lists, describes and deletes there. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { createCloudEmulator } from '../../../src/emulators/cloud.ts';
import { temporaryFolder, until } from '../lib/processes.ts';
import { installZun } from './install.ts';

const venv = await installZun('fake');
const cloud = await createCloudEmulator();
after(() => cloud.close());
const folder = temporaryFolder('zunclient');

/** Runs `zun` of python-zunclient and answers what it prints. */
async function zun(...args: string[]): Promise<string> {
  const env = { PATH: process.env['PATH'], HOME: folder, ...cloud.env, PYTHONWARNINGS: 'ignore' };
  const { stdout } = await promisify(execFile)(join(venv, 'bin', 'zun'), args, { env });
  return stdout;
}

/** Waits until a command prints what is expected. */
async function untilPrints(expected: RegExp, ...args: string[]): Promise<string> {
  return until(`zun ${args.join(' ')} prints ${expected}`, async () => {
    const text = await zun(...args);
    return expected.test(text) && text;
  });
}

test('python-zunclient on the emulator: a capsule: created, listed, described, deleted', async () => {
  const template = join(folder, 'capsule.yaml');
  writeFileSync(
    template,
    `capsuleVersion: beta
kind: capsule
metadata:
  name: template
  labels: {app: web}
spec:
  containers:
  - image: nginx
    command: [sleep, "100"]
    resources: {requests: {cpu: 1, memory: 256}}
`,
  );
  await zun('capsule-create', '-f', template);
  const list = await untilPrints(/Running/, 'capsule-list');
  const uuid = /[0-9a-f]{8}-[0-9a-f-]{27}/.exec(list)?.[0] ?? '';
  const described = await zun('capsule-describe', uuid);
  assert.match(described, /{'app': 'web'}/);
  assert.match(described, /127\.77\.0\.\d+/);
  await zun('capsule-delete', uuid);
  await until('it is gone', async () => !(await zun('capsule-list')).includes(uuid));
});

test('python-zunclient on the emulator: a standalone container: run, listed, its log, a command in it, deleted', async () => {
  await zun('run', '--name', 'box', 'busybox', 'sh', '-c', 'echo hello; sleep 1000');
  await untilPrints(/box .*Running/, 'list');
  assert.match(await zun('logs', 'box'), /hello/);
  assert.match(await zun('exec', 'box', 'echo', 'inside'), /inside/);
  assert.match(await zun('show', 'box'), /127\.77\.0\.\d+/);
  await zun('delete', '--stop', 'box');
  await until('it is gone', async () => !(await zun('list')).includes('box'));
});

test('python-zunclient on the emulator: zones, and what is refused: in its own words', async () => {
  assert.match(await zun('availability-zone-list'), /nova/);
  await assert.rejects(zun('capsule-describe', '00000000-0000-4000-8000-000000000000'), /could not be found|404/i);
});
