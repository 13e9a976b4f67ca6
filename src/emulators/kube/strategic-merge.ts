import { badRequest } from './failures.ts';
import type { MergeField, MergeShape } from './merge-keys.ts';
import { copyOf, isObject, isSame, type Json, type JsonObject, listOf, textOf } from './objects.ts';

const orderPrefix = '$setElementOrder/';
const deletePrefix = '$deleteFromPrimitiveList/';

/**
 * Applies a strategic merge patch and answers a new object.
 * Errors: 400 for directives that make no sense.
 * Source: Kubernetes "Update API Objects in Place Using kubectl patch"; sig-api-machinery/strategic-merge-patch.md.
 */
export function strategicMergePatch(target: JsonObject, patch: JsonObject, shape: MergeShape): JsonObject {
  return mergeObject(copyOf(target), copyOf(patch), shape);
}

function mergeObject(original: JsonObject, patch: JsonObject, shape: MergeShape): JsonObject {
  const directive = patch['$patch'];
  if (directive !== undefined) {
    const { $patch, ...rest } = patch;
    if (directive === 'replace') return withoutDirectives(rest) as JsonObject;
    if (directive === 'delete') return {};
    if (directive !== 'merge') throw badRequest(`unknown patch type: ${textOf($patch)}`);
  }
  const result = retained(original, patch['$retainKeys']);
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$patch' || name === '$retainKeys' || name.startsWith(orderPrefix)) continue;
    if (name.startsWith(deletePrefix)) {
      const member = name.slice(deletePrefix.length);
      const gone = listOf(value);
      if (result[member] !== undefined) {
        result[member] = listOf(result[member]).filter((item) => !gone.some((other) => isSame(item, other)));
      }
    } else if (value === null) delete result[name];
    else result[name] = mergeMember(result[name], value, shape[name] ?? {}, orderOf(patch, name));
  }
  reorderUntouched(result, patch, shape);
  return result;
}

function orderOf(patch: JsonObject, name: string): Json[] | undefined {
  const order = patch[orderPrefix + name];
  return Array.isArray(order) ? order : undefined;
}

function retained(original: JsonObject, retain: Json | undefined): JsonObject {
  if (retain === undefined) return original;
  const names = listOf(retain).map((name) => textOf(name));
  return Object.fromEntries(Object.entries(original).filter(([name]) => names.includes(name)));
}

/** A patch may order a list that it does not change. */
function reorderUntouched(result: JsonObject, patch: JsonObject, shape: MergeShape): void {
  for (const directive of Object.keys(patch)) {
    if (!directive.startsWith(orderPrefix)) continue;
    const name = directive.slice(orderPrefix.length);
    const list = result[name];
    if (Object.hasOwn(patch, name) || !Array.isArray(list)) continue;
    result[name] = inOrder(list, listOf(patch[directive]), list, shape[name]?.key);
  }
}

function mergeMember(original: Json | undefined, patch: Json, field: MergeField, order: Json[] | undefined): Json {
  if (Array.isArray(patch)) return mergeList(original, patch, field, order);
  if (!isObject(patch)) return patch;
  if (!isObject(original) || field.replace) {
    if (patch['$patch'] === 'delete') return {};
    return withoutDirectives(patch);
  }
  return mergeObject(original, patch, field.shape ?? {});
}

function mergeList(original: Json | undefined, patch: Json[], field: MergeField, order: Json[] | undefined): Json {
  const before = listOf(original);
  if (field.asSet) {
    const merged = [...before, ...patch.filter((item) => !before.some((other) => isSame(item, other)))];
    return inOrder(merged, order ?? patch, before, undefined);
  }
  const { key } = field;
  if (key === undefined) return withoutDirectives(patch);
  const { replaceAll, deletions, items } = readDirectives(patch, key);
  if (replaceAll) return items.map(withoutDirectives);
  const kept = before.filter((item) => !deletions.some((value) => isSame(member(item, key), value)));
  const merged = [...kept];
  for (const item of items) {
    const value = member(item, key);
    if (value === undefined)
      throw badRequest(`map: ${JSON.stringify(item)} does not contain declared merge key: ${key}`);
    const index = merged.findIndex((other) => isSame(member(other, key), value));
    const found = merged[index];
    if (isObject(found)) merged[index] = mergeObject(found, item, field.shape ?? {});
    else merged.push(withoutDirectives(item));
  }
  return inOrder(merged, order ?? items, before, key);
}

function member(item: Json | undefined, key: string): Json | undefined {
  return isObject(item) ? item[key] : undefined;
}

function readDirectives(patch: Json[], key: string): { replaceAll: boolean; deletions: Json[]; items: JsonObject[] } {
  let replaceAll = false;
  const deletions: Json[] = [];
  const items: JsonObject[] = [];
  for (const item of patch) {
    if (!isObject(item)) throw badRequest(`expected an object in a list merged by ${key}`);
    const directive = item['$patch'];
    if (directive === 'replace') replaceAll = true;
    else if (directive === 'delete') {
      const value = item[key];
      if (value === undefined) throw badRequest(`delete patch type with no merge key defined: ${JSON.stringify(item)}`);
      deletions.push(value);
    } else items.push(item);
  }
  return { replaceAll, deletions, items };
}

/**
 * Puts the items that the patch names into the patch's order, and the others where they stood relative to them.
 * New items come before those that were there, as on the real server.
 */
function inOrder(merged: Json[], order: Json[], before: Json[], key: string | undefined): Json[] {
  const identity = (item: Json) => (key === undefined ? item : member(item, key));
  const positionIn = (list: Json[], item: Json) => list.findIndex((other) => isSame(identity(other), identity(item)));
  const ordered = merged
    .map((item) => ({ item, position: positionIn(order, item) }))
    .filter(({ position }) => position >= 0)
    .sort((a, b) => a.position - b.position)
    .map(({ item }) => item);
  const others = merged.filter((item) => positionIn(order, item) < 0);
  const result: Json[] = [];
  let left = 0;
  let right = 0;
  while (left < others.length || right < ordered.length) {
    const other = others[left];
    const named = ordered[right];
    if (
      other !== undefined &&
      (named === undefined || stoodBefore(positionIn(before, other), positionIn(before, named)))
    ) {
      result.push(other);
      left += 1;
    } else {
      if (named !== undefined) result.push(named);
      right += 1;
    }
  }
  return result;
}

function stoodBefore(a: number, b: number): boolean {
  return a >= 0 && b >= 0 && a < b;
}

/** Takes a patch value as it is, for a place where nothing was: directives and nulls go. */
function withoutDirectives(value: Json): Json {
  if (Array.isArray(value)) {
    return value.filter((item) => !(isObject(item) && '$patch' in item)).map(withoutDirectives);
  }
  if (!isObject(value)) return value;
  const result: JsonObject = {};
  for (const [name, member] of Object.entries(value)) {
    if (name.startsWith('$') || member === null) continue;
    result[name] = withoutDirectives(member);
  }
  return result;
}
