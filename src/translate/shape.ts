import type { Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { FieldType, Rows } from './fields.ts';
import { podReason } from './reasons.ts';
import { isRecord } from './records.ts';
import { podSpecRows } from './support.ts';

const maximumProblems = 50;

function isMapOf(value: unknown, test: (item: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every(test);
}

const isText = (value: unknown) => typeof value === 'string';
const isInteger = (value: unknown) => Number.isSafeInteger(value);
const isQuantity = (value: unknown) => typeof value === 'string' || typeof value === 'number';

const leafTests: Record<
  Exclude<FieldType['kind'], 'object' | 'list'>,
  [test: (value: unknown) => boolean, words: string]
> = {
  text: [isText, 'text'],
  integer: [isInteger, 'a whole number'],
  flag: [(value) => typeof value === 'boolean', 'true or false'],
  'text-or-integer': [(value) => isText(value) || isInteger(value), 'text or a whole number'],
  quantity: [isQuantity, 'a quantity'],
  texts: [(value) => Array.isArray(value) && value.every(isText), 'a list of texts'],
  integers: [(value) => Array.isArray(value) && value.every(isInteger), 'a list of whole numbers'],
  map: [(value) => isMapOf(value, isText), 'a map of texts'],
  quantities: [(value) => isMapOf(value, isQuantity), 'a map of quantities'],
  anything: [() => true, 'anything'],
};

function nameOf(value: unknown): string {
  if (value === null) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  if (typeof value === 'string') return 'text';
  return `${typeof value} ${String(value)}`;
}

function wrong(path: string, message: string): Problem {
  return { path, code: 'pod.wrong-type', message, heals: false, reason: podReason.unsupported };
}

function checkValue(value: unknown, type: FieldType, path: string, problems: Problem[]): void {
  if (problems.length >= maximumProblems) return;
  if (type.kind === 'object') {
    if (isRecord(value)) checkRows(value, type.rows, path, problems);
    else problems.push(wrong(path, `must be a map, not ${nameOf(value)}`));
  } else if (type.kind === 'list') {
    if (!Array.isArray(value)) problems.push(wrong(path, `must be a list, not ${nameOf(value)}`));
    else {
      const inner: FieldType = { kind: 'object', rows: type.rows };
      for (const [index, item] of value.entries()) checkValue(item, inner, `${path}[${index}]`, problems);
    }
  } else {
    const [test, words] = leafTests[type.kind];
    if (!test(value)) problems.push(wrong(path, `must be ${words}, not ${nameOf(value)}`));
  }
}

function checkRows(value: Record<string, unknown>, rows: Rows, path: string, problems: Problem[]): void {
  for (const [name, row] of Object.entries(rows)) {
    const inner = Object.hasOwn(value, name) ? value[name] : undefined;
    if (inner === undefined || inner === null) {
      if (row.required) problems.push(wrong(`${path}.${name}`, 'is required'));
      continue;
    }
    checkValue(inner, row.type, `${path}.${name}`, problems);
  }
}

function checkMetadata(metadata: unknown, problems: Problem[]): void {
  if (!isRecord(metadata)) {
    problems.push(wrong('metadata', `must be a map, not ${nameOf(metadata)}`));
    return;
  }
  for (const name of ['name', 'namespace', 'uid']) {
    const value = metadata[name];
    if (typeof value !== 'string' || value === '') problems.push(wrong(`metadata.${name}`, 'must be text'));
  }
  for (const name of ['labels', 'annotations']) {
    const value = metadata[name];
    if (value !== undefined && value !== null) checkValue(value, { kind: 'map' }, `metadata.${name}`, problems);
  }
}

/**
 * Compares the types of every field of a Pod with the table, so that all that follows may rely on them. Pods from an API
 * server always pass; a file on the command line may not. At most 50 problems.
 */
export function shapeProblems(pod: unknown): Problem[] {
  const problems: Problem[] = [];
  if (!isRecord(pod)) return [wrong('', `a Pod must be a map, not ${nameOf(pod)}`)];
  checkMetadata(pod['metadata'], problems);
  checkValue(pod['spec'], { kind: 'object', rows: podSpecRows }, 'spec', problems);
  const { spec } = pod;
  if (isRecord(spec) && Array.isArray(spec['containers']) && spec['containers'].length === 0) {
    problems.push(wrong('spec.containers', 'must name at least one container'));
  }
  return problems.slice(0, maximumProblems);
}

/** Removes fields that are null, at every depth, since Kubernetes takes those for absent. The input stays as it is. */
export function withoutNulls<T>(value: T): T {
  if (Array.isArray(value)) {
    // The elements keep their type: only keys that hold null go.
    return value.map((item: unknown) => withoutNulls(item)) as T;
  }
  if (!isRecord(value)) return value;
  const kept = Object.entries(value).filter(([, inner]) => inner !== null && inner !== undefined);
  // As above.
  return Object.fromEntries(kept.map(([name, inner]) => [name, withoutNulls(inner)])) as T;
}

/** Tells whether a Pod has the types that the rest of translation relies on. */
export function isWellShaped(pod: unknown): pod is Pod {
  return shapeProblems(pod).length === 0;
}
