/**
 * Python's way of writing values. Zun quotes schema and offending value in its error texts, and a client has to cope
 * with what that looks like.
 */

/** A number that Python holds as a float although it is whole: `128.0`. JavaScript cannot tell it from 128. */
export interface WholeFloat {
  readonly wholeFloat: number;
}

/** Tells whether a value is a whole float. */
export function isWholeFloat(value: unknown): value is WholeFloat {
  return typeof value === 'object' && value !== null && 'wholeFloat' in value;
}

/** Parses JSON as Python does: whole floats stay floats. */
export function parsePythonJson(text: string): unknown {
  if (!/\d\.0*[^\d]|\d[eE]/.test(text)) return JSON.parse(text);
  // Node passes the source text as third argument; the types do not know it yet.
  const parse = JSON.parse as (
    text: string,
    revive: (key: string, value: unknown, context: { source?: string }) => unknown,
  ) => unknown;
  return parse(text, (_key, value, { source }) =>
    typeof value === 'number' && Number.isInteger(value) && source !== undefined && /[.eE]/.test(source)
      ? { wholeFloat: value }
      : value,
  );
}

/** Makes plain numbers of whole floats again. */
export function plainNumbers(value: unknown): unknown {
  if (isWholeFloat(value)) return value.wholeFloat;
  if (Array.isArray(value)) return value.map(plainNumbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plainNumbers(item)]));
}

/** Python's `repr`. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return quoted(value);
  if (isWholeFloat(value)) return `${value.wholeFloat}.0`;
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  return `{${Object.entries(value)
    .map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`)
    .join(', ')}}`;
}

/** Python's `str`: texts stay as they are. */
export function pythonStr(value: unknown): string {
  return typeof value === 'string' ? value : pythonRepr(value);
}

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\'\p{Cc}\u00a0]/gu, (char) => {
    if (char === "'") return quote === "'" ? "\\'" : "'";
    const named = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' }[char];
    return named ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return quote + escaped + quote;
}

const pageWidth = 72;

/**
 * Lays a value out as `pprint` does at 72 columns: what fits stays on one line, else one item a line. Long texts are not
 * split (docs/zun.md, Where the emulator differs).
 */
export function pythonPretty(value: unknown, indent = 0, allowance = 0): string {
  const flat = pythonRepr(value);
  if (flat.length <= pageWidth - indent - allowance || isWholeFloat(value)) return flat;
  if (Array.isArray(value))
    return `[${laidOut(
      value.map((item) => ['', item]),
      indent,
      allowance,
    )}]`;
  if (typeof value !== 'object' || value === null) return flat;
  const entries = Object.entries(value).map(([key, item]): [string, unknown] => [`${quoted(key)}: `, item]);
  return `{${laidOut(entries, indent, allowance)}}`;
}

function laidOut(entries: [string, unknown][], indent: number, allowance: number): string {
  const inner = indent + 1;
  const lines = entries.map(([lead, item], index) => {
    const rest = index === entries.length - 1 ? allowance + 1 : 1;
    return lead + pythonPretty(item, inner + lead.length, rest);
  });
  return lines.join(`,\n${' '.repeat(inner)}`);
}
