import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ownerLabels } from '../../../src/base/identity.ts';
import { main } from '../../../src/cli/main.ts';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { uuid } from '../../lib/builders.ts';
import { type Reply, type Seen, type Stub, startStub } from '../openstack/stub.ts';

let kube: KubeEmulator;
let folder: string;
let kubeconfig: string;
let cluster: string;
let alive: string;
const stubs: Stub[] = [];

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'zunlet-orphans-'));
  kube = await createKubeEmulator({ controllers: [] });
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kube.kubeconfig());
  const url = (path: string) => `${kube.url}${path}`;
  const headers = {
    authorization: `Bearer ${kube.control.issueToken({ name: 'admin', groups: ['system:masters'] })}`,
    'content-type': 'application/json',
  };
  const get = async (path: string) =>
    (await (await fetch(url(path), { headers })).json()) as { metadata: { uid: string } };
  cluster = (await get('/api/v1/namespaces/kube-system')).metadata.uid;
  const body = JSON.stringify({ metadata: { name: 'api-0' }, spec: { containers: [{ name: 'app', image: 'nginx' }] } });
  const made = await fetch(url('/api/v1/namespaces/default/pods'), { method: 'POST', headers, body });
  alive = ((await made.json()) as { metadata: { uid: string } }).metadata.uid;
  assert.ok(alive, `pod not made: ${made.status}`);
});
after(async () => {
  await Promise.all([kube.close(), ...stubs.map((stub) => stub.close())]);
  rmSync(folder, { recursive: true });
});

const created = '2026-01-01 00:00:00';
const capsule = (n: number, name: string | null, labels: Record<string, string>) => ({
  uuid: uuid(n),
  name,
  status: name === null ? 'Creating' : 'Running',
  labels,
  addresses: {},
  containers: [],
  init_containers: [],
  created_at: created,
});
const owner = (pod: string, uid: string, of = cluster) =>
  ownerLabels({ cluster: of, node: 'n1', namespace: 'default', pod, uid });
const port = (id: number, device: number) => ({
  id: uuid(id),
  network_id: 'n',
  device_id: uuid(device),
  device_owner: 'compute:kuryr',
  fixed_ips: [],
  created_at: '2026-01-01T00:00:00Z',
});
const volume = {
  id: uuid(30),
  name: null,
  status: 'available',
  size: 5,
  attachments: [],
  created_at: '2026-01-01T00:00:00.000000',
};

async function scene(change: (seen: Seen) => Reply | undefined = () => undefined) {
  const capsules = [
    capsule(1, 'alive', owner('api-0', alive)),
    capsule(2, 'gone', owner('api-1', 'uid-of-no-pod')),
    capsule(3, 'foreign', owner('api-9', 'x', 'another-cluster')),
    capsule(4, null, {}),
    capsule(5, 'somebody', { app: 'web' }),
  ];
  const stub = await startStub({
    reply(seen) {
      const own = change(seen);
      if (own) return own;
      if (seen.method === 'DELETE') return { status: 204, text: '' };
      if (seen.url.startsWith('/container/v1/capsules?')) return { status: 200, body: { capsules, next: null } };
      if (seen.url.startsWith('/container/v1/containers?'))
        return { status: 200, body: { containers: [], next: null } };
      if (seen.url.startsWith('/network/')) return { status: 200, body: { ports: [port(20, 1), port(21, 99)] } };
      if (seen.url.startsWith('/volume/')) return { status: 200, body: { volumes: [volume] } };
      return undefined;
    },
  });
  stubs.push(stub);
  const run = async (args: string[]) => {
    let stdout = '';
    let stderr = '';
    const code = await main(['capsule', 'orphans', ...args], {
      stdout: { write: (text) => (stdout += text) },
      stderr: { write: (text) => (stderr += text) },
      stdin: (async function* () {})(),
      env: stub.env,
      signal: new AbortController().signal,
    });
    return {
      code,
      stdout,
      stderr,
      deleted: stub.calls.filter((seen) => seen.method === 'DELETE').map((seen) => seen.url),
    };
  };
  return { stub, run };
}

test('orphans: without --delete: shown, nothing deleted', async () => {
  const { run } = await scene();
  const ran = await run(['--kubeconfig', kubeconfig]);
  assert.equal(ran.code, 0, ran.stderr);
  const rows = ran.stdout
    .trim()
    .split('\n')
    .map((line) => line.split(/ {2,}/).slice(0, 2));
  assert.deepEqual(rows, [
    ['KIND', 'ID'],
    ['capsule', uuid(2)],
    ['litter', uuid(4)],
    ['port', uuid(21)],
    ['volume', uuid(30)],
  ]);
  assert.match(ran.stdout, /pod default\/api-1 is gone \(node n1\)/);
  assert.match(ran.stderr, /1 capsules belong to other clusters/);
  assert.match(ran.stderr, /nothing was deleted; --delete does it/);
  assert.deepEqual(ran.deleted, []);
});

test('orphans: --delete: everything but the volume', async () => {
  const { run } = await scene();
  const ran = await run(['--kubeconfig', kubeconfig, '--delete']);
  assert.equal(ran.code, 0, ran.stderr);
  assert.deepEqual(ran.deleted, [
    `/container/v1/capsules/${uuid(2)}`,
    `/container/v1/capsules/${uuid(4)}`,
    `/network/v2.0/ports/${uuid(21)}`,
  ]);
});

test('orphans: --delete --volumes: the volume, too', async () => {
  const { run } = await scene();
  const ran = await run(['--kubeconfig', kubeconfig, '--delete', '--volumes']);
  assert.ok(ran.deleted.includes(`/volume/v3/p1/volumes/${uuid(30)}`));
});

test('orphans: --skip-pods: no capsule of a Pod', async () => {
  const { run } = await scene();
  const ran = await run(['--skip-pods', '-o', 'json']);
  const kinds = (JSON.parse(ran.stdout) as { kind: string }[]).map((each) => each.kind);
  assert.deepEqual(kinds, ['litter', 'port', 'volume']);
});

test('orphans: no kubeconfig: an error that names --skip-pods', async () => {
  const { run } = await scene();
  const ran = await run(['--kubeconfig', join(folder, 'nowhere')]);
  assert.equal(ran.code, 1);
  assert.match(ran.stderr, /with --skip-pods only litter, ports and volumes/);
});

test('orphans: Neutron out of order: the rest is shown, exit 1', async () => {
  const { run } = await scene((seen) => (seen.url.startsWith('/network/') ? { status: 503, text: '' } : undefined));
  const ran = await run(['--kubeconfig', kubeconfig]);
  assert.equal(ran.code, 1);
  assert.match(ran.stdout, /capsule/);
  assert.match(ran.stderr, /listing ports: neutron answered 503/);
});

test('orphans: the list of capsules broken: nothing is called an orphan', async () => {
  const { run } = await scene((seen) =>
    seen.url.startsWith('/container/v1/capsules?') ? { status: 500, text: '' } : undefined,
  );
  const ran = await run(['--kubeconfig', kubeconfig, '--delete']);
  assert.equal(ran.code, 1);
  assert.deepEqual(ran.deleted, []);
});

test('orphans: a deletion fails: the others happen, exit 1', async () => {
  const { run } = await scene((seen) =>
    seen.method === 'DELETE' && seen.url.endsWith(uuid(2)) ? { status: 500, text: '' } : undefined,
  );
  const ran = await run(['--kubeconfig', kubeconfig, '--delete']);
  assert.equal(ran.code, 1);
  assert.equal(ran.deleted.length, 3);
  assert.match(ran.stderr, /deleting capsule .* zun answered 500/);
});
