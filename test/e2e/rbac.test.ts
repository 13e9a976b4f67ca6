/** The chart on a real API server: installed, upgraded, and zunlet as its ServiceAccount with its options and its rights. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { Agent, request } from 'undici';
import type { Right } from '../../src/cli/check/rights.ts';
import type { KubeEvent, Node, Pod } from '../../src/kube/types.ts';
import { chart, createHelm } from '../lib/helm.ts';
import { grantedRights, rightText } from '../lib/rights.ts';
import type { AuditEvent } from './lib/audit.ts';
import { path } from './lib/bed.ts';
import { startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { createKubectl } from './lib/kubectl.ts';
import { asContainer, pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { temporaryFolder, until } from './lib/processes.ts';
import { accountKubeconfig, accountToken } from './lib/service-account.ts';
import { startZunlet, type Zunlet } from './lib/zunlet.ts';

const nodeName = 'zun-zunlet';
const account = `system:serviceaccount:zunlet:${nodeName}`;
const settings = [
  'openstack.existingSecret=openstack',
  'options.servingCertificate=csr',
  'options.approveOwnCsr=true',
  'options.settle=2s',
  'options.live=1s',
  'daemonSetGuard.create=true',
  'dashboard.create=true',
  'networkPolicy.create=true',
];
const sets = settings.flatMap((setting) => ['--set', setting]);

/** Rights whose use the audit log does not show under their own name. */
const unseen: Record<string, string> = {
  'approve | certificates.k8s.io | signers':
    'asked by the admission plugin CertificateApproval when the request is approved; that it was approved is tested below',
};

const [plane, cloud, helm3, helm4] = await Promise.all([
  startControlPlane({ audit: true }),
  startEmulatedCloud(),
  createHelm('v32'),
  createHelm('v35'),
]);
const { api } = plane;
const kubectl = createKubectl(plane.kubeconfig);
const pods = await observePods(api);
const configFile = join(temporaryFolder('config'), 'zunlet.yaml');
let zunlet: Zunlet | undefined;
after(async () => {
  await pods.stop();
  await zunlet?.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
});

function node(): Zunlet {
  assert.ok(zunlet, 'zunlet was not started');
  return zunlet;
}

async function untilRuns(name: string): Promise<Pod> {
  return pods.until(`${name} runs`, () => isRunning(pods.get(name)) && pods.get(name));
}

test('chart: installed by Helm 3.17, upgraded by Helm 4.1, on a real API server: every object is accepted', async () => {
  const where = ['--kubeconfig', plane.kubeconfig, '--namespace', 'zunlet'];
  const first = helm3.run('install', 'zun', chart, ...where, '--create-namespace', ...sets);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /zunlet 0\.1\.0 works for the node zun-zunlet/);
  const second = helm4.run(
    'upgrade',
    'zun',
    chart,
    ...where,
    ...sets,
    '--set',
    'options.relist=5s',
    '--set',
    'replicas=2',
  );
  assert.equal(second.code, 0, second.err);
  assert.match(second.out, /REVISION: 2/);
  const budget = await api.get<{ spec: { maxUnavailable: number } }>(
    `/apis/policy/v1/namespaces/zunlet/poddisruptionbudgets/${nodeName}`,
  );
  assert.equal(budget.spec.maxUnavailable, 1);
  for (const name of [`zunlet-${nodeName}`, `zunlet-${nodeName}-high`]) {
    const schema = await api.get<{ status: { conditions?: { type: string; status: string }[] } }>(
      `/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas/${name}`,
    );
    const dangling = schema.status.conditions?.find(({ type }) => type === 'Dangling');
    assert.notEqual(dangling?.status, 'True');
  }
});

test('chart: zunlet with the options and the ServiceAccount of the chart: the Node is Ready', async () => {
  const map = await api.get<{ data: Record<string, string> }>(`/api/v1/namespaces/zunlet/configmaps/${nodeName}`);
  writeFileSync(configFile, map.data['zunlet.yaml'] ?? '');
  const kubeconfig = await accountKubeconfig(plane, 'zunlet', nodeName);
  const flags = { kubeconfig, config: configFile, 'serving-certificate': 'csr' };
  // As in the chart: a container that starts again in its Pod need not wait for the Lease of the one before.
  zunlet = await startZunlet({ plane, cloud: { ...cloud.env, POD_NAME: 'zun-zunlet-0' }, nodeName, flags });
  const made = await api.get<Node>(`/api/v1/nodes/${nodeName}`);
  assert.equal(made.metadata.labels?.['type'], 'virtual-kubelet');
});

test('chart: a Pod with the RuntimeClass and everything that a Pod can refer to: runs', async () => {
  await api.post('/api/v1/namespaces/default/configmaps', { metadata: { name: 'settings' }, data: { colour: 'blue' } });
  await api.post(path.secrets, { metadata: { name: 'login' }, stringData: { password: 'swordfish' } });
  await api.post('/api/v1/namespaces/default/services', {
    metadata: { name: 'shop' },
    spec: { ports: [{ port: 80 }], selector: { app: 'shop' } },
  });
  const env = [
    { name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } },
    { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 'login', key: 'password' } } },
  ];
  const spec = { runtimeClassName: 'zun', enableServiceLinks: true, tolerations: [] };
  await api.post(path.pods, pod('complete', { env, spec }));
  const running = await untilRuns('complete');
  assert.equal(running.spec.nodeName, nodeName);
  const [capsule] = await cloud.capsulesOf(running.metadata.uid);
  assert.equal(capsule?.containers[0]?.environment['PASSWORD'], 'swordfish');
  assert.ok('SHOP_SERVICE_HOST' in (capsule?.containers[0]?.environment ?? {}));
});

test('chart: a Pod with a token and a readiness probe that fails: both kinds of right are used', async () => {
  const base = { name: 'main', image: 'nginx:1.27', resources: { requests: { cpu: '100m', memory: '32Mi' } } };
  const readinessProbe = { exec: { command: ['false'] }, periodSeconds: 1 };
  const spec = { automountServiceAccountToken: true, containers: [{ ...base, readinessProbe }] };
  await api.post(path.pods, pod('holder', { annotations: asContainer, spec }));
  await pods.until('holder runs', () => pods.get('holder')?.status?.phase === 'Running');
  await until('its failed probe is counted in one Event', async () => {
    const { items } = await api.get<{ items: KubeEvent[] }>(path.events);
    return items.some(({ reason, count, involvedObject }) => {
      return involvedObject.name === 'holder' && reason === 'Unhealthy' && (count ?? 1) > 1;
    });
  });
});

test('chart: a Pod with a claim: claim and volume are read', async () => {
  const volume = {
    metadata: { name: 'data' },
    spec: {
      capacity: { storage: '1Gi' },
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      csi: { driver: 'cinder.csi.openstack.org', volumeHandle: '4c2d9f8e-2f0b-4a53-9d9c-3b6c6d6d3f1a', fsType: 'ext4' },
      claimRef: { namespace: 'default', name: 'data' },
    },
  };
  await api.post('/api/v1/persistentvolumes', volume);
  const claim = '/api/v1/namespaces/default/persistentvolumeclaims';
  await api.post(claim, {
    metadata: { name: 'data' },
    spec: {
      accessModes: ['ReadWriteOnce'],
      storageClassName: '',
      volumeName: 'data',
      resources: { requests: { storage: '1Gi' } },
    },
  });
  await until('the claim is bound', async () => {
    const { status } = await api.get<{ status: { phase: string } }>(`${claim}/data`);
    return status.phase === 'Bound';
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const containers = [{ name: 'main', image: 'nginx:1.27', volumeMounts: [{ name: 'data', mountPath: '/data' }] }];
  await api.post(path.pods, pod('claimer', { nodeName, spec: { volumes, containers } }));
  await until('the volume is read', () => calls().some((call) => call.objectRef?.resource === 'persistentvolumes'));
});

test('chart: somebody calls the kubelet API with a token: the token and the right are asked for', async () => {
  const { status } = await api.get<Node>(`/api/v1/nodes/${nodeName}`);
  const port = status?.daemonEndpoints?.kubeletEndpoint?.Port ?? 0;
  const token = await accountToken(plane, 'default', 'default');
  const answer = await request(`https://${plane.hostIP}:${port}/metrics`, {
    headers: { authorization: `Bearer ${token}` },
    dispatcher: new Agent({ connect: { rejectUnauthorized: false } }),
  });
  assert.equal(answer.statusCode, 403, await answer.body.text());
});

test('chart: the request for a serving certificate: is made, approved and signed; kubectl logs works', async () => {
  await until('the request is signed', async () => {
    const { items } = await api.get<{ items: { status: { certificate?: string } }[] }>(
      '/apis/certificates.k8s.io/v1/certificatesigningrequests',
    );
    return items.some(({ status }) => status.certificate);
  });
  await until('logs', () =>
    kubectl('logs', 'holder').then(
      () => true,
      () => false,
    ),
  );
});

test('chart: a DaemonSet that tolerates everything: the guard keeps its Pod away, one that names the taint is let in', async () => {
  const daemonSet = (name: string, toleration: object) => ({
    metadata: { name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: { tolerations: [toleration], containers: [{ name: 'main', image: 'nginx:1.27' }] },
      },
    },
  });
  const sets = '/apis/apps/v1/namespaces/default/daemonsets';
  await api.post(sets, daemonSet('everywhere', { operator: 'Exists' }));
  await until('the DaemonSet says why', async () => {
    const { items } = await api.get<{ items: KubeEvent[] }>(path.events);
    return items.some(({ message }) => message?.includes('has no machine that a DaemonSet could serve'));
  });
  await api.post(sets, daemonSet('invited', { key: 'virtual-kubelet.io/provider', operator: 'Exists' }));
  await pods.until('the other has its Pod', () =>
    pods.all().some(({ metadata }) => metadata.name.startsWith('invited')),
  );
  assert.ok(!pods.all().some(({ metadata }) => metadata.name.startsWith('everywhere')));
  await Promise.all(['everywhere', 'invited'].map((name) => api.delete(`${sets}/${name}`)));
});

test('chart: zunlet is killed, a Pod goes by force, labels change: it adopts its Node and asks for the Pod', async () => {
  await node().kill();
  await kubectl('delete', 'pod', 'complete', '--force', '--grace-period=0');
  await api.patch(`/api/v1/nodes/${nodeName}`, {
    metadata: { labels: { 'node.kubernetes.io/instance-type': 'other' } },
  });
  const uid = pods.changes.find(({ pod: changed }) => changed.metadata.name === 'complete')?.pod.metadata.uid ?? '';
  await node().start();
  await until('the capsule of the Pod is gone', async () => (await cloud.capsulesOf(uid)).length === 0, {
    limitMs: 90_000,
  });
  const adopted = await api.get<Node>(`/api/v1/nodes/${nodeName}`);
  assert.equal(adopted.metadata.labels?.['node.kubernetes.io/instance-type'], 'zun');
});

test('chart: all Pods are deleted: they go', async () => {
  await api.delete(path.pods);
  await pods.until('all Pods are gone', () => pods.all().length === 0, 90_000);
  assert.equal(await cloud.livePods(), 0);
});

test('chart: the audit log: no call of zunlet was denied', () => {
  const denied = calls().filter(({ responseStatus }) => responseStatus?.code === 403);
  assert.deepEqual(
    denied.map(({ verb, requestURI }) => `${verb} ${requestURI}`),
    [],
  );
});

test('chart: the audit log: every right was used, and no right is missing from the list of reasons', () => {
  const rights = grantedRights(helm4.template('--namespace', 'zunlet', ...sets));
  const seen = calls();
  const unused = rights.filter((right) => !seen.some((call) => uses(call, right)) && !reasonFor(right));
  assert.deepEqual(unused.map(rightText), []);
});

// After the audit log was read: what the doctor calls would count as used.
test('chart: zunlet check as the Pod of helm test runs it: nothing fails', async () => {
  const kubeconfig = await accountKubeconfig(plane, 'zunlet', nodeName);
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['bin/zunlet.mjs', 'check', '--json', '--config', configFile, '--kubeconfig', kubeconfig, '--kubelet-port', '0'],
    { cwd: join(chart, '../..'), env: { ...cloud.env, ZUNLET_NODE_ADDRESSES: plane.hostIP }, encoding: 'utf8' },
  );
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, /"check":"kubernetes.rights".*all are there/);
});

function calls(): AuditEvent[] {
  return plane.audit.since(plane.audit.start).filter(({ user }) => user.username === account);
}

function uses({ verb, objectRef = { resource: '' } }: AuditEvent, right: Right): boolean {
  return (
    verb === right.verb &&
    objectRef.resource === right.resource &&
    (objectRef.apiGroup ?? '') === right.group &&
    objectRef.subresource === right.subresource &&
    (right.namespace === undefined || objectRef.namespace === right.namespace) &&
    (right.name === undefined || objectRef.name === right.name)
  );
}

function reasonFor(right: Right): string | undefined {
  return Object.entries(unseen).find(([start]) => rightText(right).startsWith(start))?.[1];
}
