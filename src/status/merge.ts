import type { ContainerStatus, PodCondition, PodStatus } from '../kube/types.ts';
import { liveStatusCondition, resizeCondition } from './conditions.ts';
import { capsuleCondition } from './named-capsule.ts';
import { kubeTime, kubeTimeMs } from './time.ts';

/** The fields that a kubelet writes. Everything else in a Pod's status belongs to others and is never sent. */
const plainFields = ['phase', 'reason', 'message', 'startTime', 'hostIP', 'podIP', 'observedGeneration'] as const;
/** Lists that the API server replaces as a whole. Source: the patch strategies in Kubernetes core/v1 types. */
const wholeLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const;
/** Lists that it merges by `ip`. */
const addressLists = ['hostIPs', 'podIPs'] as const;

const timeFields = new Set(['startTime', 'startedAt', 'finishedAt', 'lastTransitionTime']);
const containerFields = [
  'name',
  'state',
  'lastState',
  'ready',
  'started',
  'restartCount',
  'image',
  'imageID',
  'containerID',
] as const;
const conditionFields = ['status', 'reason', 'message', 'lastTransitionTime', 'observedGeneration'] as const;
const removableConditions = new Set<string>([capsuleCondition, liveStatusCondition, resizeCondition]);

/**
 * Writes a value in one canonical text, so that what the API server adds or leaves out makes no difference: nulls, empty
 * strings and empty objects are nothing, times have whole seconds, keys are sorted.
 */
function canonical(value: unknown, key = ''): string {
  if (value === null || value === undefined || value === '') return '';
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item)).join(',')}]`;
  if (typeof value === 'object') {
    const parts = Object.entries(value)
      .map(([name, inner]) => ({ name, text: canonical(inner, name) }))
      .filter(({ text }) => text !== '')
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return parts.length === 0 ? '' : `{${parts.map(({ name, text }) => `${name}:${text}`).join(',')}}`;
  }
  if (typeof value === 'string' && timeFields.has(key)) {
    const ms = kubeTimeMs(value);
    return ms === undefined ? JSON.stringify(value) : kubeTime(ms);
  }
  return JSON.stringify(value);
}

/** The part of a container's status that is ours; what others add is not compared. */
function ownPart(status: ContainerStatus): object {
  return Object.fromEntries(containerFields.map((field) => [field, status[field]]));
}

function sameContainers(current: ContainerStatus[], desired: ContainerStatus[]): boolean {
  const text = (list: ContainerStatus[]) =>
    list
      .map((status) => canonical(ownPart(status)))
      .sort()
      .join();
  return text(current) === text(desired);
}

/** A merge of one condition with the stored one of its type: what must go is null, the rest stands in full. */
function conditionPatch(current: PodCondition | undefined, desired: PodCondition): object | undefined {
  const differs = conditionFields.some(
    (field) => canonical(current?.[field], field) !== canonical(desired[field], field),
  );
  if (current && !differs) return undefined;
  const patch: Record<string, unknown> = { type: desired.type };
  for (const field of conditionFields) {
    if (desired[field] !== undefined) patch[field] = desired[field];
    else if (current?.[field] !== undefined && current[field] !== null) patch[field] = null;
  }
  return patch;
}

function conditionsPatch(current: PodCondition[], desired: PodCondition[]): object[] {
  const changed = desired
    .map((condition) =>
      conditionPatch(
        current.find(({ type }) => type === condition.type),
        condition,
      ),
    )
    .filter((patch) => patch !== undefined);
  const removed = current
    .filter(({ type }) => removableConditions.has(type) && !desired.some((condition) => condition.type === type))
    .map(({ type }) => ({ $patch: 'delete', type }));
  return [...changed, ...removed];
}

/**
 * Computes the strategic merge patch that turns the stored status into the desired one; undefined when nothing of ours
 * differs. Conditions and fields of others are never in it. The addresses are replaced, because merging them by `ip`
 * would keep the old ones.
 * Source: Kubernetes pkg/util/pod/pod.go (`PatchPodStatus`), sig-api-machinery/strategic-merge-patch.md.
 */
export function statusPatch(current: PodStatus | undefined, desired: PodStatus): object | undefined {
  const patch: Record<string, unknown> = {};
  for (const field of plainFields) {
    if (canonical(current?.[field], field) === canonical(desired[field], field)) continue;
    patch[field] = desired[field] ?? null;
  }
  for (const field of wholeLists) {
    const before = current?.[field] ?? [];
    const after = desired[field] ?? [];
    if (!sameContainers(before, after)) patch[field] = after.length > 0 ? after : null;
  }
  for (const field of addressLists) {
    const before = current?.[field] ?? [];
    const after = desired[field] ?? [];
    if (before.map(({ ip }) => ip).join() === after.map(({ ip }) => ip).join()) continue;
    patch[field] = after.length === 0 ? null : before.length === 0 ? after : [{ $patch: 'replace' }, ...after];
  }
  const conditions = conditionsPatch(current?.conditions ?? [], desired.conditions ?? []);
  if (conditions.length > 0) patch['conditions'] = conditions;
  return Object.keys(patch).length > 0 ? patch : undefined;
}
