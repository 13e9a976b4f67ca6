import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { test } from 'node:test';
import { parse } from 'yaml';
import { loadOptions } from '../../../src/config/load.ts';
import { options } from '../../../src/config/options.ts';
import { chart, createHelms, type Manifest, objectOf, valuesFiles } from '../../lib/helm.ts';
import { hasModel, modelProblems } from '../../lib/model-check.ts';
import { operatorProblems } from '../../lib/operator-check.ts';

const helms = await createHelms();
const existing = ['--set', 'openstack.existingSecret=openstack'];

for (const helm of helms) {
  for (const file of valuesFiles) {
    const name = `chart: helm of ${helm.version}, ${basename(file)}`;
    const rendered = once(() => helm.template('--values', file, '--kube-version', '1.35.1'));

    test(`${name}: passes lint --strict`, () => {
      const { code, out, err } = helm.run('lint', '--strict', chart, '--values', file);
      assert.equal(code, 0, out + err);
    });

    test(`${name}: every object has only fields that Kubernetes knows`, () => {
      assert.deepEqual(rendered().flatMap(modelProblems), []);
      const strangers = rendered().filter((object) => !hasModel(object));
      assert.deepEqual(strangers.flatMap(operatorProblems), []);
    });

    test(`${name}: zunlet takes the configuration`, () => {
      const { values } = loadOptions({ flags: {}, env: {}, file: { name: 'zunlet.yaml', text: configOf(rendered()) } });
      assert.equal(values.kubernetesVersion, options.kubernetesVersion.default);
    });
  }

  for (const [set, path] of [
    ['replicaz=2', 'replicaz'],
    ['replicas=many', 'replicas'],
    ['options.nodeNam=x', 'nodeNam'],
    ['options.settle=sixty', 'settle'],
    ['options.backend=virtual', 'backend'],
    ['options.kubeletPort=70000', 'kubeletPort'],
    ['image.pullPolicy=Sometimes', 'pullPolicy'],
    ['rbac.namespaces=default', 'namespaces'],
  ] as const) {
    test(`chart: helm of ${helm.version}, value ${set}: refused with its path`, () => {
      const { code, err } = helm.run('template', 'zun', chart, ...existing, '--set', set);
      assert.equal(code, 1);
      assert.match(err, new RegExp(path));
      assert.match(err, /don't meet the specifications of the schema/);
    });
  }

  test(`chart: helm of ${helm.version}, no credentials: says what to set`, () => {
    const { code, err } = helm.run('template', 'zun', chart);
    assert.equal(code, 1);
    assert.match(err, /set openstack\.existingSecret to a Secret with clouds\.yaml/);
  });
}

function configOf(objects: readonly Manifest[]): string {
  const texts = objects.flatMap(({ kind, data }) => (kind === 'ConfigMap' ? [data as Record<string, string>] : []));
  return texts.flatMap((data) => data['zunlet.yaml'] ?? [])[0] ?? '';
}

function once<T>(make: () => T): () => T {
  let made: T | undefined;
  return () => (made ??= make());
}

interface PodSpec {
  securityContext: { runAsNonRoot: boolean; seccompProfile: object };
  containers: { securityContext: object }[];
}

test('chart: version of the program: appVersion is that of package.json', () => {
  const { version } = JSON.parse(readFileSync(join(chart, '../../package.json'), 'utf8')) as { version: string };
  const meta = parse(readFileSync(join(chart, 'Chart.yaml'), 'utf8')) as { appVersion: string };
  assert.equal(meta.appVersion, version);
});

for (const helm4 of helms.slice(-1)) {
  test('chart: an older cluster: the node reports its version', () => {
    const objects = helm4.template(...existing, '--kube-version', '1.32.5');
    assert.match(configOf(objects), /^kubernetesVersion: v1\.32\.0$/m);
  });

  test('chart: a newer cluster: the node reports what zunlet was made for', () => {
    const objects = helm4.template(...existing, '--kube-version', '1.37.1');
    assert.match(configOf(objects), /^kubernetesVersion: v1\.35\.0$/m);
  });

  test('chart: an option changes: the Pod changes with it', () => {
    const checksum = (...args: string[]) => {
      const { spec } = objectOf(helm4.template(...existing, ...args), 'Deployment') as unknown as {
        spec: { template: { metadata: { annotations: Record<string, string> } } };
      };
      return spec.template.metadata.annotations['checksum/config'];
    };
    assert.notEqual(checksum(), checksum('--set', 'options.settle=61s'));
    assert.equal(checksum(), checksum('--set', 'replicas=2'));
  });

  test('chart: a Pod of every template: root is read-only, nobody is root, no capability, seccomp', () => {
    const objects = helm4.template(...existing);
    const deployment = objectOf(objects, 'Deployment') as unknown as { spec: { template: { spec: PodSpec } } };
    const check = objectOf(objects, 'Pod') as unknown as { spec: PodSpec };
    for (const spec of [deployment.spec.template.spec, check.spec]) {
      assert.equal(spec.securityContext.runAsNonRoot, true);
      assert.deepEqual(spec.securityContext.seccompProfile, { type: 'RuntimeDefault' });
      for (const { securityContext } of spec.containers) {
        assert.deepEqual(securityContext, {
          allowPrivilegeEscalation: false,
          readOnlyRootFilesystem: true,
          capabilities: { drop: ['ALL'] },
        });
      }
    }
  });

  test('chart: RuntimeClasses: the toleration is that of the taint', () => {
    const objects = helm4.template(...existing, '--set', 'options.nodeTaint=example.org/zun=yes:NoExecute');
    for (const name of ['zun', 'zun-container']) {
      const { handler, scheduling } = objectOf(objects, 'RuntimeClass', name) as unknown as {
        handler: string;
        scheduling: { tolerations: object[] };
      };
      assert.equal(handler, name);
      assert.deepEqual(scheduling.tolerations, [
        { key: 'example.org/zun', operator: 'Equal', value: 'yes', effect: 'NoExecute' },
      ]);
    }
  });

  test('chart: PodMonitor: a field that the operator does not know, a wrong value: named with their path', () => {
    const bad = [
      '--values',
      join(chart, 'ci/monitored-values.yaml'),
      '--set',
      'podMonitor.relabelings[0].sourceLabel=node',
    ];
    const monitor = objectOf(helm4.template(...bad, '--set', 'podMonitor.relabelings[1].action=swap'), 'PodMonitor');
    assert.deepEqual(operatorProblems(monitor), [
      'PodMonitor/spec/podMetricsEndpoints/0/relabelings/0 must NOT have additional properties: sourceLabel',
      'PodMonitor/spec/podMetricsEndpoints/0/relabelings/1/action must match pattern: swap',
    ]);
  });

  test('chart: two releases in two namespaces: no object of the whole cluster is in both', () => {
    const name = ({ kind, metadata }: Manifest) => `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
    const of = (namespace: string) =>
      helm4
        .template(
          ...existing,
          '--namespace',
          namespace,
          '--set',
          'runtimeClasses.create=false,daemonSetGuard.create=true',
        )
        .map(name);
    const first = new Set(of('a'));
    assert.deepEqual(
      of('b').filter((one) => first.has(one)),
      [],
    );
  });
}
