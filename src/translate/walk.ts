import type { Pod } from '../kube/types.ts';
import { annotation } from './annotations.ts';
import type { Row, Rows, Target, Verdict } from './fields.ts';
import type { Findings } from './findings.ts';
import { isRecord } from './shape.ts';
import { podSpecRows } from './support.ts';

/** The stable name of what became of a field: `field.containers.security-context.run-as-user`. */
export function fieldCode(path: string): string {
  const words = path.replace(/^spec\./, '').replace(/\["[^"]*"\]|\[[^\]]*\]/g, '');
  return `field.${words.replace(/[A-Z]+/g, (capitals) => `-${capitals.toLowerCase()}`)}`;
}

/** Finds what becomes of one value of a field. */
export function verdictOf(row: Row, value: unknown, target: Target): Verdict {
  const exception = row.exceptions.find(({ test }) => test(value));
  return (exception?.verdicts ?? row.verdicts)[target];
}

interface Walk {
  target: Target;
  findings: Findings;
  container?: string | undefined;
}

function containerAt(path: string, value: unknown): string | undefined {
  if (!/^spec\.(initContainers|containers)\[\d+\]$/.test(path)) return undefined;
  return isRecord(value) && typeof value['name'] === 'string' ? value['name'] : undefined;
}

function record(path: string, verdict: Verdict, walk: Walk): void {
  const code = fieldCode(path);
  if (verdict.support === 'rejected') {
    walk.findings.refuse({
      path,
      code,
      message: verdict.text,
      concern: verdict.concern ?? 'impossible',
      container: walk.container,
    });
    return;
  }
  walk.findings.note({ path, code, message: verdict.text, level: verdict.support });
}

function walkField(value: unknown, row: Row, path: string, walk: Walk): void {
  const verdict = verdictOf(row, value, walk.target);
  const { type } = row;
  if (row.whole || verdict.support === 'rejected' || (type.kind !== 'object' && type.kind !== 'list')) {
    record(path, verdict, walk);
  } else if (type.kind === 'object') {
    walkRows(value, type.rows, path, verdict, walk);
  } else if (Array.isArray(value)) {
    if (value.length === 0) record(path, verdict, walk);
    value.forEach((item, index) => {
      const inner = `${path}[${index}]`;
      walkRows(item, type.rows, inner, verdict, { ...walk, container: containerAt(inner, item) ?? walk.container });
    });
  }
}

function walkRows(value: unknown, rows: Rows, path: string, above: Verdict, walk: Walk): void {
  if (!isRecord(value)) return;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  if (fields.length === 0) record(path, above, walk);
  for (const [name, inner] of fields) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row) walkField(inner, row, `${path}.${name}`, walk);
    else {
      walk.findings.note({
        path: `${path}.${name}`,
        code: 'pod.unknown-field',
        message: 'this version of zunlet does not know the field and leaves it out',
        level: 'warned',
      });
    }
  }
}

const metadataFates: Record<string, Verdict> = {
  name: { support: 'mapped', text: 'in a label of the capsule, and in its name for people' },
  namespace: { support: 'mapped', text: 'in a label of the capsule, and in its name for people' },
  uid: { support: 'mapped', text: 'in a label of the capsule, by which it is found again' },
  labels: { support: 'mapped', text: 'labels of the capsule, beside those that say whose it is' },
};
const kubernetesOnly: Verdict = { support: 'ignored', text: 'Kubernetes alone reads it' };
const ourAnnotations: ReadonlySet<string> = new Set(Object.values(annotation));

function walkMetadata(pod: Pod, walk: Walk): void {
  for (const name of Object.keys(pod).filter((key) => key !== 'spec' && key !== 'metadata')) {
    record(name, kubernetesOnly, walk);
  }
  const { annotations, ...metadata } = pod.metadata;
  for (const name of Object.keys(metadata)) record(`metadata.${name}`, metadataFates[name] ?? kubernetesOnly, walk);
  for (const name of Object.keys(annotations ?? {})) {
    const isOurs = ourAnnotations.has(name);
    const verdict: Verdict = isOurs
      ? { support: 'mapped', text: 'read by zunlet' }
      : { support: 'ignored', text: 'nothing of zun reads it; the downward API can' };
    record(`metadata.annotations["${name}"]`, verdict, walk);
  }
}

/** Notes the fate of every field that is present in a Pod, by the table. */
export function walkPod(pod: Pod, target: Target, findings: Findings): void {
  walkMetadata(pod, { target, findings });
  walkRows(pod.spec, podSpecRows, 'spec', { support: 'mapped', text: 'the Pod' }, { target, findings });
}
