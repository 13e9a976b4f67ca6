/** What JSON can hold. */
export type Json = string | number | boolean | null | Json[] | JsonObject;
export interface JsonObject {
  [key: string]: Json;
}

/** The part of the metadata that the emulator itself works with. */
export interface ObjectMeta extends JsonObject {
  name: string;
  uid: string;
  resourceVersion: string;
  creationTimestamp: string;
}

/** A stored object. Never changed in place once the store holds it: whoever wants another one makes a copy. */
export interface KubeObject extends JsonObject {
  apiVersion: string;
  kind: string;
  metadata: ObjectMeta;
}

export interface OwnerReference {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
  controller?: boolean;
  blockOwnerDeletion?: boolean;
}

const nothing: JsonObject = Object.freeze({});
const noItems: Json[] = [];

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Reads an object's member for reading; an empty object when it is anything else. */
export function objectOf(value: Json | undefined): JsonObject {
  return isObject(value) ? value : nothing;
}

/** Reads a list for reading; empty when it is anything else. */
export function listOf(value: Json | undefined): Json[] {
  return Array.isArray(value) ? value : noItems;
}

/** Reads the objects of a list. */
export function objectsOf(value: Json | undefined): JsonObject[] {
  return listOf(value).filter(isObject);
}

/** Reads a text; empty when it is anything else. */
export function textOf(value: Json | undefined): string {
  return typeof value === 'string' ? value : '';
}

/** Reads a number; 0 when it is anything else. */
export function numberOf(value: Json | undefined): number {
  return typeof value === 'number' ? value : 0;
}

/** Follows a path of member names. */
export function at(value: Json | undefined, ...path: string[]): Json | undefined {
  let here = value;
  for (const name of path) here = isObject(here) ? here[name] : undefined;
  return here;
}

/** Gets an object's member for writing, making it when it is missing. */
export function memberOf(object: JsonObject, name: string): JsonObject {
  const found = object[name];
  if (isObject(found)) return found;
  const made: JsonObject = {};
  object[name] = made;
  return made;
}

export function namespaceOf(object: { metadata: JsonObject }): string {
  return textOf(object.metadata['namespace']);
}

export function finalizersOf(object: KubeObject): string[] {
  return listOf(object.metadata['finalizers']).map((one) => textOf(one));
}

export function isDeleting(object: KubeObject): boolean {
  return typeof object.metadata['deletionTimestamp'] === 'string';
}

/** Reads who owns an object. */
export function ownersOf(object: KubeObject): OwnerReference[] {
  return objectsOf(object.metadata['ownerReferences']).map((reference) => ({
    apiVersion: textOf(reference['apiVersion']),
    kind: textOf(reference['kind']),
    name: textOf(reference['name']),
    uid: textOf(reference['uid']),
    controller: reference['controller'] === true,
    blockOwnerDeletion: reference['blockOwnerDeletion'] === true,
  }));
}

/** Makes a deep copy that may be changed. */
export function copyOf<T extends Json>(value: T): T {
  return structuredClone(value);
}

/** Compares by content; a member that is undefined counts as missing. */
export function isSame(a: Json | undefined, b: Json | undefined): boolean {
  if (a === b) return true;
  if (Array.isArray(a)) {
    return Array.isArray(b) && a.length === b.length && a.every((item, index) => isSame(item, b[index]));
  }
  if (!isObject(a) || !isObject(b)) return false;
  const names = Object.keys(a).filter((name) => a[name] !== undefined);
  const others = Object.keys(b).filter((name) => b[name] !== undefined);
  return names.length === others.length && names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name]));
}

/** Writes a time as Kubernetes does: whole seconds, UTC. */
export function timestamp(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Writes a time with the six fractional digits of a MicroTime. */
export function microTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 23)}000Z`;
}

/** Removes members without content from an object, as Go's `omitempty` does on the way out. */
export function dropEmpty(object: JsonObject, ...names: string[]): void {
  for (const name of names) {
    const value = object[name];
    const isEmpty =
      value === undefined ||
      value === null ||
      value === '' ||
      (Array.isArray(value) && value.length === 0) ||
      (isObject(value) && Object.keys(value).length === 0);
    if (isEmpty) delete object[name];
  }
}
