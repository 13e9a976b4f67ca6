/** The genuine identity of a node, outside of the cluster: a bootstrap token, a client certificate, its renewal. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { path } from './lib/bed.ts';
import { allowBootstrap, bootstrapSecret, bootstrapToken } from './lib/bootstrap.ts';
import { startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { createKubectl } from './lib/kubectl.ts';
import { asContainer, pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { temporaryFolder, until } from './lib/processes.ts';
import { startZunlet, type Zunlet } from './lib/zunlet.ts';

const run = promisify(execFile);
const nodeName = 'zun-1';
const user = `system:node:${nodeName}`;
const repository = join(import.meta.dirname, '..', '..');
const script = join(repository, 'deploy', 'systemd', 'zunlet-identity');
const [plane, cloud] = await Promise.all([startControlPlane({ audit: true }), startEmulatedCloud()]);
const { api } = plane;
const kubectl = createKubectl(plane.kubeconfig);
const pods = await observePods(api);
const state = temporaryFolder('identity');
const bootstrap = join(state, 'bootstrap-kubeconfig');
let zunlet: Zunlet | undefined;
after(async () => {
  await pods.stop();
  await zunlet?.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
});

async function identity(more: Record<string, string> = {}): Promise<string> {
  const env = {
    PATH: process.env['PATH'],
    HOME: state,
    ZUNLET_NODE_NAME: nodeName,
    BOOTSTRAP_KUBECONFIG: bootstrap,
    STATE_DIRECTORY: state,
    ...more,
  };
  const { stdout } = await run('sh', [script], { env });
  return stdout;
}

function certificate(): X509Certificate {
  return new X509Certificate(readFileSync(join(state, 'client.pem')));
}

/** A kubeconfig with a bootstrap token, and what its holder may do. */
async function prepareBootstrap(): Promise<void> {
  await allowBootstrap(api);
  const admin = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as { clusters: [{ name: string }] };
  const [cluster] = admin.clusters;
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [cluster],
    users: [{ name: 'bootstrap', user: { token: bootstrapToken } }],
    contexts: [{ name: 'bootstrap', context: { cluster: cluster.name, user: 'bootstrap' } }],
    'current-context': 'bootstrap',
  };
  writeFileSync(bootstrap, JSON.stringify(config));
}

test('identity: bootstrap token: becomes a client certificate of the node and a kubeconfig for its owner alone', async () => {
  await prepareBootstrap();
  assert.match(await identity(), /the certificate of zun-1 is new, good until /);
  const { subject } = certificate();
  assert.equal(subject, `O=system:nodes\nCN=${user}`);
  assert.equal(statSync(join(state, 'client.pem')).mode & 0o077, 0);
  assert.equal(statSync(join(state, 'kubeconfig')).mode & 0o077, 0);
  assert.doesNotMatch(readFileSync(join(state, 'kubeconfig'), 'utf8'), /token/);
});

test('identity: asked again while the certificate is good: nothing happens', async () => {
  const before = certificate().serialNumber;
  assert.match(await identity(), /is good until/);
  assert.equal(certificate().serialNumber, before);
});

test('identity: zunlet as that node: the Node is Ready and Pods with Secrets and tokens run', async () => {
  const flags = {
    kubeconfig: join(state, 'kubeconfig'),
    'node-role-label': 'false',
    'cluster-id': 'lab-1',
    'client-ca-file': plane.clientAuthority,
    settle: '2s',
  };
  // A boolean flag takes no value on the command line; the environment does.
  const { 'node-role-label': label, ...values } = flags;
  const env = { ...cloud.env, ZUNLET_NODE_ROLE_LABEL: label };
  zunlet = await startZunlet({ plane, cloud: env, nodeName, flags: values });
  await api.post(path.secrets, { metadata: { name: 'login' }, stringData: { password: 'swordfish' } });
  const variables = [{ name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } }];
  await api.post(path.pods, pod('reader', { env: variables }));
  await api.post(
    path.pods,
    pod('holder', { annotations: asContainer, spec: { automountServiceAccountToken: true, enableServiceLinks: true } }),
  );
  for (const name of ['reader', 'holder']) await pods.until(`${name} runs`, () => isRunning(pods.get(name)));
  await until('kubectl logs works', () =>
    kubectl('logs', 'holder').then(
      () => true,
      () => false,
    ),
  );
});

test('identity: renewal: the certificate asks for its successor, without the token, and zunlet goes on', async () => {
  await api.delete(bootstrapSecret);
  const before = certificate().serialNumber;
  assert.match(await identity({ RENEW_BEFORE: '999999999' }), /is new/);
  assert.notEqual(certificate().serialNumber, before);
  assert.equal(
    await kubectl('--kubeconfig', join(state, 'kubeconfig'), 'get', 'node', nodeName, '-o', 'name'),
    `node/${nodeName}`,
  );
  assert.equal(zunlet?.hasEnded(), false);
});

test('identity: the Pods are deleted: they go, and no call of the node was denied', async () => {
  await api.delete(path.pods);
  await pods.until('all Pods are gone', () => pods.all().length === 0, 60_000);
  const calls = plane.audit.since(plane.audit.start).filter((call) => call.user.username === user);
  assert.ok(calls.length > 20);
  const denied = calls.filter(({ responseStatus }) => responseStatus?.code === 403);
  assert.deepEqual([...new Set(denied.map(({ verb, requestURI }) => `${verb} ${requestURI}`))], []);
});

// After the audit log was read: the doctor asks for what a node may not do.
test('identity: zunlet check with it: its rights are there, and another name for the node is not its own', async () => {
  const check = (name: string) => {
    const flags = [
      '--node-name',
      name,
      '--kubelet-port',
      '0',
      '--cluster-id',
      'lab-1',
      '--client-ca-file',
      plane.clientAuthority,
    ];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      ['bin/zunlet.mjs', 'check', '--json', '--kubeconfig', join(state, 'kubeconfig'), ...flags],
      { cwd: repository, env: { ...cloud.env, ZUNLET_NODE_ADDRESSES: plane.hostIP }, encoding: 'utf8' },
    );
    const line = stdout.split('\n').find((text) => text.includes('kubernetes.rights'));
    assert.ok(line, stderr);
    return line;
  };
  assert.match(check(nodeName), /all are there; what its Pods name.*"result":"pass"/);
  assert.match(check('other'), /credentials of system:node:zun-1.*"result":"fail"/);
});
