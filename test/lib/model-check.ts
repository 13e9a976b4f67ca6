import * as models from '@kubernetes/client-node/dist/gen/models/all.js';
import type { Manifest } from './helm.ts';

interface Attribute {
  baseName: string;
  type: string;
}

const tables = new Map(
  Object.entries(models).flatMap(([name, model]) =>
    typeof model === 'function' && 'getAttributeTypeMap' in model
      ? // Every generated model has this static function.
        [[name, (model.getAttributeTypeMap as () => Attribute[])()] as const]
      : [],
  ),
);

/**
 * Compares an object with the tables of the Kubernetes API that client-node was generated from: unknown fields and wrong
 * types, each with its path. Answers nothing for kinds that are no part of Kubernetes.
 */
export function modelProblems(manifest: Manifest): string[] {
  const version = manifest.apiVersion.split('/').at(-1) ?? '';
  const model = `${version.charAt(0).toUpperCase()}${version.slice(1)}${manifest.kind}`;
  return tables.has(model) ? objectProblems(manifest, model, manifest.kind) : [];
}

/** Whether the tables know a kind. */
export function hasModel({ apiVersion, kind }: Manifest): boolean {
  const version = apiVersion.split('/').at(-1) ?? '';
  return tables.has(`${version.charAt(0).toUpperCase()}${version.slice(1)}${kind}`);
}

function objectProblems(value: unknown, model: string, path: string): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: want a map`];
  const attributes = new Map((tables.get(model) ?? []).map((attribute) => [attribute.baseName, attribute.type]));
  return Object.entries(value).flatMap(([name, inner]) => {
    const type = attributes.get(name);
    return type === undefined ? [`${path}.${name}: unknown field`] : problems(inner, type, `${path}.${name}`);
  });
}

function problems(value: unknown, type: string, path: string): string[] {
  const list = /^(?:Array|Set)<(.*)>$/.exec(type)?.[1];
  if (list !== undefined) {
    if (!Array.isArray(value)) return [`${path}: want a list`];
    return value.flatMap((item, index) => problems(item, list, `${path}[${index}]`));
  }
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type)?.[1];
  if (map !== undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return [`${path}: want a map`];
    return Object.entries(value).flatMap(([key, item]) => problems(item, map, `${path}.${key}`));
  }
  switch (type) {
    case 'any':
    case 'object':
      return [];
    case 'IntOrString':
      return ['string', 'number'].includes(typeof value) ? [] : [`${path}: want text or a number`];
    case 'Date':
    case 'V1MicroTime':
      return typeof value === 'string' ? [] : [`${path}: want a time`];
    case 'string':
    case 'number':
    case 'boolean':
      return typeof value === type ? [] : [`${path}: want ${type}, got ${typeof value}`];
    default:
      return tables.has(type) ? objectProblems(value, type, path) : [`${path}: no table for ${type}`];
  }
}
