import { type FieldCause, invalid } from './failures.ts';
import { type MergeField, type MergeShape, mergeShape } from './merge-keys.ts';
import { isObject, isSame, type Json, type JsonObject, type KubeObject } from './objects.ts';
import { strategicMergePatch } from './strategic-merge.ts';

/**
 * A simple server-side apply: what a manager applies is merged, and what it applied before and leaves out now is removed. It
 * knows no managed fields in the metadata, no conflicts between managers and no shared ownership.
 */
export interface Apply {
  /** Makes the wanted object from the stored one. */
  merge(current: KubeObject, config: JsonObject, manager: string): JsonObject;
  /** Remembers what a manager applied to an object. */
  remember(uid: string, manager: string, config: JsonObject): void;
  /** Forgets an object that is gone. */
  forget(uid: string): void;
}

/** Makes the memory of what was applied. */
export function createApply(): Apply {
  const applied = new Map<string, Map<string, JsonObject>>();
  return {
    merge(current, config, manager) {
      const shape = mergeShape(current.kind);
      const before = applied.get(current.metadata.uid)?.get(manager) ?? {};
      return strategicMergePatch(strategicMergePatch(current, removal(before, config, shape), shape), config, shape);
    },
    remember(uid, manager, config) {
      const byManager = applied.get(uid) ?? new Map<string, JsonObject>();
      applied.set(uid, byManager);
      byManager.set(manager, config);
    },
    forget: (uid) => void applied.delete(uid),
  };
}

/** The name of the manager that applies. Errors: 422 when it is missing. */
export function managerOf(query: URLSearchParams): string {
  const manager = query.get('fieldManager') ?? '';
  const cause: FieldCause = {
    reason: 'FieldValueRequired',
    field: 'fieldManager',
    message: 'Required value: is required for apply patch',
  };
  if (manager === '') throw invalid({ plural: '', group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [cause]);
  return manager;
}

/** The patch that removes what is in one object and not in another. */
function removal(before: JsonObject, now: JsonObject, shape: MergeShape): JsonObject {
  const patch: JsonObject = {};
  for (const [name, value] of Object.entries(before)) {
    const next = now[name];
    if (next === undefined) patch[name] = null;
    else if (isObject(value) && isObject(next)) {
      const inner = removal(value, next, shape[name]?.shape ?? {});
      if (Object.keys(inner).length > 0) patch[name] = inner;
    } else if (Array.isArray(value) && Array.isArray(next))
      Object.assign(patch, listRemoval(name, value, next, shape[name] ?? {}));
  }
  return patch;
}

function listRemoval(name: string, before: Json[], now: Json[], field: MergeField): JsonObject {
  if (field.asSet) {
    const gone = before.filter((item) => !now.some((other) => isSame(item, other)));
    return gone.length === 0 ? {} : { [`$deleteFromPrimitiveList/${name}`]: gone };
  }
  const { key } = field;
  if (key === undefined) return {};
  const items: JsonObject[] = [];
  for (const item of before) {
    if (!isObject(item)) continue;
    const id = item[key];
    const next = now.find((other) => isObject(other) && isSame(other[key], id));
    if (id === undefined) continue;
    if (!isObject(next)) items.push({ $patch: 'delete', [key]: id });
    else {
      const inner = removal(item, next, field.shape ?? {});
      if (Object.keys(inner).length > 0) items.push({ ...inner, [key]: id });
    }
  }
  return items.length === 0 ? {} : { [name]: items };
}
