import { resolve } from 'node:path';
import { stringify } from 'yaml';
import { chart, type Helm } from '../../test/lib/helm.ts';

/** Where the plain manifests stand. */
export const manifestsFolder = resolve(import.meta.dirname, '../../deploy/kubernetes');

/** Which templates of the chart go into which file. */
const files: Readonly<Record<string, readonly string[]>> = {
  'rbac.yaml': ['serviceaccount', 'clusterrole', 'clusterrole-inputs', 'role'],
  'zunlet.yaml': ['configmap', 'deployment'],
  'runtimeclasses.yaml': ['runtimeclass'],
  'flowschemas.yaml': ['flowschema'],
};

const head = '# Generated from charts/zunlet by: node scripts/generate-manifests.ts\n';

/** The node tells the version of the contract; without Helm nobody knows the cluster's. */
const kubernetesVersion = '1.33.0';

const settings = [
  'openstack.existingSecret=openstack',
  'options.nodeName=zun-1',
  'podDisruptionBudget.create=false',
  'tests.create=false',
];

/** Renders the plain manifests and their kustomization, by file name. */
export function plainManifests(helm: Helm): Record<string, string> {
  const sets = settings.flatMap((setting) => ['--set', setting]);
  const args = ['template', 'zunlet', chart, '--namespace', 'zunlet', '--kube-version', kubernetesVersion, ...sets];
  const { code, out, err } = helm.run(...args);
  if (code !== 0) throw new Error(err);
  const byTemplate = new Map<string, string>();
  for (const part of out.split(/^---\n/m)) {
    const template = /^# Source: zunlet\/templates\/(.*)\.yaml\n/.exec(part)?.[1];
    if (template === undefined) continue;
    const text = withoutHelm(part.slice(part.indexOf('\n') + 1)).trim();
    const before = byTemplate.get(template);
    byTemplate.set(template, before === undefined ? text : `${before}\n---\n${text}`);
  }
  const made = Object.entries(files).map(([name, templates]) => [name, `${head}${take(byTemplate, templates)}\n`]);
  if (byTemplate.size > 0) throw new Error(`templates without a file: ${[...byTemplate.keys()].join(', ')}`);
  return Object.fromEntries([...made, ['namespace.yaml', namespace], ['kustomization.yaml', kustomization()]]);
}

function take(byTemplate: Map<string, string>, templates: readonly string[]): string {
  const texts = templates.map((template) => {
    const text = byTemplate.get(template);
    if (text === undefined) throw new Error(`the chart rendered no ${template}`);
    byTemplate.delete(template);
    return text;
  });
  return texts.join('\n---\n');
}

/** Labels that only say something about a release. */
function withoutHelm(text: string): string {
  return text.replaceAll(/^ *(?:helm\.sh\/chart|app\.kubernetes\.io\/managed-by): .*\n/gm, '');
}

const namespace = `${head}${stringify({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name: 'zunlet', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
})}`;

function kustomization(): string {
  const content = {
    apiVersion: 'kustomize.config.k8s.io/v1beta1',
    kind: 'Kustomization',
    resources: ['namespace.yaml', ...Object.keys(files)],
    images: [{ name: 'zunlet', newName: 'registry.example.org/zunlet', newTag: '0.1.0' }],
  };
  return `${head}# Name your registry under images. The Secret openstack is yours to make, with the keys that docs/credentials.md names:
#   kubectl --namespace zunlet create secret generic openstack --from-file=clouds.yaml
${stringify(content)}`;
}
