/**
 * Applies a strategic merge patch as the API server does to the parts of Pods and Nodes that we write. Written from the
 * Kubernetes documentation of patch merge keys, apart from the code that makes the patches.
 */
const mergeKeys: Record<string, string> = {
  conditions: 'type',
  podIPs: 'ip',
  hostIPs: 'ip',
  addresses: 'type',
  taints: 'key',
  resourceClaimStatuses: 'name',
};

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Answers the patched copy; neither argument changes. */
export function strategicMerge<T>(target: T, patch: object): T {
  // The patch was JSON before it came here, so this round trip loses nothing.
  return mergeValue(structuredClone(target) as Json, patch as { [key: string]: Json }, '') as T;
}

function mergeValue(target: Json | undefined, patch: Json, key: string): Json {
  if (Array.isArray(patch)) return mergeList(Array.isArray(target) ? target : [], patch, key);
  if (patch === null || typeof patch !== 'object') return patch;
  const { $patch: directive, ...changes } = patch;
  const base = directive === 'replace' || !isObject(target) ? {} : { ...target };
  for (const [name, value] of Object.entries(changes)) {
    if (name.startsWith('$')) continue;
    if (value === null) delete base[name];
    else base[name] = mergeValue(base[name], value, name);
  }
  return base;
}

function mergeList(target: Json[], patch: Json[], key: string): Json[] {
  const mergeKey = mergeKeys[key];
  if (mergeKey === undefined) return patch;
  const replace = patch.some((item) => isObject(item) && item['$patch'] === 'replace' && item[mergeKey] === undefined);
  let list = replace ? [] : [...target];
  for (const item of patch) {
    if (!isObject(item)) continue;
    const id = item[mergeKey];
    if (id === undefined) continue;
    const at = list.findIndex((other) => isObject(other) && other[mergeKey] === id);
    if (item['$patch'] === 'delete') list = list.filter((_, index) => index !== at);
    else if (at === -1) list.push(mergeValue({}, item, ''));
    else list[at] = mergeValue(list[at], item, '');
  }
  return list;
}

function isObject(value: Json | undefined): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
