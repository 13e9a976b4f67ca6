import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '../../../src/kube/types.ts';
import { containerEnvironment } from '../../../src/translate/env.ts';
import { pod } from '../../lib/builders.ts';
import { configMap, containerContext, podInputs, secret, translateOptions } from '../../lib/translation.ts';

type Parts = Parameters<typeof containerContext>[1];

function environment(container: Partial<Container>, parts?: Parts) {
  const context = containerContext(container, parts);
  const made = containerEnvironment(context);
  return { made, problems: context.findings.problems(), notes: context.findings.notes() };
}

const inputs = {
  configMaps: { settings: configMap('settings', { level: 'info', 'odd key': 'x', A: 'from-map' }), gone: null },
  secrets: { login: secret('login', { user: 'me', raw: Uint8Array.of(0xff, 0x00) }) },
};

test('environment: variables that name each other: only what came before is seen', () => {
  const { made } = environment({
    env: [
      { name: 'FIRST', value: '$(SECOND)' },
      { name: 'SECOND', value: 'two' },
      { name: 'THIRD', value: '$(FIRST)/$(SECOND)' },
      { name: 'SECOND', value: 'again-$(SECOND)' },
    ],
  });
  assert.deepEqual(made, { FIRST: '$(SECOND)', SECOND: 'again-two', THIRD: '$(SECOND)/two', ZUNLET_CONTAINER: 'app' });
});

test('environment: envFrom: literal values with a prefix, later sources win, env wins over all', () => {
  const { made, problems } = environment(
    {
      envFrom: [
        { configMapRef: { name: 'settings' } },
        { prefix: 'DB_', secretRef: { name: 'plain' } },
        { configMapRef: { name: 'later' } },
      ],
      env: [{ name: 'level', value: 'debug' }],
    },
    {
      inputs: {
        configMaps: { ...inputs.configMaps, later: configMap('later', { A: '$(level)' }) },
        secrets: { plain: secret('plain', { user: 'me' }) },
      },
    },
  );
  assert.deepEqual(made, { level: 'debug', 'odd key': 'x', A: '$(level)', DB_user: 'me', ZUNLET_CONTAINER: 'app' });
  assert.deepEqual(problems, []);
});

test('environment: references that are missing: waits with the words of the kubelet', () => {
  const { problems } = environment(
    {
      envFrom: [{ configMapRef: { name: 'gone' } }],
      env: [
        { name: 'A', valueFrom: { secretKeyRef: { name: 'nowhere', key: 'k' } } },
        { name: 'B', valueFrom: { configMapKeyRef: { name: 'settings', key: 'k' } } },
        { name: 'C', valueFrom: { secretKeyRef: { name: 'login', key: 'k' } } },
      ],
    },
    { inputs },
  );
  assert.deepEqual(
    problems.map(({ path, message }) => [path, message]),
    [
      ['spec.containers[0].envFrom[0].configMapRef', 'configmap "gone" not found'],
      ['spec.containers[0].env[0].valueFrom.secretKeyRef', 'secret "nowhere" not found'],
      ['spec.containers[0].env[1].valueFrom.configMapKeyRef', "couldn't find key k in ConfigMap default/settings"],
      ['spec.containers[0].env[2].valueFrom.secretKeyRef', "couldn't find key k in Secret default/login"],
    ],
  );
  assert.ok(
    problems.every(
      ({ heals, reason, container }) => heals && reason === 'CreateContainerConfigError' && container === 'app',
    ),
  );
});

test('environment: optional references that are missing: no variable, no problem', () => {
  const { made, problems } = environment(
    {
      envFrom: [{ secretRef: { name: 'nowhere', optional: true } }],
      env: [
        { name: 'A', valueFrom: { configMapKeyRef: { name: 'gone', key: 'k', optional: true } } },
        { name: 'B', valueFrom: { secretKeyRef: { name: 'login', key: 'k', optional: true } } },
        { name: 'C', valueFrom: { fileKeyRef: { volumeName: 'v', path: 'p', key: 'k', optional: true } } },
      ],
    },
    { inputs },
  );
  assert.deepEqual(made, { ZUNLET_CONTAINER: 'app' });
  assert.deepEqual(problems, []);
});

test('environment: a secret that is no text: waits, since JSON cannot carry it', () => {
  const { problems } = environment(
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'raw' } } }] },
    { inputs },
  );
  assert.match(problems[0]?.message ?? '', /not UTF-8 text/);
  assert.equal(problems[0]?.heals, true);
});

test('environment: fields of the pod: every one that a variable can have', () => {
  const paths = {
    NAME: 'metadata.name',
    NAMESPACE: 'metadata.namespace',
    UID: 'metadata.uid',
    LABEL: "metadata.labels['app.kubernetes.io/name']",
    NO_LABEL: "metadata.labels['none']",
    ANNOTATION: "metadata.annotations['note']",
    NODE: 'spec.nodeName',
    ACCOUNT: 'spec.serviceAccountName',
    HOST: 'status.hostIP',
    HOSTS: 'status.hostIPs',
  };
  const subject = pod({
    name: 'db-0',
    namespace: 'shop',
    labels: { 'app.kubernetes.io/name': 'db' },
    annotations: { note: 'a "quote"' },
    spec: { serviceAccountName: 'robot' },
  });
  const env = Object.entries(paths).map(([name, fieldPath]) => ({ name, valueFrom: { fieldRef: { fieldPath } } }));
  const { made, problems } = environment({ env }, { pod: subject });
  assert.deepEqual(problems, []);
  assert.deepEqual(made, {
    NAME: 'db-0',
    NAMESPACE: 'shop',
    UID: subject.metadata.uid,
    LABEL: 'db',
    NO_LABEL: '',
    ANNOTATION: 'a "quote"',
    NODE: 'zun-1',
    ACCOUNT: 'robot',
    HOST: '192.0.2.1',
    HOSTS: '192.0.2.1,2001:db8::1',
    ZUNLET_CONTAINER: 'app',
  });
});

test('environment: the own address of the pod, or a field that is none: refused for good', () => {
  for (const fieldPath of [
    'status.podIP',
    'status.podIPs',
    'spec.containers',
    'metadata.labels',
    '',
    "metadata.labels['a",
  ]) {
    const { problems } = environment({ env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath } } }] });
    assert.equal(problems.length, 1, fieldPath);
    assert.equal(problems[0]?.heals, false);
  }
});

test('environment: resources: over the divisor, rounded up; missing limits are what the node has', () => {
  const resources = { requests: { cpu: '250m', memory: '64Mi' }, limits: { memory: '100M' } };
  const cases: [resource: string, divisor: string | undefined, expected: string][] = [
    ['requests.cpu', undefined, '1'],
    ['requests.cpu', '1m', '250'],
    ['requests.memory', '1Mi', '64'],
    ['limits.memory', '1Mi', '96'],
    ['limits.memory', undefined, '100000000'],
    ['limits.cpu', '1', '32'],
    ['requests.ephemeral-storage', undefined, '0'],
    ['limits.ephemeral-storage', '0', '0'],
  ];
  const env = cases.map(([resource, divisor], index) => ({
    name: `V${index}`,
    valueFrom: { resourceFieldRef: { resource, ...(divisor === undefined ? {} : { divisor }) } },
  }));
  const { made, problems } = environment({ resources, env });
  assert.deepEqual(problems, []);
  assert.deepEqual(
    cases.map((_, index) => made[`V${index}`]),
    cases.map(([, , expected]) => expected),
  );
});

test('environment: resources of another container, or of none: found by name, or refused', () => {
  const context = containerContext({
    env: [
      { name: 'A', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'first' } } },
      { name: 'B', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', containerName: 'nobody' } } },
      { name: 'C', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
    ],
  });
  context.pod.spec.initContainers = [{ name: 'first', resources: { limits: { cpu: '3' } } }];
  assert.equal(containerEnvironment(context)['A'], '3');
  assert.deepEqual(
    context.findings.problems().map(({ path }) => path),
    ['spec.containers[0].env[1].valueFrom.resourceFieldRef', 'spec.containers[0].env[2].valueFrom.resourceFieldRef'],
  );
});

test('environment: services: come last, the user wins, and $(NAME) sees them', () => {
  const services = [
    {
      metadata: { name: 'db', namespace: 'default', uid: 'db' },
      spec: { clusterIP: '10.0.0.9', ports: [{ port: 5432 }] },
    },
  ];
  const { made } = environment(
    {
      env: [
        { name: 'URL', value: 'pg://$(DB_SERVICE_HOST)' },
        { name: 'DB_SERVICE_PORT', value: '1' },
      ],
    },
    { inputs: podInputs({ services }) },
  );
  assert.equal(made['URL'], 'pg://10.0.0.9');
  assert.equal(made['DB_SERVICE_PORT'], '1');
  assert.deepEqual(Object.keys(made).slice(0, 3), ['URL', 'DB_SERVICE_PORT', 'DB_SERVICE_HOST']);
});

test('environment: an address for the API server: given to every container', () => {
  const { made } = environment(
    {},
    { options: translateOptions({ kubernetesServiceHost: 'api', kubernetesServicePort: 6443 }) },
  );
  assert.equal(made['KUBERNETES_SERVICE_HOST'], 'api');
});

test('environment: the marker: cannot be overwritten by the user', () => {
  const { made } = environment({ name: 'worker', env: [{ name: 'ZUNLET_CONTAINER', value: 'other' }] });
  assert.equal(made['ZUNLET_CONTAINER'], 'worker');
});

test('environment: names that no environment can have: refused', () => {
  for (const name of ['', 'a=b', 'tab\t', 'grün']) {
    const { problems } = environment({ env: [{ name, value: 'x' }] });
    assert.equal(problems[0]?.path, 'spec.containers[0].env[0].name', JSON.stringify(name));
  }
  assert.deepEqual(environment({ env: [{ name: 'with.dots and-spaces', value: 'x' }] }).problems, []);
});

test('environment: names of JavaScript itself: are names like any other', () => {
  const { made, problems } = environment(
    {
      env: [
        { name: '__proto__', value: 'x' },
        { name: 'B', value: '$(constructor)$(toString)' },
      ],
      envFrom: [{ configMapRef: { name: 'constructor' } }],
    },
    { inputs },
  );
  assert.ok(Object.hasOwn(made, '__proto__'));
  assert.equal(made['B'], '$(constructor)$(toString)');
  assert.equal(problems[0]?.message, 'configmap "constructor" not found');
});
