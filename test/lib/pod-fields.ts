/** The fields of a Pod as the client-node package describes them at run time: the ground truth for the support table. */
import * as models from '../../node_modules/@kubernetes/client-node/dist/gen/models/all.js';

/** A field of a model. */
export interface FieldOf {
  name: string;
  /** `string`, `Array<V1EnvVar>`, `{ [key: string]: string; }`, … */
  type: string;
}

interface Model {
  getAttributeTypeMap(): { baseName: string; type: string }[];
}

function isModel(value: unknown): value is Model {
  return typeof value === 'function' && 'getAttributeTypeMap' in value;
}

const known = new Map<string, Model>();
for (const [name, value] of Object.entries<unknown>(models)) if (isModel(value)) known.set(name, value);

/** The fields of a model; undefined when the name is that of a plain type. */
export function fieldsOf(model: string): FieldOf[] | undefined {
  return known
    .get(model)
    ?.getAttributeTypeMap()
    .map(({ baseName, type }) => ({ name: baseName, type }));
}

/** The type of a list's elements; undefined when it is no list. */
export function elementType(type: string): string | undefined {
  return /^Array<(.+)>$/.exec(type)?.[1];
}

/** A value of a type with every field set, at every depth. */
export function fullValue(type: string): unknown {
  const element = elementType(type);
  if (element !== undefined) return [fullValue(element)];
  const fields = fieldsOf(type);
  if (fields) return Object.fromEntries(fields.map((field) => [field.name, fullValue(field.type)]));
  if (type.startsWith('{')) return { key: '1' };
  switch (type) {
    case 'number':
      return 1;
    case 'boolean':
      return true;
    case 'IntOrString':
      return 80;
    default:
      return 'text';
  }
}

/** Every path of a value, objects and lists included. */
export function pathsOf(value: unknown, path: string): string[] {
  if (Array.isArray(value)) return value.flatMap((item, index) => pathsOf(item, `${path}[${index}]`));
  if (typeof value !== 'object' || value === null) return [path];
  const inner = Object.entries(value).flatMap(([name, item]) => pathsOf(item, path === '' ? name : `${path}.${name}`));
  return [path, ...inner];
}
