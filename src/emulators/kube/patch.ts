import { ApiFailure, badRequest } from './failures.ts';
import { copyOf, isObject, isSame, type Json, type JsonObject } from './objects.ts';

/** Applies a JSON merge patch (RFC 7396) and answers a new value. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isObject(patch)) return copyOf(patch);
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatch(result[name], value);
  }
  return result;
}

/** Applies a JSON patch (RFC 6902) and answers a new value. Errors: 400 for a bad document, 422 for one that does not fit. */
export function jsonPatch(target: JsonObject, operations: Json): Json {
  if (!Array.isArray(operations)) throw badRequest('error decoding patch: a JSON patch is a list of operations');
  let document: Json = copyOf(target);
  for (const operation of operations) {
    if (!isObject(operation)) throw badRequest('error decoding patch: an operation is an object');
    document = applyOperation(document, operation);
  }
  return document;
}

function doesNotFit(why: string): ApiFailure {
  return new ApiFailure(422, 'Invalid', `the server rejected our request due to an error in our request: ${why}`, {});
}

function applyOperation(document: Json, operation: JsonObject): Json {
  const { op, path, from } = operation;
  if (typeof path !== 'string') throw badRequest('error decoding patch: an operation needs a path');
  const value = operation['value'] ?? null;
  switch (op) {
    case 'add':
      return write(document, tokens(path), copyOf(value), 'insert');
    case 'replace':
      read(document, tokens(path));
      return write(document, tokens(path), copyOf(value), 'replace');
    case 'remove':
      return drop(document, tokens(path));
    case 'copy':
      return write(document, tokens(path), copyOf(read(document, tokens(from))), 'insert');
    case 'move': {
      const moved = read(document, tokens(from));
      return write(drop(document, tokens(from)), tokens(path), moved, 'insert');
    }
    case 'test':
      if (!isSame(read(document, tokens(path)), value))
        throw new ApiFailure(422, 'Invalid', 'the server rejected our request due to an error in our request', {});
      return document;
    default:
      throw badRequest(`error decoding patch: unexpected kind: ${String(op)}`);
  }
}

function tokens(pointer: Json | undefined): string[] {
  if (pointer === '') return [];
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw badRequest('error decoding patch: bad pointer');
  return pointer
    .slice(1)
    .split('/')
    .map((token) => token.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function read(document: Json, path: string[]): Json {
  let here: Json | undefined = document;
  for (const token of path) {
    if (Array.isArray(here)) here = here[indexOf(token, here.length - 1)];
    else here = isObject(here) ? here[token] : undefined;
    if (here === undefined) throw doesNotFit(`path /${path.join('/')} does not exist`);
  }
  return here ?? null;
}

function indexOf(token: string, last: number): number {
  const index = /^(0|[1-9]\d*)$/.test(token) ? Number(token) : Number.NaN;
  if (!(index <= last)) throw doesNotFit(`invalid array index ${token}`);
  return index;
}

function parentOf(document: Json, path: string[]): { parent: Json; last: string } {
  return { parent: read(document, path.slice(0, -1)), last: path.at(-1) ?? '' };
}

function write(document: Json, path: string[], value: Json, how: 'insert' | 'replace'): Json {
  if (path.length === 0) return value;
  const { parent, last } = parentOf(document, path);
  if (Array.isArray(parent)) {
    if (how === 'replace') parent[indexOf(last, parent.length - 1)] = value;
    else parent.splice(last === '-' ? parent.length : indexOf(last, parent.length), 0, value);
  } else if (isObject(parent)) parent[last] = value;
  else throw doesNotFit(`/${path.join('/')} has no parent that can hold it`);
  return document;
}

function drop(document: Json, path: string[]): Json {
  read(document, path);
  const { parent, last } = parentOf(document, path);
  if (Array.isArray(parent)) parent.splice(indexOf(last, parent.length - 1), 1);
  else if (isObject(parent)) delete parent[last];
  return document;
}
