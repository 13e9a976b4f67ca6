/** The certificate of the kubelet API, signed by the real controller manager: asked for, approved, renewed while a stream is open. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { connect } from 'node:tls';
import { promisify } from 'node:util';
import type { Node } from '../../src/kube/types.ts';
import { path } from './lib/bed.ts';
import { startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { createKubectl } from './lib/kubectl.ts';
import { asContainer, pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { until } from './lib/processes.ts';
import { startZunlet } from './lib/zunlet.ts';

const nodeName = 'zun-1';
const user = `system:node:${nodeName}`;
const [plane, cloud] = await Promise.all([startControlPlane({ signingDuration: '30s' }), startEmulatedCloud()]);
const { api } = plane;
const kubectl = createKubectl(plane.kubeconfig);
const flags = {
  kubeconfig: plane.user(user, ['system:nodes', 'zunlet-nodes']),
  'serving-certificate': 'csr',
  'client-ca-file': plane.clientAuthority,
  settle: '2s',
};
// A node may not label itself with a role.
const env = { ...cloud.env, ZUNLET_NODE_ROLE_LABEL: 'false' };
const zunlet = await startZunlet({ plane, cloud: env, nodeName, flags });
const pods = await observePods(api);
after(async () => {
  await pods.stop();
  await zunlet.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
});

interface Request {
  metadata: { name: string };
  spec: { signerName: string; username: string };
  status?: { certificate?: string; conditions?: { type: string }[] };
}

const requestsPath = '/apis/certificates.k8s.io/v1/certificatesigningrequests';

async function requests(): Promise<Request[]> {
  const { items } = await api.get<{ items: Request[] }>(requestsPath);
  return items.filter(({ spec }) => spec.signerName === 'kubernetes.io/kubelet-serving');
}

/** Approves what nobody has decided on yet, as an administrator would, and answers how many are signed. */
async function approveAll(): Promise<number> {
  const all = await requests();
  for (const { metadata, status } of all) {
    if (!status?.conditions?.length) await kubectl('certificate', 'approve', metadata.name);
  }
  return all.filter(({ status }) => status?.certificate !== undefined).length;
}

async function served(): Promise<X509Certificate> {
  const node = await api.get<Node>(`/api/v1/nodes/${nodeName}`);
  const port = node.status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  return new Promise((resolve, reject) => {
    const socket = connect({ host: plane.hostIP, port, rejectUnauthorized: false }, () => {
      const certificate = socket.getPeerX509Certificate();
      socket.destroy();
      if (certificate) resolve(certificate);
      else reject(new Error('no certificate was served'));
    });
    socket.on('error', reject);
  });
}

/** What `zunlet check` says of the way from the API server to the kubelet API. */
async function doctor(): Promise<string> {
  const root = join(import.meta.dirname, '..', '..');
  const args = ['check', '--json', '--kubeconfig', plane.kubeconfig, '--node-name', nodeName, '--kubelet-port', '0'];
  // Exit 1 where something failed, which is what is asked about.
  const { stdout } = await promisify(execFile)(process.execPath, ['bin/zunlet.mjs', ...args], {
    cwd: root,
    env: { ...process.env, ...cloud.env },
  }).catch((error: { stdout: string }) => error);
  return stdout.split('\n').find((line) => line.includes('"kubernetes.kubelet"')) ?? stdout;
}

const authority = new X509Certificate(readFileSync(plane.kubeletAuthority));

test('serving certificate: not approved yet: the Node is Ready, and the API server does not trust the kubelet API', async () => {
  const [request] = await until('a request is there', async () => {
    const all = await requests();
    return all.length > 0 && all;
  });
  assert.equal(request?.spec.username, user);
  assert.equal((await served()).checkIssued(authority), false);
  await api.post(
    path.pods,
    pod('box', { annotations: asContainer, command: ['sh', '-c', 'echo one; sleep infinity'] }),
  );
  await pods.until('box runs', () => isRunning(pods.get('box')));
  assert.match(await doctor(), /certificate signed by unknown authority.*"fail".*servingCertificate/);
  await assert.rejects(kubectl('logs', 'box'), /certificate signed by unknown authority|failed to verify certificate/);
});

test("serving certificate: approved: it is the cluster's, for this node alone, and kubectl logs works", async () => {
  await until('it is signed', async () => (await approveAll()) > 0);
  const certificate = await until('it is served', async () => {
    const found = await served();
    return found.checkIssued(authority) && found;
  });
  assert.equal(certificate.subject, `O=system:nodes\nCN=${user}`);
  assert.equal(certificate.checkIP(plane.hostIP), plane.hostIP);
  assert.equal(await kubectl('logs', 'box'), 'one');
  assert.match(await doctor(), /"pass"/);
  assert.equal((await requests()).length, 1, 'signers date certificates back; that makes none of them old');
});

test('serving certificate: half of its time is over: renewed, and a stream that was open goes on', async () => {
  const before = await served();
  const follow = spawn('kubectl', ['--kubeconfig', plane.kubeconfig, 'exec', '-i', 'box', '--', 'cat']);
  let echoed = '';
  follow.stdout.on('data', (chunk: Buffer) => {
    echoed += chunk.toString();
  });
  follow.stdin.write('before\n');
  await until('the stream is open', () => echoed === 'before\n');
  const signed = (await requests()).length;
  await until('a successor is served', async () => {
    await approveAll();
    const now = await served();
    return now.serialNumber !== before.serialNumber && now.checkIssued(authority);
  });
  assert.ok((await requests()).length <= signed + 1, 'one request a renewal');
  follow.stdin.end('after\n');
  await until('the stream has ended', () => follow.exitCode !== null);
  assert.deepEqual({ echoed, code: follow.exitCode }, { echoed: 'before\nafter\n', code: 0 });
  assert.equal(await kubectl('logs', 'box'), 'one');
});
