import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, PodSpec, Volume } from '../../../src/kube/types.ts';
import type { CapsuleTemplate } from '../../../src/openstack/types.ts';
import { translatePod } from '../../../src/translate/pod.ts';
import type { PodInputs, TranslateOptions, Translation } from '../../../src/translate/types.ts';
import { type PodParts, pod } from '../../lib/builders.ts';
import { configMap, podInputs, translateOptions, zunObjections } from '../../lib/translation.ts';

const volumeId = '9f81cbb2-10f9-4bab-938d-92fe33c57a24';

function translated(
  parts: PodParts,
  options: Partial<TranslateOptions> = {},
  inputs: Partial<PodInputs> = {},
): Translation {
  return translatePod(pod(parts), podInputs(inputs), translateOptions(options));
}

function template(parts: PodParts, options?: Partial<TranslateOptions>, inputs?: Partial<PodInputs>): CapsuleTemplate {
  const { request, problems } = translated(parts, options, inputs);
  assert.deepEqual(problems, []);
  assert.ok(request?.backend === 'capsule');
  assert.deepEqual(zunObjections(request), []);
  return request.template;
}

function refused(parts: PodParts, options?: Partial<TranslateOptions>): string[] {
  return translated(parts, options).problems.map(({ path }) => path);
}

function warnings(parts: PodParts, options?: Partial<TranslateOptions>): string[] {
  return translated(parts, options)
    .notes.filter(({ level }) => level === 'warned')
    .map(({ path }) => path);
}

function app(container: Partial<Container>): PodSpec['containers'] {
  return [{ name: 'app', image: 'nginx:1.27', command: ['nginx'], ...container }];
}

function mounting(volume: Volume, mount: object = {}): Partial<PodSpec> {
  return {
    containers: app({ volumeMounts: [{ name: volume.name, mountPath: '/data', ...mount }] }),
    volumes: [volume],
  };
}

test('capsule: the smallest pod: whose it is, and one container with its mark', () => {
  assert.deepEqual(template({ labels: { app: 'web', 'zunlet.io/uid': 'forged' } }), {
    capsuleVersion: 'beta',
    kind: 'capsule',
    metadata: {
      name: 'pod-default-web-00000000',
      labels: {
        app: 'web',
        'zunlet.io/cluster': 'cluster-1',
        'zunlet.io/node': 'zun-1',
        'zunlet.io/namespace': 'default',
        'zunlet.io/pod': 'web',
        'zunlet.io/uid': '00000000-0000-4000-8000-000000000001',
        'zunlet.io/images': 'app=nginx:1.27',
      },
      annotations: { 'zunlet.io/pod': 'default/web', 'zunlet.io/containers': ['app'] },
    },
    spec: {
      restartPolicy: 'Always',
      containers: [{ image: 'nginx:1.27', command: ['nginx'], env: { ZUNLET_CONTAINER: 'app' } }],
    },
  });
});

test('capsule: every plain field of a container: stands in the template', () => {
  const made = template(
    {
      containers: app({
        command: ['sh', '-c'],
        args: ['echo $(WHO) $$(WHO)'],
        env: [{ name: 'WHO', value: 'me' }],
        workingDir: '/srv',
        imagePullPolicy: 'IfNotPresent',
        stdin: true,
        tty: true,
        resources: { requests: { cpu: '500m' }, limits: { memory: '64Mi' } },
        ports: [{ containerPort: 80 }],
      }),
      spec: { restartPolicy: 'OnFailure' },
    },
    { availabilityZone: 'nova' },
  );
  assert.deepEqual(made.spec, {
    restartPolicy: 'OnFailure',
    containers: [
      {
        image: 'nginx:1.27',
        command: ['sh', '-c'],
        args: ['echo me $(WHO)'],
        resources: { requests: { cpu: 0.5, memory: 64 } },
        env: { WHO: 'me', ZUNLET_CONTAINER: 'app' },
        workDir: '/srv',
        imagePullPolicy: 'ifnotpresent',
        stdin: true,
        tty: true,
      },
    ],
  });
  assert.equal(made.availabilityZone, 'nova');
});

test('capsule: ENTRYPOINT on docker: arguments alone are refused, nothing at all is warned of', () => {
  const containers = [{ name: 'app', image: 'nginx:1.27', args: ['-v'] }];
  assert.deepEqual(refused({ containers }), ['spec.containers[0].args']);
  assert.deepEqual(warnings({ containers: [{ name: 'app', image: 'nginx:1.27' }] }), ['spec.containers[0].command']);
  assert.deepEqual(refused({ containers, annotations: { 'zunlet.io/accept-unsupported': 'args' } }), []);
});

test('capsule: ENTRYPOINT on cri: a command is refused, arguments are not', () => {
  const cri = { driver: 'cri' as const };
  assert.deepEqual(refused({}, cri), ['spec.containers[0].command']);
  assert.deepEqual(refused({ annotations: { 'zunlet.io/accept-unsupported': 'command' } }, cri), []);
  assert.deepEqual(refused({ containers: [{ name: 'app', image: 'nginx', args: ['-v'] }] }, cri), []);
});

test('capsule: an image by digest: refused on docker, which would drop it', () => {
  const image = `nginx:1.27@sha256:${'a'.repeat(64)}`;
  assert.deepEqual(refused({ containers: app({ image }) }), ['spec.containers[0].image']);
  assert.equal(template({ containers: [{ name: 'app', image }] }, { driver: 'cri' }).spec.containers[0]?.image, image);
});

test('capsule: an image that is no reference: waits, since an image can be changed', () => {
  const { problems } = translated({ containers: app({ image: 'No/Image' }) });
  assert.deepEqual(
    problems.map(({ path, heals, reason }) => [path, heals, reason]),
    [['spec.containers[0].image', true, 'InvalidImageName']],
  );
});

test('capsule: volumes of Cinder, by size and by id: shared among containers, sizes rounded up', () => {
  const both = ['a', 'b'].map((name) => ({
    name,
    image: 'busybox',
    command: ['sleep', '1'],
    volumeMounts: [
      { name: 'd', mountPath: 'data' },
      { name: 'scratch', mountPath: '/scratch' },
    ],
  }));
  const volumes: Volume[] = [
    { name: 'd', cinder: { volumeID: volumeId.toUpperCase() } },
    { name: 'scratch', emptyDir: { sizeLimit: '1025Mi' } },
    { name: 'unused', emptyDir: {} },
  ];
  const made = template({ spec: { containers: both, volumes } });
  assert.deepEqual(made.spec.volumes, [
    { name: 'v-d', cinder: { volumeID: volumeId } },
    { name: 'v-scratch', cinder: { size: 2, autoRemove: true } },
  ]);
  const mounts = [
    { name: 'v-d', mountPath: '/data' },
    { name: 'v-scratch', mountPath: '/scratch' },
  ];
  assert.deepEqual(
    made.spec.containers.map(({ volumeMounts }) => volumeMounts),
    [mounts, mounts],
  );
});

test('capsule: new volumes: emptyDir without a size, generic ephemeral, a volume without a source', () => {
  const size = (volume: Volume) => template({ spec: mounting(volume) }).spec.volumes?.[0]?.cinder;
  assert.deepEqual(size({ name: 'v', emptyDir: {} }), { size: 1, autoRemove: true });
  assert.deepEqual(size({ name: 'v' }), { size: 1, autoRemove: true });
  const spec = { resources: { requests: { storage: '2.5Gi' } } };
  assert.deepEqual(size({ name: 'v', ephemeral: { volumeClaimTemplate: { spec } } }), { size: 3, autoRemove: true });
});

test('capsule: what zun drops from a mount: refused with the path', () => {
  const volume: Volume = { name: 'd', cinder: { volumeID: volumeId } };
  const path = 'spec.containers[0].volumeMounts[0]';
  assert.deepEqual(refused({ spec: mounting(volume, { readOnly: true }) }), [`${path}.readOnly`]);
  assert.deepEqual(refused({ spec: mounting(volume, { subPath: 'a' }) }), [`${path}.subPath`]);
  assert.deepEqual(refused({ spec: mounting(volume, { subPathExpr: '$(A)' }) }), [`${path}.subPathExpr`]);
  assert.deepEqual(refused({ spec: mounting(volume, { mountPropagation: 'Bidirectional' }) }), [
    `${path}.mountPropagation`,
  ]);
  assert.deepEqual(refused({ spec: mounting(volume, { mountPropagation: 'None', readOnly: false }) }), []);
  assert.deepEqual(refused({ spec: { ...mounting(volume), volumes: [] } }), [`${path}.name`]);
});

test('capsule: one volume twice in a container: refused on docker, fine on cri', () => {
  const volumeMounts = ['/a', '/b'].map((mountPath) => ({ name: 'd', mountPath }));
  const spec = {
    containers: [{ name: 'app', image: 'nginx', args: ['x'], volumeMounts }],
    volumes: [{ name: 'd', emptyDir: {} }],
  };
  const annotations = { 'zunlet.io/accept-unsupported': 'args' };
  assert.deepEqual(refused({ spec, annotations }), ['spec.containers[0].volumeMounts[1]']);
  assert.deepEqual(refused({ spec }, { driver: 'cri' }), []);
});

test('capsule: volumes that only a kubelet can mount: refused, hostPath and block devices too', () => {
  for (const volume of [
    { name: 'v', nfs: { server: 's', path: '/' } },
    { name: 'v', hostPath: { path: '/' } },
    { name: 'v', csi: { driver: 'd' } },
    { name: 'v', image: { reference: 'x' } },
  ]) {
    const source = Object.keys(volume)[1];
    assert.deepEqual(refused({ spec: mounting(volume) }), [`spec.volumes[0].${source}`]);
  }
  assert.deepEqual(refused({ containers: app({ volumeDevices: [{ name: 'd', devicePath: '/dev/x' }] }) }), [
    'spec.containers[0].volumeDevices',
  ]);
});

test('capsule: emptyDir in memory: refused, with the policy warn a disk', () => {
  const spec = mounting({ name: 'v', emptyDir: { medium: 'Memory' } });
  assert.deepEqual(refused({ spec }), ['spec.volumes[0].emptyDir.medium']);
  assert.deepEqual(refused({ spec }, { unsupported: 'warn' }), []);
  assert.deepEqual(warnings({ spec }, { unsupported: 'warn' }), ['spec.volumes[0].emptyDir.medium']);
  assert.deepEqual(refused({ spec: mounting({ name: 'v', emptyDir: {} }) }, { emptyDir: 'reject' }), [
    'spec.volumes[0].emptyDir',
  ]);
});

test('capsule: files: refused, saying what to use instead', () => {
  const sources: Volume[] = [
    { name: 'v', configMap: { name: 'c' } },
    { name: 'v', secret: { secretName: 's' } },
    { name: 'v', projected: { sources: [] } },
    { name: 'v', downwardAPI: { items: [] } },
  ];
  for (const volume of sources) {
    const { problems } = translated({ spec: mounting(volume) });
    assert.deepEqual(
      problems.map(({ path, heals }) => [path, heals]),
      [[`spec.volumes[0].${Object.keys(volume)[1]}`, false]],
    );
    assert.match(problems[0]?.message ?? '', /container backend/);
  }
});

const token: Volume = {
  name: 'kube-api-access-x7k2p',
  projected: { defaultMode: 420, sources: [{ serviceAccountToken: { path: 'token', expirationSeconds: 3607 } }] },
};

const filling: Partial<TranslateOptions> = { initContainers: true, filesImage: 'busybox:1.36' };

test('capsule: files, where init containers work: a disk that a generated init container fills first', () => {
  const configMaps = { settings: configMap('settings', { "it's": 'A', 'b.sh': 'B' }) };
  const volumes: Volume[] = [
    { name: 'c', configMap: { name: 'settings', defaultMode: 0o755, items: [{ key: "it's", path: "x/it's" }] } },
    { name: 'd', downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] } },
    token,
  ];
  const containers = app({
    volumeMounts: volumes.map(({ name }) => ({ name, mountPath: `/${name}`, readOnly: true })),
  });
  const made = template({ spec: { containers, volumes, restartPolicy: 'Never' } }, filling, { configMaps });
  assert.deepEqual(made.spec.volumes, [
    { name: 'v-c', cinder: { size: 1, autoRemove: true } },
    { name: 'v-d', cinder: { size: 1, autoRemove: true } },
  ]);
  assert.deepEqual(made.spec.initContainers, [
    {
      image: 'busybox:1.36',
      command: [
        'sh',
        '-c',
        [
          'set -e',
          "mkdir -p '/zunlet-files/v-c/x'",
          "printf %s \"$FILE_0\" | base64 -d > '/zunlet-files/v-c/x/it'\\''s'",
          "chmod 0755 '/zunlet-files/v-c/x/it'\\''s'",
          "mkdir -p '/zunlet-files/v-d'",
          'printf %s "$FILE_1" | base64 -d > \'/zunlet-files/v-d/name\'',
          "chmod 0644 '/zunlet-files/v-d/name'",
        ].join('\n'),
      ],
      env: { FILE_0: 'QQ==', FILE_1: 'd2Vi', ZUNLET_CONTAINER: 'zunlet/files' },
      volumeMounts: [
        { name: 'v-c', mountPath: '/zunlet-files/v-c' },
        { name: 'v-d', mountPath: '/zunlet-files/v-d' },
      ],
    },
  ]);
  assert.deepEqual(
    made.spec.containers[0]?.volumeMounts?.map(({ mountPath }) => mountPath),
    ['/c', '/d'],
  );
});

test('capsule: files, where init containers work: restarts always are limited, and too many files wait', () => {
  const spec = mounting({ name: 'c', configMap: { name: 'settings' } });
  const run = (size: number) =>
    translated({ spec }, filling, { configMaps: { settings: configMap('settings', { a: 'x'.repeat(size) }) } });
  assert.match(run(1).notes.find(({ path }) => path === 'spec.volumes')?.message ?? '', /at most 10 restarts/);
  assert.deepEqual(
    run(60_000).problems.map(({ path, heals }) => [path, heals]),
    [['spec.volumes', true]],
  );
  assert.deepEqual(
    refused({ spec: mounting({ name: 'c', configMap: { name: 'settings' } }, { subPath: 'a' }) }, filling).slice(0, 1),
    ['spec.containers[0].volumeMounts[0].subPath'],
  );
});

test('capsule: the token volume that admission adds: left out, and named once', () => {
  const mount = { name: token.name, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true };
  const parts = {
    spec: {
      containers: ['a', 'b'].map((name) => ({
        name,
        image: 'busybox',
        command: ['sleep', '1'],
        volumeMounts: [mount],
      })),
      volumes: [token],
    },
  };
  const made = template(parts);
  assert.equal(made.spec.volumes, undefined);
  assert.ok(made.spec.containers.every(({ volumeMounts }) => volumeMounts === undefined));
  assert.deepEqual(warnings(parts), ['spec.volumes[0]']);
});

test('capsule: init containers: refused where they are broken, warned of where they work', () => {
  const spec = { initContainers: [{ name: 'first', image: 'busybox', command: ['true'] }] };
  assert.deepEqual(refused({ spec }), ['spec.initContainers']);
  const made = template({ spec }, { initContainers: true });
  assert.deepEqual(made.spec.initContainers, [
    { image: 'busybox', command: ['true'], env: { ZUNLET_CONTAINER: 'first' } },
  ]);
  const [note] = translated({ spec }, { initContainers: true }).notes.filter(
    ({ path }) => path === 'spec.initContainers',
  );
  assert.match(note?.message ?? '', /exit code.*at most 10 restarts/);
  const never = translated({ spec: { ...spec, restartPolicy: 'Never' } }, { initContainers: true });
  assert.doesNotMatch(never.notes.find(({ path }) => path === 'spec.initContainers')?.message ?? '', /10 restarts/);
});

test('capsule: sidecars: containers that start first, whatever works of init containers', () => {
  const sidecar = { name: 'proxy', image: 'envoy:1', command: ['envoy'], restartPolicy: 'Always' };
  const made = template({ spec: { initContainers: [sidecar] } });
  assert.equal(made.spec.initContainers, undefined);
  assert.deepEqual(
    made.spec.containers.map(({ image }) => image),
    ['envoy:1', 'nginx:1.27'],
  );
  assert.deepEqual(made.metadata.annotations?.['zunlet.io/containers'], ['proxy', 'app']);
  assert.deepEqual(warnings({ spec: { initContainers: [sidecar] } }), []);
  const job = { restartPolicy: 'Never', initContainers: [{ ...sidecar, startupProbe: { tcpSocket: { port: 1 } } }] };
  assert.deepEqual(warnings({ spec: job }), ['spec.initContainers[0].restartPolicy']);
});

test('capsule: a restart policy of one container: refused unless it is that of the pod', () => {
  const path = 'spec.containers[0].restartPolicy';
  assert.deepEqual(refused({ containers: app({ restartPolicy: 'Never' }) }), [path]);
  assert.deepEqual(refused({ containers: app({ restartPolicy: 'Always' }) }), []);
  assert.deepEqual(refused({ spec: { restartPolicy: 'Sometimes' } }), ['spec.restartPolicy']);
});

test('capsule: security fields that ask for something: refused; those that ask for nothing: not', () => {
  const asks: NonNullable<Container['securityContext']>[] = [
    { runAsUser: 0 },
    { runAsNonRoot: true },
    { readOnlyRootFilesystem: true },
    { allowPrivilegeEscalation: false },
    { privileged: true },
    { capabilities: { drop: ['ALL'] } },
    { capabilities: { add: ['NET_ADMIN'] } },
    { seccompProfile: { type: 'Localhost', localhostProfile: 'x' } },
    { seLinuxOptions: { level: 's0' } },
    { procMount: 'Unmasked' },
    { windowsOptions: { hostProcess: true } },
  ];
  for (const securityContext of asks) {
    assert.equal(refused({ containers: app({ securityContext }) }).length, 1, JSON.stringify(securityContext));
    assert.equal(refused({ containers: app({ securityContext }) }, { unsupported: 'warn' }).length, 1);
  }
  const nothing = {
    runAsNonRoot: false,
    readOnlyRootFilesystem: false,
    allowPrivilegeEscalation: true,
    privileged: false,
    capabilities: { drop: [], add: [] },
    seccompProfile: { type: 'RuntimeDefault' },
    procMount: 'Default',
  };
  assert.deepEqual(refused({ containers: app({ securityContext: nothing }) }), []);
});

test('capsule: a pod that accepts the loss of its hardening: starts, and every field is named', () => {
  const securityContext = { runAsNonRoot: true, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: true };
  const parts = {
    containers: app({ securityContext }),
    spec: { containers: app({ securityContext }), securityContext: { fsGroup: 1000 } },
    annotations: { 'zunlet.io/accept-unsupported': 'securityContext' },
  };
  assert.deepEqual(warnings(parts), [
    'spec.containers[0].securityContext.runAsNonRoot',
    'spec.containers[0].securityContext.capabilities.drop',
    'spec.containers[0].securityContext.readOnlyRootFilesystem',
    'spec.securityContext.fsGroup',
  ]);
  assert.deepEqual(
    refused({ spec: { hostNetwork: true }, annotations: { 'zunlet.io/accept-unsupported': 'hostNetwork' } }),
    ['spec.hostNetwork'],
  );
});

test('capsule: security groups and networks by annotation: refused unless the node sets the groups itself', () => {
  const groups = { 'zunlet.io/security-groups': 'web, db' };
  assert.deepEqual(refused({ annotations: groups }), ['metadata.annotations["zunlet.io/security-groups"]']);
  assert.deepEqual(refused({ annotations: groups }, { portSecurityGroups: true }), []);
  assert.deepEqual(refused({ annotations: { 'zunlet.io/networks': 'private' } }), [
    'metadata.annotations["zunlet.io/networks"]',
  ]);
});

test('capsule: text that zun cannot store: refused; more than its columns hold: refused', () => {
  assert.deepEqual(refused({ containers: app({ command: ['a\0b'] }) }), ['spec.containers[0].command']);
  assert.deepEqual(refused({ containers: app({ env: [{ name: 'A', value: '\ud800' }] }) }), ['spec.containers[0].env']);
  assert.deepEqual(refused({ containers: app({ workingDir: 'x'.repeat(256) }) }), ['spec.containers[0].workingDir']);
  assert.deepEqual(refused({ containers: app({ command: ['x'.repeat(70_000)] }) }), ['spec.containers[0].command']);
  const large = translated({ containers: app({ env: [{ name: 'A', value: 'x'.repeat(70_000) }] }) });
  assert.deepEqual(
    large.problems.map(({ path, heals }) => [path, heals]),
    [['spec.containers[0].env', true]],
  );
});

test('capsule: labels that do not fit: left out but for those that say whose it is', () => {
  const labels = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`label-${index}`, 'x'.repeat(63)]));
  assert.deepEqual(Object.keys(template({ labels }).metadata.labels).length, 5);
  assert.deepEqual(warnings({ labels }), ['metadata.labels']);
});

test('capsule: a claim that is not bound: waits with a reason of its own', () => {
  const { problems, request } = translated({
    spec: mounting({ name: 'v', persistentVolumeClaim: { claimName: 'data' } }),
  });
  assert.equal(request, undefined);
  assert.deepEqual(
    problems.map(({ heals, reason }) => [heals, reason]),
    [[true, 'FailedAttachVolume']],
  );
});

test('capsule: problems of every sort: all at once', () => {
  const paths = refused({
    spec: { hostNetwork: true, initContainers: [{ name: 'i', image: 'x y', command: ['a'] }] },
    containers: app({ image: '', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } }] }),
  });
  assert.deepEqual(paths.sort(), [
    'spec.containers[0].env[0].valueFrom.secretKeyRef',
    'spec.containers[0].image',
    'spec.hostNetwork',
    'spec.initContainers',
    'spec.initContainers[0].image',
  ]);
});

test('translatePod: a field of a newer Kubernetes: named in the Event, not dropped in silence', () => {
  assert.deepEqual(warnings({ spec: { brandNew: true } as Partial<PodSpec> }), ['spec.brandNew']);
});

test('translatePod: the pod and its inputs: stay as they are', () => {
  const subject = pod({ spec: mounting({ name: 'v', emptyDir: {} }) });
  const inputs = podInputs();
  const before = structuredClone({ subject, inputs });
  translatePod(subject, inputs, translateOptions());
  assert.deepEqual({ subject, inputs }, before);
});
