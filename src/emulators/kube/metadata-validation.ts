import type { FieldCause } from './failures.ts';
import { type KubeObject, objectOf, textOf } from './objects.ts';
import type { Resource } from './resources.ts';

const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const labelName = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const labelValue = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/;
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9][-A-Za-z0-9_.]{0,61})?[A-Za-z0-9]$/;
const maxAnnotationBytes = 256 * 1024;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

/** Finds what is wrong with the name, the labels and the annotations. Source: Kubernetes "Object Names and IDs", "Labels and Selectors". */
export function metadataCauses(object: KubeObject, resource: Resource): FieldCause[] {
  const causes: FieldCause[] = [];
  const name = textOf(object.metadata['name']);
  if (name === '') {
    causes.push({
      reason: 'FieldValueRequired',
      field: 'metadata.name',
      message: 'Required value: name or generateName is required',
    });
  } else if (!isName(name, resource)) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.name',
      message: `Invalid value: "${name}": ${subdomainRule}`,
    });
  }
  for (const [key, value] of Object.entries(objectOf(object.metadata['labels']))) {
    if (!qualifiedName.test(key)) {
      const message = `Invalid value: "${key}": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character`;
      causes.push({ reason: 'FieldValueInvalid', field: 'metadata.labels', message });
    }
    if (typeof value !== 'string' || value.length > 63 || !labelValue.test(value)) {
      const message = `Invalid value: ${JSON.stringify(value)}: a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')`;
      causes.push({ reason: 'FieldValueInvalid', field: 'metadata.labels', message });
    }
  }
  const annotations = objectOf(object.metadata['annotations']);
  const bytes = Object.entries(annotations).reduce((sum, [key, value]) => sum + key.length + textOf(value).length, 0);
  if (bytes > maxAnnotationBytes) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'metadata.annotations',
      message: `Too long: may not be more than ${maxAnnotationBytes} bytes`,
    });
  }
  return causes;
}

/** RBAC names may hold colons and the like; services and namespaces are single labels. */
function isName(name: string, resource: Resource): boolean {
  if (resource.group === 'rbac.authorization.k8s.io') return !name.includes('/') && !name.includes('%');
  if (resource.kind === 'Namespace' || resource.kind === 'Service') return name.length <= 63 && labelName.test(name);
  return name.length <= 253 && subdomain.test(name);
}
