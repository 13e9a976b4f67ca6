import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodSpec } from '../../../src/kube/types.ts';
import { podReferences } from '../../../src/translate/references.ts';
import { pod } from '../../lib/builders.ts';

const spec: Partial<PodSpec> = {
  serviceAccountName: 'robot',
  imagePullSecrets: [{ name: 'pull' }, {}, { name: 'pull' }],
  containers: [
    {
      name: 'app',
      image: 'nginx',
      envFrom: [{ configMapRef: { name: 'map-from' } }, { secretRef: { name: 'secret-from', optional: true } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'map-key', key: 'k' } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'secret-key', key: 'k' } } },
        { name: 'C', valueFrom: { secretKeyRef: { name: 'secret-key', key: 'other' } } },
      ],
      volumeMounts: ['map', 'secret', 'projected', 'claim'].map((name) => ({ name, mountPath: `/${name}` })),
    },
  ],
  volumes: [
    { name: 'map', configMap: { name: 'map-file' } },
    { name: 'secret', secret: { secretName: 'secret-file' } },
    {
      name: 'projected',
      projected: {
        sources: [
          { configMap: { name: 'map-projected' } },
          { secret: { name: 'secret-projected' } },
          { serviceAccountToken: { path: 'token', expirationSeconds: 3607 } },
          { serviceAccountToken: { path: 'vault', audience: 'vault' } },
          { serviceAccountToken: { path: 'again', audience: 'vault' } },
        ],
      },
    },
    { name: 'claim', persistentVolumeClaim: { claimName: 'data' } },
    { name: 'unused', configMap: { name: 'map-unused' } },
  ],
};

test('podReferences: nothing known about the backend: all that may be needed, each once', () => {
  assert.deepEqual(podReferences(pod({ spec })), {
    configMaps: ['map-from', 'map-key', 'map-file', 'map-projected'],
    secrets: ['secret-from', 'secret-key', 'secret-file', 'secret-projected'],
    imagePullSecrets: ['pull'],
    persistentVolumeClaims: ['data'],
    tokens: [
      { key: '|3607', serviceAccount: 'robot', audience: '', expirationSeconds: 3607 },
      { key: 'vault|3600', serviceAccount: 'robot', audience: 'vault', expirationSeconds: 3600 },
    ],
    serviceLinks: true,
  });
});

test('podReferences: a pod that becomes a capsule: nothing that only files need', () => {
  const expected = {
    configMaps: ['map-from', 'map-key'],
    secrets: ['secret-from', 'secret-key'],
    imagePullSecrets: [],
    persistentVolumeClaims: ['data'],
    tokens: [],
    serviceLinks: true,
  };
  assert.deepEqual(podReferences(pod({ spec }), { backend: 'capsule' }), expected);
  assert.deepEqual(podReferences(pod({ spec, annotations: { 'zunlet.io/backend': 'capsule' } })), expected);
  const two = { ...spec, containers: [...(spec.containers ?? []), { name: 'second', image: 'nginx' }] };
  assert.deepEqual(podReferences(pod({ spec: two }), { backend: 'auto' }), expected);
});

test('podReferences: a capsule whose files are written by an init container: all but the token that admission adds', () => {
  const volumes = [
    ...(spec.volumes ?? []),
    { name: 'kube-api-access-abcde', projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'x' } }] } },
  ];
  const [container] = spec.containers ?? [];
  assert.ok(container);
  const volumeMounts = [...(container.volumeMounts ?? []), { name: 'kube-api-access-abcde', mountPath: '/x' }];
  const filling = { backend: 'capsule' as const, initContainers: true, filesImage: 'busybox' };
  const named = podReferences(
    pod({ spec: { ...spec, containers: [{ ...container, volumeMounts }], volumes } }),
    filling,
  );
  assert.deepEqual(named.configMaps, ['map-from', 'map-key', 'map-file', 'map-projected']);
  assert.deepEqual(
    named.tokens.map(({ audience }) => audience),
    ['', 'vault'],
  );
  assert.deepEqual(named.imagePullSecrets, []);
});

test('podReferences: an annotation or a class may choose the other backend: files are named', () => {
  const annotated = pod({ spec, annotations: { 'zunlet.io/backend': 'container' } });
  assert.equal(podReferences(annotated, { backend: 'capsule' }).tokens.length, 2);
  const classed = podReferences(pod({ spec: { ...spec, runtimeClassName: 'zun' } }), { backend: 'capsule' });
  assert.equal(classed.runtimeClassName, 'zun');
  assert.equal(classed.tokens.length, 2);
});

test('podReferences: service links switched off, no account: said so, and the account default', () => {
  const plain = podReferences(
    pod({
      spec: {
        enableServiceLinks: false,
        containers: [{ name: 'a', image: 'nginx', volumeMounts: [{ name: 't', mountPath: '/t' }] }],
        volumes: [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }],
      },
    }),
  );
  assert.equal(plain.serviceLinks, false);
  assert.equal(plain.tokens[0]?.serviceAccount, 'default');
});

test('podReferences: a pod of the wrong shape: names nothing', () => {
  assert.deepEqual(podReferences({ metadata: {}, spec: { containers: 'x' } } as unknown as Pod).configMaps, []);
});
