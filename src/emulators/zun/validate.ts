import { ZunError } from './errors.ts';
import { isWholeFloat, pythonPretty, pythonRepr, pythonStr, type WholeFloat } from './python-text.ts';

/** The part of JSON Schema draft 4 that Zun's schemas use. The order of keys is the order of checks, and of the text. */
export interface Schema {
  type?: string | string[];
  properties?: Record<string, Schema>;
  patternProperties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  minLength?: number;
  maxLength?: number;
  pattern?: string;
  minimum?: number | WholeFloat;
  maximum?: number | WholeFloat;
  additionalProperties?: boolean;
  required?: string[];
}

/** Thrown for a type name that the validator does not know: Zun's own schema has one (docs/zun.md §2). */
export class UnknownTypeError extends Error {}

interface Violation {
  message: string;
  keyword: string;
  schema: Schema;
  value: unknown;
  schemaPath: string[];
  path: (string | number)[];
}

type Fields = Record<string, unknown>;

/** Checks a value and throws the first violation as Zun's 400, with its text: schema and offending value in full. */
export function validate(value: unknown, schema: Schema): void {
  const violation = firstViolation(value, schema, [], []);
  if (!violation) return;
  throw new ZunError(400, 'schema-validation-error', violationText(violation));
}

function violationText(violation: Violation): string {
  const field = violation.path.at(-1);
  if (field === undefined) return violation.message;
  const where = violation.path.slice(0, -1).map((step) => `[${pythonRepr(step)}]`);
  const inSchema = violation.schemaPath.map((step) => `[${pythonRepr(step)}]`);
  return [
    `Invalid input for field '${field}'.Value: '${pythonStr(violation.value)}'. ${violation.message}`,
    `Failed validating ${pythonRepr(violation.keyword)} in schema${inSchema.join('')}:\n${indented(violation.schema)}`,
    `On instance${where.join('')}:\n${indented(violation.value)}`,
  ].join('\n\n');
}

function indented(value: unknown): string {
  return pythonPretty(value).replace(/^/gm, '    ');
}

function firstViolation(
  value: unknown,
  schema: Schema,
  schemaPath: string[],
  path: (string | number)[],
): Violation | undefined {
  for (const keyword of Object.keys(schema)) {
    const nested = nestedViolation(keyword, value, schema, schemaPath, path);
    if (nested) return nested;
    const message = complaint(keyword, value, schema);
    if (message !== undefined) return { message, keyword, schema, value, schemaPath, path };
  }
  return undefined;
}

function nestedViolation(
  keyword: string,
  value: unknown,
  schema: Schema,
  schemaPath: string[],
  path: (string | number)[],
): Violation | undefined {
  if (keyword === 'items' && schema.items && Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const found = firstViolation(item, schema.items, [...schemaPath, 'items'], [...path, index]);
      if (found) return found;
    }
  }
  if (!isObject(value)) return undefined;
  if (keyword === 'properties') {
    for (const [name, inner] of Object.entries(schema.properties ?? {})) {
      if (!Object.hasOwn(value, name)) continue;
      const found = firstViolation(value[name], inner, [...schemaPath, 'properties', name], [...path, name]);
      if (found) return found;
    }
  }
  if (keyword === 'patternProperties') {
    for (const [pattern, inner] of Object.entries(schema.patternProperties ?? {})) {
      for (const [name, item] of Object.entries(value)) {
        if (!matches(pattern, name)) continue;
        const found = firstViolation(item, inner, [...schemaPath, 'patternProperties', pattern], [...path, name]);
        if (found) return found;
      }
    }
  }
  return undefined;
}

function complaint(keyword: string, value: unknown, schema: Schema): string | undefined {
  const shown = () => pythonRepr(value);
  switch (keyword) {
    case 'type': {
      const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
      if (types.some((type) => isOfType(value, type))) return undefined;
      return `${shown()} is not of type ${types.map(pythonRepr).join(', ')}`;
    }
    case 'enum':
      return schema.enum?.includes(value) ? undefined : `${shown()} is not one of ${pythonRepr(schema.enum)}`;
    case 'minLength':
      if (typeof value !== 'string' || value.length >= (schema.minLength ?? 0)) return undefined;
      return `${shown()} ${schema.minLength === 1 ? 'should be non-empty' : 'is too short'}`;
    case 'maxLength':
      if (typeof value !== 'string' || value.length <= (schema.maxLength ?? Number.POSITIVE_INFINITY)) return undefined;
      return `${shown()} is too long`;
    case 'pattern':
      if (typeof value !== 'string' || matches(schema.pattern ?? '', value)) return undefined;
      return `${shown()} does not match ${pythonRepr(schema.pattern)}`;
    case 'minimum':
      return isBeyond(value, schema.minimum, -1)
        ? `${shown()} is less than the minimum of ${pythonRepr(schema.minimum)}`
        : undefined;
    case 'maximum':
      return isBeyond(value, schema.maximum, 1)
        ? `${shown()} is greater than the maximum of ${pythonRepr(schema.maximum)}`
        : undefined;
    case 'additionalProperties':
      return schema.additionalProperties === false ? additionalComplaint(value, schema) : undefined;
    case 'required': {
      const missing = isObject(value) ? schema.required?.find((name) => !Object.hasOwn(value, name)) : undefined;
      return missing === undefined ? undefined : `${pythonRepr(missing)} is a required property`;
    }
    default:
      return undefined;
  }
}

function additionalComplaint(value: unknown, schema: Schema): string | undefined {
  if (!isObject(value)) return undefined;
  const patterns = Object.keys(schema.patternProperties ?? {});
  const extras = Object.keys(value).filter(
    (name) => !Object.hasOwn(schema.properties ?? {}, name) && !patterns.some((pattern) => matches(pattern, name)),
  );
  if (extras.length === 0) return undefined;
  const verb = extras.length === 1 ? 'was' : 'were';
  return `Additional properties are not allowed (${extras.sort().map(pythonRepr).join(', ')} ${verb} unexpected)`;
}

function isOfType(value: unknown, type: string): boolean {
  switch (type) {
    case 'null':
      return value === null;
    case 'boolean':
      return typeof value === 'boolean';
    case 'string':
      return typeof value === 'string';
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isObject(value);
    case 'integer':
      return typeof value === 'number' && Number.isInteger(value);
    case 'number':
      return typeof value === 'number' || isWholeFloat(value);
    default:
      throw new UnknownTypeError(type);
  }
}

/** Zun compares numeric texts as numbers, too (docs/zun.md §2). */
function isBeyond(value: unknown, limit: number | WholeFloat | undefined, direction: 1 | -1): boolean {
  const number = isWholeFloat(value) ? value.wholeFloat : typeof value === 'string' ? Number.parseFloat(value) : value;
  const bound = isWholeFloat(limit) ? limit.wholeFloat : (limit ?? 0);
  return typeof number === 'number' && (number - bound) * direction > 0;
}

/** Python's `re.search`: its `$` also matches before a final newline (docs/zun.md §8 B23). */
function matches(pattern: string, text: string): boolean {
  const source = pattern.endsWith('$') ? `${pattern.slice(0, -1)}(?=\\n?$)` : pattern;
  return new RegExp(source, 's').test(text);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isWholeFloat(value);
}
