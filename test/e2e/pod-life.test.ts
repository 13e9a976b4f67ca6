import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { KubeEvent, Pod } from '../../src/kube/types.ts';
import { path, startBed } from './lib/bed.ts';
import { asContainer, deployment, job, pod } from './lib/manifests.ts';
import { isReady, isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';

const { api, cloud, kubectl, pods } = await startBed();

const http = { httpGet: { path: '/', port: 80 }, periodSeconds: 1, failureThreshold: 1, timeoutSeconds: 2 };

/** The spec of the only container with a probe or mounts beside what all have. */
function withContainer(parts: object, spec: object = {}) {
  const resources = { requests: { cpu: '100m', memory: '32Mi' } };
  return { spec: { containers: [{ name: 'main', image: 'nginx:1.27', resources, ...parts }], ...spec } };
}

function running(name: string): Promise<Pod> {
  return pods.until(`${name} runs`, () => isRunning(pods.get(name)) && pods.get(name), 60_000);
}

async function capsuleUuid({ metadata }: Pod): Promise<string> {
  const [capsule, ...more] = await cloud.capsulesOf(metadata.uid);
  assert.ok(capsule);
  assert.equal(more.length, 0);
  return capsule.uuid;
}

async function reasons(name: string): Promise<string[]> {
  const { items } = await api.get<{ items: KubeEvent[] }>(`${path.events}?fieldSelector=involvedObject.name=${name}`);
  return items.map(({ reason }) => reason ?? '');
}

test('job: every try fails: it fails when its back-off limit is reached, not before', async () => {
  const manifest = job('flaky', { command: ['exit', '4'], annotations: asContainer }) as { spec: object };
  await api.post(path.jobs, { ...manifest, spec: { ...manifest.spec, backoffLimit: 1 } });
  await kubectl('wait', '--for=condition=Failed', 'job/flaky', '--timeout=90s');
  const { status } = await api.get<{ status: { failed: number; conditions: { reason: string }[] } }>(
    `${path.jobs}/flaky`,
  );
  assert.equal(status.failed, 2);
  assert.ok(status.conditions.some(({ reason }) => reason === 'BackoffLimitExceeded'));
});

test('deployment: its readiness probe fails: it runs and never becomes available', async () => {
  const probe = { tcpSocket: { port: 9 }, periodSeconds: 1 };
  await api.post(path.deployments, deployment('closed', 1, withContainer({ readinessProbe: probe })));
  const of = () => pods.all().find(({ metadata }) => metadata.labels?.['app'] === 'closed');
  await pods.until('its Pod runs', () => of()?.status?.phase === 'Running');
  await assert.rejects(kubectl('rollout', 'status', 'deployment/closed', '--timeout=5s'));
  assert.equal(isReady(of()), false);
  await kubectl('delete', 'deployment', 'closed', '--wait=true', '--cascade=foreground');
});

test('liveness: it fails on a standalone container: restarted in place, the count goes up', async () => {
  // Zun tells start times to the second, so a run must last some to be told from the next.
  const livenessProbe = { ...http, failureThreshold: 5 };
  await api.post(path.pods, pod('sick-container', { ...withContainer({ livenessProbe }), annotations: asContainer }));
  const before = await running('sick-container');
  const uuid = await capsuleUuid(before);
  await cloud.serve(uuid, 500);
  await until('it is killed', async () => (await reasons('sick-container')).includes('Killing'));
  await cloud.serve(uuid, 200);
  const after = await pods.until(
    'its restart is counted',
    () => pods.get('sick-container')?.status?.containerStatuses?.[0]?.restartCount === 1 && pods.get('sick-container'),
  );
  assert.equal(await capsuleUuid(after), uuid);
  assert.ok((await reasons('sick-container')).includes('Unhealthy'));
});

test('liveness: it fails on a capsule: a new one takes its place, never two at once', async () => {
  await api.post(path.pods, pod('sick-capsule', withContainer({ livenessProbe: http })));
  const before = await running('sick-capsule');
  const uuid = await capsuleUuid(before);
  await cloud.serve(uuid, 500);
  const after = await pods.until('it runs again', () => isRestarted('sick-capsule'), 60_000);
  assert.equal(after.metadata.uid, before.metadata.uid);
  assert.notEqual(await capsuleUuid(after), uuid);
  assert.deepEqual(await cloud.doubles(), []);
});

function isRestarted(name: string): Pod | undefined | false {
  const now = pods.get(name);
  return now?.status?.containerStatuses?.[0]?.restartCount === 1 && isRunning(now) && now;
}

test('image of a running Pod: changed: the capsule is made anew with it, once', async () => {
  await api.post(path.pods, pod('renewed'));
  const before = await capsuleUuid(await running('renewed'));
  await kubectl('set', 'image', 'pod/renewed', 'main=nginx:1.28');
  const after = await pods.until('it runs again', () => isRestarted('renewed'), 60_000);
  const [capsule] = await cloud.capsulesOf(after.metadata.uid);
  assert.equal(capsule?.containers[0]?.image, 'nginx:1.28');
  assert.notEqual(capsule.uuid, before);
  assert.deepEqual(await cloud.doubles(), []);
});

test('resize of a running Pod: refused by the API server, because the node shows no resources of its own', async () => {
  await api.post(path.pods, pod('fixed'));
  await running('fixed');
  const patch = JSON.stringify({ spec: { containers: [{ name: 'main', resources: { requests: { cpu: '200m' } } }] } });
  await assert.rejects(
    kubectl('patch', 'pod', 'fixed', '--subresource=resize', `--patch=${patch}`),
    /node without support for resize/,
  );
});

test('resize while the capsule is in creation: let through by the API server; the Pod says that it comes to nothing', async () => {
  await api.post(path.pods, pod('hasty', withContainer({ image: 'nginx-slow-pull-4' })));
  await until('its capsule is in creation', async () => {
    const uid = pods.get('hasty')?.metadata.uid;
    return uid !== undefined && (await cloud.capsulesOf(uid)).length === 1;
  });
  const patch = JSON.stringify({ spec: { containers: [{ name: 'main', resources: { requests: { cpu: '200m' } } }] } });
  await kubectl('patch', 'pod', 'hasty', '--subresource=resize', `--patch=${patch}`);
  const { metadata, status } = await running('hasty');
  const condition = status?.conditions?.find(({ type }) => type === 'PodResizePending');
  assert.equal(condition?.reason, 'Infeasible');
  assert.match(
    condition?.message ?? '',
    /container main asks for requests\.cpu:200m.* was made with requests\.cpu:100m/,
  );
  assert.equal(condition?.observedGeneration, metadata.generation);
  await until('an Event tells', async () => (await reasons('hasty')).includes('ResizeInfeasible'));
});

test('ephemeral container: waits, says why in status and one Event, and the Pod runs on', async () => {
  await kubectl('debug', 'fixed', '--image=busybox', '--container=debugger', '--', 'true');
  const state = await pods.until(
    'the debug container is answered',
    () => pods.get('fixed')?.status?.ephemeralContainerStatuses?.[0]?.state,
  );
  assert.match(state.waiting?.message ?? '', /zun cannot add a container/);
  await until('an Event tells', async () => (await reasons('fixed')).includes('Failed'));
  assert.ok(isRunning(pods.get('fixed')));
});

test('claim of a Cinder volume: the volume is mounted; a second Pod waits with a reason until the first is gone', async () => {
  const id = await cloud.createVolume();
  const shared = { accessModes: ['ReadWriteOnce'], storageClassName: '' };
  await api.post('/api/v1/persistentvolumes', {
    metadata: { name: 'disk' },
    spec: {
      ...shared,
      capacity: { storage: '1Gi' },
      persistentVolumeReclaimPolicy: 'Retain',
      csi: { driver: 'cinder.csi.openstack.org', volumeHandle: id },
      claimRef: { namespace: 'default', name: 'data' },
    },
  });
  await api.post('/api/v1/namespaces/default/persistentvolumeclaims', {
    metadata: { name: 'data' },
    spec: { ...shared, volumeName: 'disk', resources: { requests: { storage: '1Gi' } } },
  });
  const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }];
  const wish = withContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }, { volumes });
  await api.post(path.pods, pod('keeper', wish));
  const uuid = await capsuleUuid(await running('keeper'));
  const [volume] = await cloud.volumes();
  assert.deepEqual([volume?.status, volume?.attachedTo], ['in-use', [uuid]]);
  await api.post(path.pods, pod('heir', wish));
  const waiting = await pods.until('heir waits', () => {
    const state = pods.get('heir')?.status?.containerStatuses?.[0]?.state?.waiting;
    return state?.reason === 'FailedAttachVolume' && state;
  });
  assert.match(waiting.message ?? '', /is in-use and cannot be attached twice/);
  await kubectl('delete', 'pod', 'keeper', '--wait=true');
  await running('heir');
});

test('activeDeadlineSeconds: over: the Pod fails with DeadlineExceeded and its capsule goes', async () => {
  await api.post(path.pods, pod('timed', { spec: { activeDeadlineSeconds: 4 } }));
  const { metadata } = await running('timed');
  const ended = await pods.until('it ends', () => pods.get('timed')?.status?.phase === 'Failed' && pods.get('timed'));
  assert.equal(ended.status?.reason, 'DeadlineExceeded');
  await until('its capsule is gone', async () => (await cloud.capsulesOf(metadata.uid)).length === 0);
});

test('image of a private registry: pulled with the login of the pull Secret', async () => {
  const auths = { 'private.example': { username: 'u', password: 'pw' } };
  await api.post(path.secrets, {
    metadata: { name: 'pull' },
    type: 'kubernetes.io/dockerconfigjson',
    stringData: { '.dockerconfigjson': JSON.stringify({ auths }) },
  });
  const image = 'private.example/team/nginx:1';
  const spec = { imagePullSecrets: [{ name: 'pull' }] };
  await api.post(path.pods, pod('private', { ...withContainer({ image }, spec), annotations: asContainer }));
  await running('private');
});

test('security groups and floating IP: set on the port of the capsule, released with the Pod', async () => {
  const group = await cloud.createSecurityGroup('web');
  const annotations = { 'zunlet.io/security-groups': 'web', 'zunlet.io/floating-ip': 'public' };
  await api.post(path.pods, pod('open', { annotations }));
  const uuid = await capsuleUuid(await running('open'));
  const port = await until('the group is set', async () => {
    const found = (await cloud.ports()).find(({ deviceId }) => deviceId === uuid);
    return found?.securityGroups.join() === group && found;
  });
  await until('the address leads to the port', async () => (await cloud.floatingIps())[0]?.portId === port.id);
  await until('an Event names it', async () => (await reasons('open')).includes('FloatingIPAssociated'));
  await kubectl('delete', 'pod', 'open', '--wait=true');
  await until('the address is released', async () => (await cloud.floatingIps()).length === 0);
});
