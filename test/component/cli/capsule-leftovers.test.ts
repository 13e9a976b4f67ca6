import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { main } from '../../../src/cli/main.ts';
import { type CloudEmulator, createCloudEmulator } from '../../../src/emulators/cloud.ts';

let cloud: CloudEmulator;
before(async () => {
  cloud = await createCloudEmulator({ zun: { listeners: false } });
});
after(() => cloud.close());

async function run(args: string[], stdin = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  let stdout = '';
  let stderr = '';
  const code = await main(['capsule', ...args], {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
    stdin: (async function* () {
      yield stdin;
    })(),
    env: cloud.env,
    signal: new AbortController().signal,
  });
  return { code, stdout, stderr };
}

function template(name: string, image: string, more = ''): string {
  return `kind: capsule\nmetadata: {name: ${name}}\nspec:\n  containers:\n  - image: ${image}\n${more}`;
}

const orphans = ['orphans', '--skip-pods', '--min-age', '0s'];

test('leftovers: nothing wrong: nothing found', async () => {
  const ran = await run(orphans);
  assert.deepEqual([ran.code, ran.stdout], [0, 'KIND  ID  AGE  WHY\n']);
});

test('leftovers: a create without a network: its row is found and deleted', async () => {
  cloud.networks.setScene('none');
  const failed = await run(['create', '-f', '-'], template('no-net', 'nginx'));
  assert.match(failed.stderr, /zun answered 409: There is no neutron network available/);
  cloud.networks.setScene('shared');
  assert.match((await run(orphans)).stdout, /^litter +[0-9a-f-]{36} .*left by a create that failed$/m);
  assert.equal((await run([...orphans, '--delete'])).code, 0);
  assert.doesNotMatch((await run(orphans)).stdout, /litter/);
});

test('leftovers: a capsule that failed to start and was deleted: its port is found and deleted', async () => {
  await run(['create', '-f', '-', '--watch'], template('bad-image', 'nope'));
  await run(['delete', 'bad-image', '--watch']);
  assert.equal(cloud.control.neutron.ports().length, 1);
  const dry = await run(orphans);
  assert.match(dry.stdout, /^port +[0-9a-f-]{36} .*its capsule [0-9a-f-]{36} is gone/m);
  assert.equal(cloud.control.neutron.ports().length, 1);
  assert.equal((await run([...orphans, '--delete'])).code, 0);
  assert.equal(cloud.control.neutron.ports().length, 0);
});

test('leftovers: a volume made without autoRemove: found, deleted only with --volumes', async () => {
  const more = '    volumeMounts: [{name: data, mountPath: /data}]\n  volumes: [{name: data, cinder: {size: 1}}]\n';
  const made = await run(['create', '-f', '-', '--watch'], template('with-volume', 'nginx', more));
  assert.equal(made.code, 0, made.stderr);
  assert.match(
    made.stderr,
    /warning: spec\.volumes\[0\]\.cinder\.size without autoRemove: true leaves a volume without a name behind/,
  );
  assert.doesNotMatch((await run(orphans)).stdout, /volume|port/);
  await run(['delete', 'with-volume', '--watch']);
  assert.match((await run([...orphans, '--delete'])).stdout, /^volume +[0-9a-f-]{36} .*1 GiB: perhaps made by Zun$/m);
  assert.equal(cloud.control.cinder.volumes().length, 1);
  await run([...orphans, '--delete', '--volumes']);
  assert.equal(cloud.control.cinder.volumes().length, 0);
});
