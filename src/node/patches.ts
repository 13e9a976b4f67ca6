import { parseQuantity } from '../base/quantity.ts';
import type { Node, NodeStatus } from '../kube/types.ts';
import { nodeLabels, providerId } from './node.ts';
import { instanceAnnotation } from './reasons.ts';
import type { NodeOptions } from './types.ts';

/**
 * Makes the patch by which a Node that is already there becomes this node's: its own labels, annotation and, where it has
 * none yet, provider id. Undefined when nothing differs. Taints and the operator's labels are left as they are.
 */
export function adoptionPatch(node: Node, options: NodeOptions, instance: string): object | undefined {
  const labels = differing(node.metadata.labels ?? {}, nodeLabels(options));
  const annotations = differing(node.metadata.annotations ?? {}, { [instanceAnnotation]: instance });
  const needsId = !node.spec?.providerID;
  if (!labels && !annotations && !needsId) return undefined;
  return {
    metadata: { uid: node.metadata.uid, ...(labels && { labels }), ...(annotations && { annotations }) },
    ...(needsId && { spec: { providerID: providerId(options) } }),
  };
}

/** Tells whether a Node belongs to something that is not zunlet: another provider's id, or another runtime. */
export function isForeign(node: Node): boolean {
  const id = node.spec?.providerID ?? '';
  const runtime = node.status?.nodeInfo?.containerRuntimeVersion ?? '';
  return (id !== '' && !id.startsWith('zun://')) || (runtime !== '' && !runtime.startsWith('zun://'));
}

/**
 * Makes the strategic merge patch that takes the stored status to the wanted one; undefined when nothing but times of
 * heartbeat differs and no heartbeat is due. Conditions and resources that others added stay.
 * Source: staging/src/k8s.io/api/core/v1/types.go (patch strategies of NodeStatus).
 */
export function nodeStatusPatch(node: Node, wanted: NodeStatus, isHeartbeatDue: boolean): object | undefined {
  const stored: NodeStatus = node.status ?? {};
  const changes = {
    ...resourceChanges(stored, wanted),
    ...addressChange(stored, wanted),
    ...(!isEqual(stored.daemonEndpoints, wanted.daemonEndpoints) && { daemonEndpoints: wanted.daemonEndpoints }),
    ...infoChange(stored, wanted),
    ...featureChange(stored, wanted),
  };
  const hasConditionChange = (wanted.conditions ?? []).some((condition) => {
    const before = stored.conditions?.find(({ type }) => type === condition.type);
    return (
      before?.status !== condition.status || before.reason !== condition.reason || before.message !== condition.message
    );
  });
  if (Object.keys(changes).length === 0 && !hasConditionChange && !isHeartbeatDue) return undefined;
  const { conditions, declaredFeatures } = wanted;
  const features = declaredFeatures && isHeartbeatDue ? { declaredFeatures } : {};
  return { metadata: { uid: node.metadata.uid }, status: { ...features, ...changes, conditions } };
}

function resourceChanges(stored: NodeStatus, wanted: NodeStatus): Partial<NodeStatus> {
  const capacity = differing(stored.capacity ?? {}, wanted.capacity ?? {}, isSameQuantity);
  const allocatable = differing(stored.allocatable ?? {}, wanted.allocatable ?? {}, isSameQuantity);
  return { ...(capacity && { capacity }), ...(allocatable && { allocatable }) };
}

/** The API server stores quantities in its own spelling. */
function isSameQuantity(left: unknown, right: unknown): boolean {
  return left === right || (left !== undefined && parseQuantity(left) === parseQuantity(right));
}

/**
 * The API declares `type` as the key of addresses, although two may have one type: only the whole list, marked as a
 * replacement, gives the list that was meant.
 */
function addressChange(stored: NodeStatus, wanted: NodeStatus): object {
  const before = (stored.addresses ?? []).map(({ type, address }) => [type, address]);
  const after = (wanted.addresses ?? []).map(({ type, address }) => [type, address]);
  return isEqual(before, after) ? {} : { addresses: [...(wanted.addresses ?? []), { $patch: 'replace' }] };
}

function infoChange(stored: NodeStatus, wanted: NodeStatus): object {
  const nodeInfo = differing({ kubeProxyVersion: '', ...stored.nodeInfo }, { ...wanted.nodeInfo });
  return nodeInfo ? { nodeInfo } : {};
}

/** Older API servers drop the field, so that its absence alone must not call for another patch. */
function featureChange(stored: NodeStatus, wanted: NodeStatus): object {
  if (stored.declaredFeatures === undefined || isEqual(stored.declaredFeatures, wanted.declaredFeatures ?? []))
    return {};
  return { declaredFeatures: wanted.declaredFeatures ?? null };
}

/** The entries of `wanted` that `stored` lacks or has otherwise; undefined when there are none. */
function differing(
  stored: Record<string, unknown>,
  wanted: Record<string, unknown>,
  isSame: (left: unknown, right: unknown) => boolean = Object.is,
): Record<string, string> | undefined {
  const changed = Object.entries(wanted).filter(([key, value]) => !isSame(stored[key], value));
  // Callers compare maps of strings only.
  return changed.length > 0 ? (Object.fromEntries(changed) as Record<string, string>) : undefined;
}

function isEqual(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
