import type { Pod } from '../kube/types.ts';

/** The node as selectors see it. */
export interface SelectableNode {
  name: string;
  labels: Readonly<Record<string, string>>;
}

type Affinity = NonNullable<NonNullable<Pod['spec']['affinity']>['nodeAffinity']>;
type Selector = NonNullable<Affinity['requiredDuringSchedulingIgnoredDuringExecution']>;
type Term = Selector['nodeSelectorTerms'][number];
type Requirement = NonNullable<Term['matchExpressions']>[number];

function isAbove(actual: string | undefined, values: readonly string[] | undefined): boolean | undefined {
  const [limit, ...more] = values ?? [];
  const wellFormed = /^[+-]?[0-9]{1,18}$/;
  if (actual === undefined || limit === undefined || more.length > 0) return undefined;
  if (!wellFormed.test(actual) || !wellFormed.test(limit)) return undefined;
  const [left, right] = [BigInt(actual.replace('+', '')), BigInt(limit.replace('+', ''))];
  return left === right ? undefined : left > right;
}

function meets(requirement: Requirement, values: Readonly<Record<string, string>>): boolean {
  const actual = Object.hasOwn(values, requirement.key ?? '') ? values[requirement.key ?? ''] : undefined;
  const wanted = requirement.values ?? [];
  switch (requirement.operator) {
    case 'In':
      return actual !== undefined && wanted.includes(actual);
    case 'NotIn':
      return actual === undefined || !wanted.includes(actual);
    case 'Exists':
      return actual !== undefined;
    case 'DoesNotExist':
      return actual === undefined;
    case 'Gt':
      return isAbove(actual, wanted) === true;
    case 'Lt':
      return isAbove(actual, wanted) === false;
    default:
      return false;
  }
}

function meetsTerm(term: Term, node: SelectableNode): boolean {
  const expressions = term.matchExpressions ?? [];
  const fields = term.matchFields ?? [];
  if (expressions.length === 0 && fields.length === 0) return false;
  return (
    expressions.every((requirement) => meets(requirement, node.labels)) &&
    fields.every((requirement) => meets(requirement, { 'metadata.name': node.name }))
  );
}

/**
 * Tells whether a node meets a Pod's node selector and its required node affinity: one term must hold, and an empty term, as
 * well as an empty list of terms, holds for no node.
 * Source: k8s.io/component-helpers/scheduling/corev1/nodeaffinity.
 */
export function meetsNodeAffinity(pod: Pod, node: SelectableNode): boolean {
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(
    ([key, value]) => Object.hasOwn(node.labels, key) && node.labels[key] === value,
  );
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution;
  return selected && (!required || (required.nodeSelectorTerms ?? []).some((term) => meetsTerm(term, node)));
}
