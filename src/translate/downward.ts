import { divideUp, parseQuantity, type Quantity, wholeQuantity } from '../base/quantity.ts';
import type { Container, Pod } from '../kube/types.ts';

/** A value that the Pod tells about itself, or why there is none. */
export type Downward = { value: string } | { wrong: string };

const subscript = /^metadata\.(labels|annotations)\['([^']*)'\]$/;
const escapes: Record<string, string> = {
  '\x07': '\\a',
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '"': '\\"',
  '\\': '\\\\',
};

function hex(code: number, length: number): string {
  return code.toString(16).padStart(length, '0');
}

/** Quotes a text as Go's `%q` does, which is how labels and annotations stand in a downward API file. */
export function quoteLikeGo(text: string): string {
  let out = '';
  for (const character of text.toWellFormed()) {
    const code = character.codePointAt(0) ?? 0;
    const short = escapes[character];
    if (short !== undefined) out += short;
    else if (code < 0x80) out += code >= 0x20 && code < 0x7f ? character : `\\x${hex(code, 2)}`;
    else if (/[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) out += character;
    else out += code > 0xffff ? `\\U${hex(code, 8)}` : `\\u${hex(code, 4)}`;
  }
  return `"${out}"`;
}

function wholeMap(entries: Record<string, string> | undefined): string {
  return Object.entries(entries ?? {})
    .sort(([left], [right]) => (left < right ? -1 : 1))
    .map(([key, value]) => `${key}=${quoteLikeGo(value)}`)
    .join('\n');
}

function subscripted(pod: Pod, fieldPath: string): string | undefined {
  const match = subscript.exec(fieldPath);
  if (!match) return undefined;
  const entries = match[1] === 'labels' ? pod.metadata.labels : pod.metadata.annotations;
  const key = match[2] ?? '';
  return entries && Object.hasOwn(entries, key) ? (entries[key] ?? '') : '';
}

function metadataField(pod: Pod, fieldPath: string): string | undefined {
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace;
    case 'metadata.uid':
      return pod.metadata.uid;
    default:
      return subscripted(pod, fieldPath);
  }
}

/** Reads a `fieldRef` of an environment variable. The Pod's own addresses are not known before it starts. */
export function variableField(
  pod: Pod,
  node: { name: string; hostIPs: readonly string[] },
  fieldPath: string,
): Downward {
  switch (fieldPath) {
    case 'spec.nodeName':
      return { value: pod.spec.nodeName ?? node.name };
    case 'spec.serviceAccountName':
      return { value: pod.spec.serviceAccountName ?? '' };
    case 'status.hostIP':
      return { value: node.hostIPs[0] ?? '' };
    case 'status.hostIPs':
      return { value: node.hostIPs.join(',') };
    case 'status.podIP':
    case 'status.podIPs':
      return {
        wrong: `${fieldPath} is not known before the start; read the address inside the container, for example with \`hostname -i\``,
      };
    default: {
      const value = metadataField(pod, fieldPath);
      return value === undefined ? { wrong: `${fieldPath} is not a field that a variable can have` } : { value };
    }
  }
}

/** Reads a `fieldRef` of a downward API file. */
export function fileField(pod: Pod, fieldPath: string): Downward {
  if (fieldPath === 'metadata.labels') return { value: wholeMap(pod.metadata.labels) };
  if (fieldPath === 'metadata.annotations') return { value: wholeMap(pod.metadata.annotations) };
  const value = metadataField(pod, fieldPath);
  return value === undefined ? { wrong: `${fieldPath} is not a field that a file can have` } : { value };
}

/** What a `resourceFieldRef` may look at. */
export interface ResourceSource {
  container: Container;
  pod: Pod;
  allocatable: Record<string, string>;
}

const knownResource = /^(limits|requests)\.(cpu|memory|ephemeral-storage|hugepages-.+)$/;

function amountOf(resource: string, { container, pod, allocatable }: ResourceSource): Quantity | undefined {
  const [, side, name = ''] = knownResource.exec(resource) ?? [];
  if (side === 'limits') {
    const own = container.resources?.limits?.[name] ?? pod.spec.resources?.limits?.[name] ?? allocatable[name];
    return parseQuantity(own ?? '0');
  }
  // The API server fills requests in from limits; a file on the command line did not pass through it.
  return parseQuantity(container.resources?.requests?.[name] ?? container.resources?.limits?.[name] ?? '0');
}

/** Reads a `resourceFieldRef`: the amount over the divisor, rounded up. A missing limit is the node's allocatable amount. */
export function resourceField(resource: string, divisor: unknown, source: ResourceSource): Downward {
  if (!knownResource.test(resource)) return { wrong: `${resource} is not a resource of a container` };
  const by = parseQuantity(divisor ?? '1');
  if (by === undefined || by < 0n) return { wrong: `the divisor ${String(divisor)} is not a quantity` };
  const amount = amountOf(resource, source);
  if (amount === undefined) return { wrong: `${resource} is not a quantity` };
  return { value: String(divideUp(amount, by === 0n ? wholeQuantity(1) : by)) };
}
