import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLog } from '../../../src/base/log.ts';
import { type CloudEmulator, createCloudEmulator } from '../../../src/emulators/cloud.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { readTextFile } from '../../../src/openstack/cloud-files.ts';
import { createContainers } from '../../../src/openstack/containers.ts';
import { createSession } from '../../../src/openstack/session.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { createZunRuntime } from '../../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../../src/server/zun-terminal.ts';
import { type KubeletBed, runningPod, startKubeletBed } from '../../lib/kubelet-bed.ts';

/** The whole way: our Zun client, Zun's API and WebSocket proxy as emulated, and the program inside. */
let cloud: CloudEmulator;
let bed: KubeletBed;

before(async () => {
  cloud = await createCloudEmulator();
  const load = () => loadCloud({ env: cloud.env, cwd: '/', readFile: readTextFile }, undefined);
  const session = createSession({
    cloud: await load(),
    reload: load,
    clock: systemClock,
    log: silentLog,
    userAgent: 'test',
    connections: 8,
    onCall() {},
  });
  const containers = createContainers(createZun(session));
  const request = { name: 'web', image: 'busybox', labels: {}, environment: { PEER_LOG: 'hello from zun' } };
  const { uuid } = await containers.create(request, 'creating the container');
  while ((await containers.get(uuid))?.status !== 'Running') await new Promise((resolve) => setTimeout(resolve, 20));
  const { pod, capsule } = runningPod();
  const [member] = capsule.containers;
  const [status] = pod.status?.containerStatuses ?? [];
  assert.ok(member && status);
  capsule.uuid = uuid;
  member.uuid = uuid;
  status.containerID = `zun://${uuid}`;
  const connect = createTerminalConnector({ clock: systemClock });
  const runtime = createZunRuntime({ containers, connect, clock: systemClock });
  bed = await startKubeletBed({ runtime, pods: [pod], capsules: [capsule] });
});

after(async () => {
  await bed.close();
  await cloud.close();
});

async function exec(command: string[], input?: Buffer): Promise<{ out: Buffer; err: string; status: string }> {
  const query = new URLSearchParams({ output: '1', error: '1', ...(input && { input: '1' }) });
  for (const word of command) query.append('command', word);
  const client = await bed.spdy(`/exec/default/web/app?${query}`, 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdin = input ? await client.open({ streamtype: 'stdin' }) : undefined;
  const stdout = await client.open({ streamtype: 'stdout' });
  const stderr = await client.open({ streamtype: 'stderr' });
  if (input) await stdin?.send(input);
  await stdin?.fin();
  const [out, err, status] = await Promise.all([stdout.ended, stderr.ended, error.ended]);
  return { out, err: err.toString(), status: status.toString() };
}

test('emulated Zun: logs: the lines of the container', async () => {
  assert.equal((await bed.get('/containerLogs/default/web/app')).body, 'hello from zun\n');
});

test('emulated Zun: exec: output, errors, exit code', async () => {
  const result = await exec(['sh', '-c', 'echo out; echo err >&2; exit 3']);
  assert.equal(result.out.toString(), 'out\n');
  assert.equal(result.err, 'err\n');
  assert.match(result.status, /"message":"3"/);
});

test('emulated Zun: exec with stdin: 300 kB of random bytes come back the same', async () => {
  const bytes = randomBytes(300_000);
  const result = await exec(['cat'], bytes);
  assert.ok(result.out.equals(bytes));
  assert.match(result.status, /Success/);
});

test('emulated Zun: statistics: the container appears in metrics/resource', async () => {
  assert.match((await bed.get('/metrics/resource')).body, /container_memory_working_set_bytes\{container="app"/);
});

test('emulated Zun: a terminal: typed words come back, the exit code is known', async () => {
  const query = new URLSearchParams({ output: '1', input: '1', tty: '1' });
  for (const word of ['sh', '-c', 'stty size; read -r l; echo "[$l]"; exit 7']) query.append('command', word);
  const client = await bed.spdy(`/exec/default/web/app?${query}`, 'v4.channel.k8s.io');
  const error = await client.open({ streamtype: 'error' });
  const stdin = await client.open({ streamtype: 'stdin' });
  const stdout = await client.open({ streamtype: 'stdout' });
  const resize = await client.open({ streamtype: 'resize' });
  await resize.send('{"Width":111,"Height":33}');
  await stdin.send('word\r');
  assert.match((await stdout.ended).toString(), /\[word\]\r\n/);
  assert.match((await error.ended).toString(), /"message":"7"/);
});
