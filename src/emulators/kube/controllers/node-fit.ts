import { parseQuantity, type Quantity } from '../../../base/quantity.ts';
import type { Node, Pod } from '../../../kube/types.ts';

type Taint = { key: string; value?: string; effect: string };
type Expression = { key: string; operator: string; values?: string[] };

/** Answers the first taint that keeps a Pod away; undefined when there is none. */
export function tolerates(pod: Pod, node: Node): Taint | undefined {
  return node.spec?.taints?.find(
    (taint) => taint.effect !== 'PreferNoSchedule' && !(pod.spec.tolerations ?? []).some((one) => covers(one, taint)),
  );
}

/** Tells whether a toleration is one for a taint. */
export function covers(
  toleration: { key?: string; operator?: string; value?: string; effect?: string },
  taint: Taint,
): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false;
  if (!toleration.key) return toleration.operator === 'Exists';
  if (toleration.key !== taint.key) return false;
  return toleration.operator === 'Exists' || (toleration.value ?? '') === (taint.value ?? '');
}

/** Tells whether the node selector and the required node affinity of a Pod fit a node. */
export function matchesNode(pod: Pod, node: Node): boolean {
  const labels: Record<string, string> = node.metadata.labels ?? {};
  if (!Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value)) return false;
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (!terms) return true;
  return terms.some((term) => {
    const expressions = term.matchExpressions ?? [];
    const fields = term.matchFields ?? [];
    if (expressions.length + fields.length === 0) return false;
    const names = { 'metadata.name': node.metadata.name };
    return expressions.every((one) => holds(one, labels)) && fields.every((one) => holds(one, names));
  });
}

function holds({ key, operator, values = [] }: Expression, labels: Record<string, string>): boolean {
  const value = labels[key];
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

/** Tells whether an amount is within a node's allocatable; a node that does not say how much it has takes nothing. */
export function fits(amount: Quantity, allocatable: string | undefined): boolean {
  return amount === 0n || amount <= (parseQuantity(allocatable ?? '0') ?? 0n);
}
