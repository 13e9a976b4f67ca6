/** The few rules of a strategic merge patch that a Pod's status needs, written down apart from the code that makes patches. */
import type { PodStatus } from '../../../src/kube/types.ts';

type Json = Record<string, unknown>;

/** Merge keys of lists in a Pod's status; lists that are not here are replaced. Source: Kubernetes core/v1 types. */
const mergeKeys: Record<string, string> = {
  conditions: 'type',
  hostIPs: 'ip',
  podIPs: 'ip',
  resourceClaimStatuses: 'name',
};

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mergeObject(stored: Json, patch: Json): Json {
  const result = { ...stored };
  for (const [key, value] of Object.entries(patch)) {
    const old = result[key];
    const mergeKey = mergeKeys[key];
    if (value === null) delete result[key];
    else if (Array.isArray(value) && mergeKey && Array.isArray(old)) result[key] = mergeList(old, value, mergeKey);
    else if (isObject(value) && isObject(old)) result[key] = mergeObject(old, value);
    else result[key] = value;
  }
  return result;
}

function mergeList(stored: unknown[], patch: unknown[], mergeKey: string): unknown[] {
  const items = patch.filter(isObject);
  if (items.some((item) => item['$patch'] === 'replace')) return items.filter((item) => !('$patch' in item));
  let result = stored.filter(isObject);
  for (const item of items) {
    const matches = (other: Json) => other[mergeKey] === item[mergeKey];
    if (item['$patch'] === 'delete') result = result.filter((other) => !matches(other));
    else if (result.some(matches)) result = result.map((other) => (matches(other) ? mergeObject(other, item) : other));
    else result = [...result, item];
  }
  return result;
}

/** Applies a patch as the API server does and drops what it would not store. */
export function applyPatch(status: PodStatus | undefined, patch: object): PodStatus {
  // A test double of the wire: the result has the status's shape because stored status and patch have.
  return mergeObject({ ...status } as Json, JSON.parse(JSON.stringify(patch)) as Json) as PodStatus;
}
