import type { Pod } from '../kube/types.ts';
import type { TranslateOptions } from './types.ts';

/** The shape of a field's value, for the check of types and for the walk. */
export type FieldType =
  | { kind: 'text' | 'integer' | 'flag' | 'text-or-integer' | 'quantity' | 'texts' | 'integers' | 'map' | 'quantities' }
  | { kind: 'anything' }
  | { kind: 'object' | 'list'; rows: Rows };

/** Where a Pod ends up, as far as the fate of its fields goes. */
export type Target = 'docker' | 'cri' | 'container';

/**
 * What becomes of a field.
 *
 * - `mapped`: does what it says.
 * - `defaulted`: something close to it happens instead.
 * - `ignored`: nothing happens, and that does no harm.
 * - `warned`: nothing happens, and the Pod's Event says so.
 * - `rejected`: the Pod is refused.
 */
type Support = 'mapped' | 'defaulted' | 'ignored' | 'warned' | 'rejected';

/**
 * What a refusal protects. `impossible`: nothing could be done instead, never relaxed. `security` and `correctness`: only the
 * Pod itself can accept the loss, by its annotation. `convenience`: the option `unsupported: warn` suffices.
 */
export type Concern = 'impossible' | 'security' | 'correctness' | 'convenience';

/** What becomes of a field on one target. */
export interface Verdict {
  support: Support;
  /** One clause for the reader: how it is done, why it is harmless, or what to use instead. */
  text: string;
  /** Of refusals. */
  concern?: Concern;
}

/** What becomes of a field on each target. */
export type Verdicts = Record<Target, Verdict>;

/** Where a value stands. */
export interface FieldContext {
  /** The object that has the field. */
  holder: Readonly<Record<string, unknown>>;
  pod: Pod;
  options: TranslateOptions;
}

type FieldTest = (value: unknown, context: FieldContext) => boolean;

/** Values of a field that fare differently. */
export interface Exception {
  /** In the words of the documentation. */
  when: string;
  test: FieldTest;
  verdicts: Verdicts;
}

/** One field of one type. */
export interface Row {
  type: FieldType;
  required: boolean;
  verdicts: Verdicts;
  /** The first whose test holds wins over `verdicts`. */
  exceptions: readonly Exception[];
  /** Elements of a list that fare differently as a whole. */
  elements: readonly Exception[];
  /** Everything inside shares the fate of the field itself. */
  whole: boolean;
}

/** A table by field name; `RowsOf` says whether it is complete. */
export type Rows = Readonly<Record<string, Row>>;

/** A table that has exactly the fields of `T`. */
export type RowsOf<T> = Readonly<{ [K in keyof Required<T>]: Row }>;

type VerdictsBySide =
  | Verdict
  | { capsule: Verdict; container: Verdict }
  | { docker: Verdict; cri: Verdict; container: Verdict };

function spread(verdicts: VerdictsBySide): Verdicts {
  if ('support' in verdicts) return { docker: verdicts, cri: verdicts, container: verdicts };
  if ('capsule' in verdicts) {
    return { docker: verdicts.capsule, cri: verdicts.capsule, container: verdicts.container };
  }
  return verdicts;
}

/** Any text. */
export const text: FieldType = { kind: 'text' };
/** A whole number. */
export const integer: FieldType = { kind: 'integer' };
/** True or false. */
export const flag: FieldType = { kind: 'flag' };
/** A port: its name or its number. */
export const textOrInteger: FieldType = { kind: 'text-or-integer' };
/** A Kubernetes quantity; YAML may have a number. */
export const quantity: FieldType = { kind: 'quantity' };
/** A list of texts. */
export const texts: FieldType = { kind: 'texts' };
/** A list of whole numbers. */
export const integers: FieldType = { kind: 'integers' };
/** A map of texts. */
export const map: FieldType = { kind: 'map' };
/** A map of quantities. */
export const quantities: FieldType = { kind: 'quantities' };
/** A value that nobody looks at. */
export const anything: FieldType = { kind: 'anything' };

/** An object with a table of its own. */
export function object(rows: Rows): FieldType {
  return { kind: 'object', rows };
}

/** A list of objects with a table of their own. */
export function list(rows: Rows): FieldType {
  return { kind: 'list', rows };
}

/** Says how a field is honoured. */
export function mapped(how: string): Verdict {
  return { support: 'mapped', text: how };
}

/** Says what happens in place of what a field asks for. */
export function defaulted(how: string): Verdict {
  return { support: 'defaulted', text: how };
}

/** Says why leaving a field out does no harm. */
export function ignored(why: string): Verdict {
  return { support: 'ignored', text: why };
}

/** Says what the user should hear about a field that is left out. */
export function warned(what: string): Verdict {
  return { support: 'warned', text: what };
}

/** Says what to use in place of a field that cannot be honoured. */
export function rejected(concern: Concern, instead: string): Verdict {
  return { support: 'rejected', text: instead, concern };
}

/** Describes some values of a field whose fate differs from the rest. */
export function when(words: string, test: FieldTest, verdicts: VerdictsBySide): Exception {
  return { when: words, test, verdicts: spread(verdicts) };
}

/** Makes the row of a field whose inner fields have rows of their own, or that has none. */
export function row(type: FieldType, verdicts: VerdictsBySide, ...exceptions: Exception[]): Row {
  return { type, required: false, verdicts: spread(verdicts), exceptions, elements: [], whole: false };
}

/** Makes the row of a field that must be there. */
export function requiredRow(type: FieldType, verdicts: VerdictsBySide, ...exceptions: Exception[]): Row {
  return { ...row(type, verdicts, ...exceptions), required: true };
}

/** Makes the row of a field that decides for everything inside it. */
export function wholeRow(type: FieldType, verdicts: VerdictsBySide, ...exceptions: Exception[]): Row {
  return { ...row(type, verdicts, ...exceptions), whole: true };
}

/** Makes the table of an object whose fate was decided above it: only the names and types matter. */
export function inside<T>(types: Readonly<{ [K in keyof Required<T>]: FieldType }>): Rows {
  const above = ignored('decided by the field that holds it');
  return Object.fromEntries(Object.entries<FieldType>(types).map(([name, type]) => [name, row(type, above)]));
}

const nothing = ignored('the value asks for nothing');

/** Values like `false` that ask for nothing beyond what happens anyway. */
export const unlessFalse: Exception = when('`false`', (value) => value === false, nothing);
/** Empty values ask for nothing. */
export const unlessEmpty: Exception = when(
  'empty',
  (value) =>
    value === '' ||
    (Array.isArray(value) && value.length === 0) ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0),
  nothing,
);

/** One value that asks for nothing. */
export function unlessIs(value: string | number | boolean): Exception {
  return when(`\`${value}\``, (actual) => actual === value, nothing);
}
