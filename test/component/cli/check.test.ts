import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Gauge, Registry } from 'prom-client';
import { checkCommand } from '../../../src/cli/check/check.ts';
import type { Finding } from '../../../src/cli/check/finding.ts';
import { type CloudEmulator, createCloudEmulator } from '../../../src/emulators/cloud.ts';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { startHealthServer } from '../../../src/telemetry/health-server.ts';
import { createTestAuthority } from '../../lib/kubelet-certificates.ts';

let kube: KubeEmulator;
let cloud: CloudEmulator;
let folder: string;
let kubeconfig: string;

before(async () => {
  kube = await createKubeEmulator();
  cloud = await createCloudEmulator();
  folder = mkdtempSync(join(tmpdir(), 'zunlet-check-'));
  kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, kube.kubeconfig());
});
after(async () => {
  await cloud.close();
  await kube.close();
  rmSync(folder, { recursive: true });
});

/** Runs the doctor and answers its exit code and its findings by name. */
async function check(args: string[] = [], env: Record<string, string> = {}) {
  let out = '';
  const io = {
    stdout: {
      write: (text: string) => {
        out += text;
      },
    },
    stderr: { write: () => true },
    stdin: (async function* () {})(),
    env: { ...cloud.env, ...env },
    signal: new AbortController().signal,
  };
  const flags = ['--json', '--kubeconfig', kubeconfig, '--kubelet-port', '0', '--node-addresses', '192.0.2.1'];
  const code = await checkCommand([...flags, ...args], io);
  const lines = out.trim().split('\n').slice(0, -1);
  // Our own command wrote them.
  const findings = lines.map((line) => JSON.parse(line) as Finding);
  return { code, of: (name: string) => findings.find((finding) => finding.check === name), findings };
}

test('check: everything is there: all well, exit 0', async () => {
  const { code, findings } = await check();
  assert.deepEqual(
    findings.filter(({ result }) => result === 'fail'),
    [],
  );
  assert.equal(code, 0);
});

test('check: --probe: creates one capsule, sees it run, and leaves none', async () => {
  const { code, of } = await check(['--probe']);
  assert.match(of('zun.probe')?.found ?? '', /^Running after .* driver docker, address 127\./);
  assert.equal(of('zun.probe-removed')?.result, 'pass');
  assert.equal(code, 0);
  assert.equal(cloud.zun.control.inventory().capsules.length, 0);
});

test('check: wrong password: says so, skips what needs a token, exit 1', async () => {
  const { code, of } = await check([], { OS_PASSWORD: 'wrong' });
  assert.equal(of('keystone.login')?.result, 'fail');
  assert.match(of('keystone.login')?.cure ?? '', /password/);
  assert.equal(of('zun.capsules')?.result, 'skip');
  assert.equal(code, 1);
});

test('check: unknown cloud: names it, exit 1', async () => {
  const clouds = join(folder, 'clouds.yaml');
  writeFileSync(
    clouds,
    'clouds:\n  here:\n    auth: {auth_url: http://127.0.0.1:1, username: u, password: p, project_name: p}\n',
  );
  const { code, of } = await check(['--cloud', 'nowhere'], { OS_CLIENT_CONFIG_FILE: clouds });
  assert.equal(of('openstack.credentials')?.result, 'fail');
  assert.match(of('openstack.credentials')?.found ?? '', /nowhere/);
  assert.equal(code, 1);
});

test('check: Zun down: Keystone is well, Zun is not, exit 1', async () => {
  await cloud.zun.control.goDown();
  try {
    const { code, of } = await check();
    assert.equal(of('keystone.login')?.result, 'pass');
    assert.equal(of('zun.version')?.result, 'fail');
    assert.equal(code, 1);
  } finally {
    await cloud.zun.control.comeUp();
  }
});

test('check: a right is missing: names exactly that one, exit 1', async () => {
  kube.control.onAccessReview(({ verb, resource }) => (verb === 'delete' && resource === 'pods' ? 'no' : undefined));
  try {
    const { code, of } = await check();
    assert.match(of('kubernetes.rights')?.found ?? '', /^1 missing: delete pods$/);
    assert.equal(code, 1);
  } finally {
    kube.control.onAccessReview(() => undefined);
  }
});

test('check: no network in the project: says what Zun will answer, exit 1', async () => {
  cloud.zun.control.setNetworks('none');
  try {
    const { code, of } = await check();
    assert.match(of('neutron.network')?.cure ?? '', /409/);
    assert.equal(code, 1);
  } finally {
    cloud.zun.control.setNetworks('shared');
  }
});

test('check: no cluster there: says so, and still looks at the cloud, exit 1', async () => {
  const { code, of } = await check(['--kubeconfig', join(folder, 'missing')]);
  assert.equal(of('kubernetes.credentials')?.result, 'fail');
  assert.equal(of('keystone.login')?.result, 'pass');
  assert.equal(code, 1);
});

test('check: an old Zun: the microversions it has, and which OpenStack is needed, exit 1', async () => {
  const old = await createCloudEmulator({ zun: { maxMinor: 20 } });
  try {
    const { code, of } = await check([], old.env);
    assert.equal(of('zun.version')?.result, 'fail');
    assert.match(of('zun.version')?.found ?? '', /1\.20/);
    assert.match(of('zun.version')?.cure ?? '', /Train/);
    assert.equal(code, 1);
  } finally {
    await old.close();
  }
});

test('check: the network that Zun will choose is an external one: says so, exit 1', async () => {
  cloud.zun.control.setNetworks('external');
  try {
    const { code, of } = await check();
    assert.match(of('neutron.network')?.cure ?? '', /external: Zun refuses it/);
    assert.equal(code, 1);
  } finally {
    cloud.zun.control.setNetworks('shared');
  }
});

test('check: --probe: the answer to its creation is lost: the capsule is found and removed, whenever Zun is asked', async () => {
  // Zun's host makes the sandbox: a DELETE now would leave everything running (docs/zun.md §4.5).
  const slow = await createCloudEmulator({ zun: { latency: { claimMs: 0, sandboxMs: 1500 } } });
  try {
    slow.zun.control.faults.add({ fault: { kind: 'reset-after' }, operation: 'capsule.create', times: 1 });
    const { code, of } = await check(['--probe'], slow.env);
    assert.equal(of('zun.probe')?.result, 'fail');
    assert.equal(of('zun.probe-removed')?.result, 'pass', of('zun.probe-removed')?.found);
    assert.equal(code, 1);
    const { capsules, leftovers } = slow.zun.control.inventory();
    assert.deepEqual([capsules, leftovers], [[], []]);
  } finally {
    await slow.close();
  }
});

test('check: certificate files: of another address, or expired: says so, exit 1', async () => {
  const authority = createTestAuthority('kubelets');
  const write = (name: string, pair: { cert: string; key: string }) => {
    const [certFile, keyFile] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
    writeFileSync(certFile, pair.cert);
    writeFileSync(keyFile, pair.key);
    return ['--serving-certificate', 'files', '--tls-cert-file', certFile, '--tls-key-file', keyFile];
  };
  const subject = { commonName: 'system:node:zun' };
  const good = await check(write('good', authority.issue('server', { ...subject, ipAddresses: ['192.0.2.1'] })));
  assert.match(good.of('self.certificate')?.found ?? '', /^good until \d{4}-/);
  assert.notEqual(good.of('self.certificate')?.result, 'fail');
  const other = await check(write('other', authority.issue('server', { ...subject, ipAddresses: ['192.0.2.9'] })));
  assert.match(other.of('self.certificate')?.cure ?? '', /does not name 192\.0\.2\.1/);
  assert.equal(other.code, 1);
  const day = 86_400_000;
  const past = { notBeforeMs: Date.now() - 2 * day, notAfterMs: Date.now() - day };
  const old = await check(write('old', authority.issue('server', { ...subject, ipAddresses: ['192.0.2.1'] }, past)));
  assert.match(old.of('self.certificate')?.cure ?? '', /expired/);
});

test('check: beside the zunlet of this node: the kubelet port is its own; beside another program it is taken', async (context) => {
  const registry = new Registry();
  new Gauge({ name: 'kubelet_node_name', help: 'Its name.', labelNames: ['node'], registers: [registry] }).set(
    { node: 'zun-1' },
    1,
  );
  const health = await startHealthServer('127.0.0.1:0', () => [], registry);
  const taken = createServer().listen(0);
  await once(taken, 'listening');
  context.after(() => {
    taken.close();
    return health.close();
  });
  const { port } = taken.address() as AddressInfo; // a TCP server has an address object
  const look = async (name: string) => {
    const { of } = await check([
      '--node-name',
      name,
      '--kubelet-port',
      String(port),
      '--health-address',
      health.address,
    ]);
    return of('self.kubelet-port');
  };
  const own = await look('zun-1');
  assert.deepEqual([own?.result, own?.found], ['pass', 'is that of the zunlet which works for this node here']);
  const other = await look('zun-2');
  assert.equal(other?.result, 'fail');
  assert.match(other?.found ?? '', /is in use here/);
});
