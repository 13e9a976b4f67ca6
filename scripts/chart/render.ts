import { stringify } from 'yaml';
import { type Branch, isBranch, type Leaf, type Values } from './value-types.ts';
import { chartValues } from './values.ts';

const source = 'scripts/chart/values.ts and src/config/options.ts';

/** Renders charts/zunlet/values.yaml: every value with its comment. */
export function valuesYaml(): string {
  return `# Generated from ${source} by: node scripts/generate-docs.ts\n\n${yamlOf(chartValues, '')}`;
}

function yamlOf(values: Values, indent: string): string {
  const entries = Object.entries(values).map(([key, value]) => {
    const comment = wrap(value.doc, 110 - indent.length).map((line) => `${indent}# ${line}\n`);
    return `${comment.join('')}${isBranch(value) ? `${indent}${key}:\n${yamlOf(value.keys, `${indent}  `)}` : leafYaml(key, value, indent)}`;
  });
  return entries.join(indent === '' ? '\n' : '');
}

function leafYaml(key: string, { default: value }: Leaf, indent: string): string {
  return stringify({ [key]: value }, { lineWidth: 0 }).replaceAll(/^(?=.)/gm, indent);
}

function wrap(doc: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of doc.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

/** Renders charts/zunlet/values.schema.json. */
export function valuesSchema(): string {
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    $comment: `Generated from ${source} by: node scripts/generate-docs.ts`,
    ...schemaOf({ doc: 'Values of the chart zunlet.', keys: chartValues }),
  };
  // Helm hands values for all charts to each of them.
  schema.properties = { ...schema.properties, global: { type: 'object' } };
  return `${JSON.stringify(schema, null, 2)}\n`;
}

function schemaOf({ doc, keys }: Branch) {
  const properties: Record<string, object> = {};
  for (const [key, value] of Object.entries(keys)) {
    properties[key] = isBranch(value) ? schemaOf(value) : { description: value.doc, ...value.schema };
  }
  return { description: doc, type: 'object', additionalProperties: false, properties };
}

const readmeHead = `<!-- Generated from ${source} by: node scripts/generate-docs.ts -->

# Chart zunlet

Installs [zunlet](../../README.md) into a cluster: one Kubernetes node that runs Pods as OpenStack Zun capsules. Helm 3.17
or 4; Kubernetes 1.30 or later. The whole way is in [docs/install.md](../../docs/install.md).

\`\`\`sh cluster
kubectl create namespace zunlet
kubectl --namespace zunlet create secret generic openstack --from-file=clouds.yaml
helm install zun charts/zunlet --namespace zunlet --set openstack.existingSecret=openstack --set image.repository=registry.example.org/zunlet
helm test zun --namespace zunlet
\`\`\`

The folder [ci](ci) has a values file for each way of using it. \`options\` are the options of the program, under their own
names; a value that does not exist, or has a wrong type, is refused with its path. What each right is for stands beside it
in [templates/clusterrole.yaml](templates/clusterrole.yaml).

## Values

| Key | Default | Meaning |
| --- | --- | --- |
`;

/** Renders charts/zunlet/README.md. */
export function chartReadme(): string {
  return readmeHead + rowsOf(chartValues, '').join('');
}

function rowsOf(values: Values, prefix: string): string[] {
  return Object.entries(values).flatMap(([key, value]) => {
    const path = `${prefix}${key}`;
    if (isBranch(value)) return [`| **\`${path}\`** | | ${cell(value.doc)} |\n`, ...rowsOf(value.keys, `${path}.`)];
    return [`| \`${path}\` | \`${JSON.stringify(value.default)}\` | ${cell(value.doc)} |\n`];
  });
}

function cell(doc: string): string {
  return doc.replaceAll('|', '\\|');
}
