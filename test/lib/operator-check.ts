import { readFileSync } from 'node:fs';
import { Ajv } from 'ajv';
import type { Manifest } from './helm.ts';

// The file is ours; its shape is that of a JSON schema.
const schema = JSON.parse(
  readFileSync(new URL('../data/prometheus-operator-schema.json', import.meta.url), 'utf8'),
) as object;
const ajv = new Ajv({ allErrors: true, strict: false, verbose: true });
ajv.addSchema(schema, 'operator');

/** What the Prometheus operator's CRDs would find wrong with an object; a kind that is none of theirs is a problem, too. */
export function operatorProblems(manifest: Manifest): string[] {
  const validate = ajv.getSchema(`operator#/definitions/${manifest.kind}`);
  if (!validate) return [`${manifest.apiVersion} ${manifest.kind}: unknown kind`];
  if (validate(manifest)) return [];
  return (validate.errors ?? []).map(({ instancePath, message = '', keyword, params, data }) => {
    const extra: unknown = params['additionalProperty'];
    const what = keyword === 'pattern' ? 'must match pattern' : message;
    return `${manifest.kind}${instancePath} ${what}: ${String(extra ?? data)}`;
  });
}
