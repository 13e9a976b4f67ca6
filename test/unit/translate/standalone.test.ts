import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, PodSpec, Volume } from '../../../src/kube/types.ts';
import type { ContainerMount, ContainerRequest } from '../../../src/openstack/types.ts';
import { translatePod } from '../../../src/translate/pod.ts';
import type { PodInputs, TranslateOptions, Translation } from '../../../src/translate/types.ts';
import { type PodParts, pod } from '../../lib/builders.ts';
import { configMap, podInputs, secret, translateOptions, zunObjections } from '../../lib/translation.ts';

const volumeId = '9f81cbb2-10f9-4bab-938d-92fe33c57a24';

function translated(
  parts: PodParts,
  options: Partial<TranslateOptions> = {},
  inputs: Partial<PodInputs> = {},
): Translation {
  return translatePod(pod(parts), podInputs(inputs), translateOptions({ backend: 'container', ...options }));
}

function request(parts: PodParts, options?: Partial<TranslateOptions>, inputs?: Partial<PodInputs>): ContainerRequest {
  const { request: made, problems } = translated(parts, options, inputs);
  assert.deepEqual(problems, []);
  assert.ok(made?.backend === 'container');
  assert.deepEqual(zunObjections(made), []);
  return made.container;
}

function refused(parts: PodParts, options?: Partial<TranslateOptions>, inputs?: Partial<PodInputs>): string[] {
  return translated(parts, options, inputs).problems.map(({ path }) => path);
}

function app(container: Partial<Container>): PodSpec['containers'] {
  return [{ name: 'app', image: 'nginx:1.27', ...container }];
}

/** The files that a request puts into the container, decoded. */
function filesIn(mounts: ContainerMount[] | undefined): Record<string, string> {
  const binds = (mounts ?? []).flatMap((mount) => (mount.type === 'bind' ? [mount] : []));
  return Object.fromEntries(
    binds.map(({ source, destination }) => [destination, Buffer.from(source, 'base64').toString()]),
  );
}

function withVolumes(
  volumes: Volume[],
  mounts: object[] = volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
) {
  const env = [{ name: 'FILE', value: 'b' }];
  return { spec: { containers: app({ env, volumeMounts: mounts as never }), volumes } };
}

test('container: the smallest pod: image, mark, labels, host name and restart policy', () => {
  assert.deepEqual(request({ containers: app({}) }), {
    name: 'pod-default-web-00000000',
    image: 'nginx:1.27',
    environment: { ZUNLET_CONTAINER: 'app' },
    labels: {
      'zunlet.io/cluster': 'cluster-1',
      'zunlet.io/node': 'zun-1',
      'zunlet.io/namespace': 'default',
      'zunlet.io/pod': 'web',
      'zunlet.io/uid': '00000000-0000-4000-8000-000000000001',
      'zunlet.io/images': 'app=nginx:1.27',
    },
    restart_policy: { Name: 'always' },
    hostname: 'web',
  });
});

test('container: every plain field: stands in the request', () => {
  const made = request(
    {
      containers: app({
        command: ['python', '-m'],
        args: ['http.server', '$(PORT)'],
        env: [{ name: 'PORT', value: '8000' }],
        workingDir: '/srv',
        stdin: true,
        tty: true,
        resources: { requests: { cpu: '500m' }, limits: { memory: '64Mi' } },
      }),
      spec: { restartPolicy: 'OnFailure' },
      annotations: { 'zunlet.io/security-groups': 'web, db', 'zunlet.io/networks': 'private' },
    },
    { availabilityZone: 'nova' },
  );
  const { labels: _labels, environment: _environment, ...rest } = made;
  assert.deepEqual(rest, {
    name: 'pod-default-web-00000000',
    image: 'nginx:1.27',
    entrypoint: ['python'],
    command: ['-m', 'http.server', '8000'],
    workdir: '/srv',
    cpu: 0.5,
    memory: 64,
    interactive: true,
    tty: true,
    restart_policy: { Name: 'on-failure' },
    hostname: 'web',
    security_groups: ['web', 'db'],
    nets: [{ network: 'private' }],
    availability_zone: 'nova',
  });
  assert.deepEqual(request({ containers: app({}), spec: { restartPolicy: 'Never' } }).restart_policy, { Name: 'no' });
});

test('container: command and args: zun fills an empty command from the image, so one word alone is refused', () => {
  const words = (container: Partial<Container>) => {
    const { entrypoint, command } = request({ containers: app(container) });
    return { entrypoint, command };
  };
  assert.deepEqual(words({ args: ['-v'] }), { entrypoint: undefined, command: ['-v'] });
  assert.deepEqual(words({ command: ['sh'], args: ['-c', 'x'] }), { entrypoint: ['sh'], command: ['-c', 'x'] });
  assert.deepEqual(words({ command: ['sleep', '1'] }), { entrypoint: ['sleep'], command: ['1'] });
  assert.deepEqual(refused({ containers: app({ command: ['run'] }) }), ['spec.containers[0].command']);
});

test('container: several containers, or init containers: refused, and auto takes the capsule', () => {
  const two = { containers: [...app({}), { name: 'b', image: 'nginx' }] };
  assert.deepEqual(refused(two), ['spec.containers']);
  assert.equal(translated(two, { backend: 'auto' }).backend, 'capsule');
  assert.equal(translated({ containers: app({}) }, { backend: 'auto' }).backend, 'container');
  const init = { containers: app({}), spec: { initContainers: app({ name: 'i' }) } };
  assert.ok(refused(init).includes('spec.initContainers'));
});

test('backend: annotation, class and option: the first that speaks decides', () => {
  const choose = (parts: PodParts, backend: TranslateOptions['backend'], handler?: string | null) =>
    translatePod(
      pod(parts),
      podInputs(handler === undefined ? {} : { runtimeHandler: handler }),
      translateOptions({ backend }),
    );
  const classed = { containers: app({ args: ['x', 'y'] }), spec: { runtimeClassName: 'c' } };
  assert.equal(choose(classed, 'capsule', 'zun-container').backend, 'container');
  assert.equal(choose(classed, 'container', 'zun').backend, 'capsule');
  const annotated = { ...classed, annotations: { 'zunlet.io/backend': 'container' } };
  assert.equal(choose(annotated, 'capsule', 'zun').backend, 'container');
  assert.equal(choose({ ...classed, annotations: { 'zunlet.io/backend': 'auto' } }, 'capsule').backend, 'container');
  const problem = (handler: string | null) => choose(classed, 'container', handler).problems[0];
  assert.match(problem('kata')?.message ?? '', /RuntimeHandler "kata" not supported/);
  assert.equal(problem('kata')?.heals, false);
  assert.equal(problem(null)?.heals, true);
  const wrong = choose({ containers: app({}), annotations: { 'zunlet.io/backend': 'vm' } }, 'container');
  assert.deepEqual(
    wrong.problems.map(({ path }) => path),
    ['metadata.annotations["zunlet.io/backend"]'],
  );
});

const inputs: Partial<PodInputs> = {
  configMaps: {
    settings: { ...configMap('settings', { 'a.conf': 'A', 'b.conf': 'B' }), binaryData: { 'c.bin': 'Qw==' } },
    gone: null,
  },
  secrets: { login: secret('login', { user: 'me', password: 'pw' }) },
  tokens: { '|3607': 'the-token', 'vault|3600': 'vault-token' },
};

test('container: ConfigMap and Secret: all keys, or those listed under the paths they name', () => {
  const made = request(
    withVolumes([
      { name: 'all', configMap: { name: 'settings' } },
      { name: 'some', secret: { secretName: 'login', items: [{ key: 'password', path: 'db/pass' }] } },
      { name: 'none', configMap: { name: 'gone', optional: true } },
      { name: 'part', configMap: { name: 'settings', optional: true, items: [{ key: 'zzz', path: 'z' }] } },
    ]),
    {},
    inputs,
  );
  assert.deepEqual(filesIn(made.mounts), {
    '/all/a.conf': 'A',
    '/all/b.conf': 'B',
    '/all/c.bin': 'C',
    '/some/db/pass': 'pw',
  });
});

test('container: projected, downward and token volumes: one folder, the later source wins', () => {
  const parts = withVolumes([
    {
      name: 'v',
      projected: {
        sources: [
          { configMap: { name: 'settings', items: [{ key: 'a.conf', path: 'same' }] } },
          { secret: { name: 'login', items: [{ key: 'user', path: 'same' }] } },
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { serviceAccountToken: { path: 'vault', audience: 'vault' } },
          {
            downwardAPI: {
              items: [
                { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
                { path: 'name', fieldRef: { fieldPath: 'metadata.name' } },
                { path: 'cpu', resourceFieldRef: { containerName: 'app', resource: 'limits.cpu' } },
              ],
            },
          },
        ],
      },
    },
  ]);
  const made = request({ ...parts, labels: { b: '2', a: 'x"y' } }, {}, inputs);
  assert.deepEqual(filesIn(made.mounts), {
    '/v/same': 'me',
    '/v/token': 'the-token',
    '/v/vault': 'vault-token',
    '/v/labels': 'a="x\\"y"\nb="2"',
    '/v/name': 'web',
    '/v/cpu': '32',
  });
});

test('container: sources that are missing: waits with the words of the kubelet', () => {
  const volumes: Volume[] = [
    { name: 'a', configMap: { name: 'gone' } },
    { name: 'b', secret: { secretName: 'nowhere' } },
    { name: 'c', configMap: { name: 'settings', items: [{ key: 'zzz', path: 'z' }] } },
    { name: 'd', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'other' } }] } },
  ];
  const { problems } = translated(withVolumes(volumes), {}, inputs);
  assert.deepEqual(
    problems.map(({ path, message }) => `${path} ${message}`),
    [
      'spec.volumes[0].configMap MountVolume.SetUp failed for volume "a" : configmap "gone" not found',
      'spec.volumes[1].secret MountVolume.SetUp failed for volume "b" : secret "nowhere" not found',
      'spec.volumes[2].configMap MountVolume.SetUp failed for volume "c" : configmap references non-existent config key: zzz',
      'spec.volumes[3].projected.sources[0] MountVolume.SetUp failed for volume "d" : failed to fetch token',
    ],
  );
  assert.ok(problems.every(({ heals, reason }) => heals && reason === 'FailedMount'));
});

test('container: modes that zun cannot set, paths that leave the volume: refused', () => {
  const mode = (defaultMode: number) =>
    refused(withVolumes([{ name: 'v', configMap: { name: 'settings', defaultMode } }]), {}, inputs);
  assert.deepEqual(mode(0o644), []);
  assert.deepEqual(mode(0o755), ['spec.volumes[0].configMap.defaultMode']);
  assert.deepEqual(mode(0o400), ['spec.volumes[0].configMap.defaultMode']);
  const items = [{ key: 'a.conf', path: '../etc/passwd' }];
  assert.deepEqual(refused(withVolumes([{ name: 'v', configMap: { name: 'settings', items } }]), {}, inputs), [
    'spec.volumes[0]',
  ]);
});

test('container: a part of a volume of files: one file in place, or the files of a folder', () => {
  const volumes: Volume[] = [
    {
      name: 'v',
      configMap: {
        name: 'settings',
        items: [
          { key: 'a.conf', path: 'x/a' },
          { key: 'b.conf', path: 'x/b' },
        ],
      },
    },
  ];
  const mount = (more: object) =>
    filesIn(request(withVolumes(volumes, [{ name: 'v', mountPath: '/etc/app', ...more }]), {}, inputs).mounts);
  assert.deepEqual(mount({ subPath: 'x/a' }), { '/etc/app': 'A' });
  assert.deepEqual(mount({ subPath: 'x/' }), { '/etc/app/a': 'A', '/etc/app/b': 'B' });
  assert.deepEqual(mount({ subPathExpr: 'x/$(FILE)' }), { '/etc/app': 'B' });
  const nowhere = withVolumes(volumes, [{ name: 'v', mountPath: '/etc/app', subPath: 'y' }]);
  const [problem] = translated(nowhere, {}, inputs).problems;
  assert.deepEqual([problem?.path, problem?.heals], ['spec.containers[0].volumeMounts[0].subPath', true]);
});

test('container: disks: by id and by size, whole and for writing', () => {
  const volumes: Volume[] = [
    { name: 'd', cinder: { volumeID: volumeId } },
    { name: 'e', emptyDir: { sizeLimit: '3Gi' } },
  ];
  assert.deepEqual(request(withVolumes(volumes)).mounts, [
    { type: 'volume', source: volumeId, destination: '/d' },
    { type: 'volume', size: 3, destination: '/e' },
  ]);
  const [d] = volumes;
  assert.ok(d);
  const path = 'spec.containers[0].volumeMounts';
  assert.deepEqual(refused(withVolumes([d], [{ name: 'd', mountPath: '/d', readOnly: true }])), [
    `${path}[0].readOnly`,
  ]);
  assert.deepEqual(refused(withVolumes([d], [{ name: 'd', mountPath: '/d', subPath: 'x' }])), [`${path}[0].subPath`]);
  const twice = [
    { name: 'd', mountPath: '/a' },
    { name: 'd', mountPath: '/b' },
  ];
  assert.deepEqual(refused(withVolumes([d], twice)), [`${path}[1]`]);
});

test('container: host name: given, cut, full, or impossible', () => {
  const hostname = (spec: Partial<PodSpec>, name = 'db-0') => request({ name, containers: app({}), spec }).hostname;
  assert.equal(hostname({}), 'db-0');
  assert.equal(hostname({ hostname: 'other' }), 'other');
  assert.equal(hostname({ hostname: 'other', hostnameOverride: 'mine.example' }), 'mine.example');
  assert.equal(hostname({}, `${'x'.repeat(62)}-y`), 'x'.repeat(62));
  assert.equal(hostname({ setHostnameAsFQDN: true, subdomain: 'db' }), 'db-0.db.default.svc.cluster.local');
  assert.equal(hostname({ setHostnameAsFQDN: true }), 'db-0');
  const long = { setHostnameAsFQDN: true, subdomain: 'x'.repeat(40) };
  assert.deepEqual(refused({ containers: app({}), spec: long }), ['spec.setHostnameAsFQDN']);
});

test('container: host aliases: /etc/hosts, unless the pod mounts its own', () => {
  const hostAliases = [{ ip: '192.0.2.9', hostnames: ['db', 'db.example'] }];
  const files = filesIn(request({ containers: app({}), spec: { hostAliases } }).mounts);
  assert.match(files['/etc/hosts'] ?? '', /^# Kubernetes-managed hosts file\.\n127\.0\.0\.1\tlocalhost\n/);
  assert.match(files['/etc/hosts'] ?? '', /\n192\.0\.2\.9\tdb\tdb\.example\n$/);
  const own = withVolumes(
    [{ name: 'v', configMap: { name: 'settings' } }],
    [{ name: 'v', mountPath: '/etc/hosts', subPath: 'a.conf' }],
  );
  const made = request({ spec: { ...own.spec, hostAliases } }, {}, inputs);
  assert.deepEqual(filesIn(made.mounts), { '/etc/hosts': 'A' });
});

test('container: DNS: by the policy, the servers of the cluster and the configuration of the pod', () => {
  const resolver = (spec: Partial<PodSpec>, options: Partial<TranslateOptions> = { clusterDns: ['10.96.0.10'] }) =>
    filesIn(request({ containers: app({}), spec }, options).mounts)['/etc/resolv.conf'];
  assert.equal(
    resolver({}),
    'nameserver 10.96.0.10\nsearch default.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n',
  );
  const dnsConfig = {
    nameservers: ['192.0.2.53'],
    searches: ['example'],
    options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
  };
  assert.equal(
    resolver({ dnsConfig }),
    'nameserver 10.96.0.10\nnameserver 192.0.2.53\nsearch default.svc.cluster.local svc.cluster.local cluster.local example\noptions ndots:2 edns0\n',
  );
  assert.equal(
    resolver({ dnsPolicy: 'None', dnsConfig }, {}),
    'nameserver 192.0.2.53\nsearch example\noptions ndots:2 edns0\n',
  );
  assert.equal(resolver({ dnsPolicy: 'Default' }), undefined);
  assert.equal(resolver({}, {}), undefined);
  assert.deepEqual(refused({ containers: app({}), spec: { dnsConfig } }), ['spec.dnsConfig']);
  assert.deepEqual(refused({ containers: app({}), spec: { dnsConfig } }, { unsupported: 'warn' }), []);
});

test('container: image pull secrets: the registry of the first that fits; missing ones are warned of', () => {
  const auths = { 'ghcr.io': { username: 'me', password: 'pw' } };
  const pull = secret('pull', { '.dockerconfigjson': JSON.stringify({ auths }) });
  const spec = { imagePullSecrets: [{ name: 'gone' }, { name: 'pull' }], containers: app({ image: 'ghcr.io/a/b:1' }) };
  const given = { secrets: { pull, gone: null }, registries: { pull: 'registry-uuid' } };
  assert.equal(request({ spec }, {}, given).registry, 'registry-uuid');
  const { notes } = translated({ spec }, {}, given);
  assert.match(notes.find(({ path }) => path === 'spec.imagePullSecrets')?.message ?? '', /\(gone\)/);
  assert.equal(request({ spec: { ...spec, containers: app({}) } }, {}, given).registry, undefined);
  const without = translated({ spec }, {}, { ...given, registries: {} });
  assert.match(without.notes.find(({ path }) => path === 'spec.imagePullSecrets')?.message ?? '', /no Zun registry/);
});
