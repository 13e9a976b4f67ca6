import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Right, rightsOf } from '../../../src/cli/check/rights.ts';
import { loadOptions } from '../../../src/config/load.ts';
import { createHelms, type Manifest } from '../../lib/helm.ts';

const helms = (await createHelms()).slice(-1);

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Binding {
  roleRef: { kind: string; name: string };
}

/** Every right that the bindings of the chart grant; a right in every namespace has none. */
function granted(objects: readonly Manifest[]): string[] {
  return objects.flatMap((binding) => {
    if (binding.kind !== 'RoleBinding' && binding.kind !== 'ClusterRoleBinding') return [];
    const { roleRef } = binding as unknown as Binding;
    const namespace = binding.kind === 'RoleBinding' ? binding.metadata.namespace : undefined;
    const role = objects.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind &&
        metadata.name === roleRef.name &&
        (kind === 'ClusterRole' || metadata.namespace === namespace),
    );
    assert.ok(role, `${binding.kind} ${binding.metadata.name} binds a role that is not there`);
    return (role['rules'] as Rule[]).flatMap((rule) => rightsOfRule(rule, namespace)).map(asText);
  });
}

function rightsOfRule(rule: Rule, namespace: string | undefined): Right[] {
  return rule.apiGroups.flatMap((group) =>
    rule.resources.flatMap((full) => {
      const [resource = '', subresource] = full.split('/');
      return rule.verbs.flatMap((verb) =>
        (rule.resourceNames ?? [undefined]).map((name) => ({
          verb,
          group,
          resource,
          ...(subresource !== undefined && { subresource }),
          ...(namespace !== undefined && { namespace }),
          ...(name !== undefined && { name }),
        })),
      );
    }),
  );
}

function asText({ verb, group, resource, subresource = '', namespace = '', name = '' }: Right): string {
  return [verb, group, resource, subresource, namespace, name].join(' | ');
}

for (const helm of helms) {
  for (const flags of [
    {},
    { clusterId: 'lab-1' },
    { kubeletApi: 'false' },
    { insecureKubeletApi: 'true' },
    { clientCaFile: '/etc/ca.crt' },
    { servingCertificate: 'csr' },
    { servingCertificate: 'csr', approveOwnCsr: 'true' },
    { approveOwnCsr: 'true' },
  ]) {
    const named = Object.entries(flags).map(([key, value]) => `options.${key}=${value}`);
    test(`chart: roles with ${named.join(', ') || 'options as they come'}: exactly what zunlet uses`, () => {
      const sets = named.flatMap((set) => ['--set', set]);
      const objects = helm.template('--set', 'openstack.existingSecret=x,options.nodeName=zun-1', ...sets);
      const text = JSON.stringify({ nodeName: 'zun-1', ...flags });
      const { values } = loadOptions({ flags: {}, env: {}, file: { name: 'options', text } });
      assert.deepEqual(granted(objects).sort(), rightsOf(values).map(asText).sort());
    });
  }

  test('chart: rbac.namespaces: what Pods refer to may be read in these namespaces only', () => {
    const objects = helm.template('--set', 'openstack.existingSecret=x,rbac.namespaces={a,b}');
    const of = (resource: string) => granted(objects).filter((right) => right.includes(`| ${resource} |`));
    for (const resource of ['secrets', 'persistentvolumeclaims', 'serviceaccounts']) {
      assert.deepEqual(
        of(resource).map((right) => right.split(' | ')[4]),
        ['a', 'b'],
      );
    }
  });

  test('chart: rbac.serviceAccountTokens false: no token can be made', () => {
    const objects = helm.template('--set', 'openstack.existingSecret=x,rbac.serviceAccountTokens=false');
    assert.deepEqual(
      granted(objects).filter((right) => right.includes('serviceaccounts')),
      [],
    );
  });
}
