import type { Right } from '../../src/cli/check/rights.ts';
import type { Manifest } from './helm.ts';

interface Rule {
  apiGroups: string[];
  resources: string[];
  resourceNames?: string[];
  verbs: string[];
}

interface Binding {
  roleRef: { kind: string; name: string };
}

/** Every right that the bindings among some manifests grant; a right in all namespaces names none. */
export function grantedRights(objects: readonly Manifest[]): Right[] {
  return objects.flatMap((binding) => {
    if (binding.kind !== 'RoleBinding' && binding.kind !== 'ClusterRoleBinding') return [];
    // The chart's own bindings; strict validation of them is another test.
    const { roleRef } = binding as unknown as Binding;
    const namespace = binding.kind === 'RoleBinding' ? binding.metadata.namespace : undefined;
    const role = objects.find(
      ({ kind, metadata }) =>
        kind === roleRef.kind &&
        metadata.name === roleRef.name &&
        (kind === 'ClusterRole' || metadata.namespace === namespace),
    );
    if (!role) throw new Error(`${binding.kind} ${binding.metadata.name} binds a role that is not there`);
    return (role['rules'] as Rule[]).flatMap((rule) => rightsOfRule(rule, namespace));
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

/** One line a right, for comparing. */
export function rightText({ verb, group, resource, subresource = '', namespace = '', name = '' }: Right): string {
  return [verb, group, resource, subresource, namespace, name].join(' | ');
}
