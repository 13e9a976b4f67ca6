import type { Pod } from '../kube/types.ts';
import { annotation } from './annotations.ts';
import type { Row, Rows, Target, Verdict } from './fields.ts';
import type { Findings } from './findings.ts';
import { isRecord } from './records.ts';
import { podSpecRows } from './support.ts';
import type { TranslateOptions } from './types.ts';

/** The stable name of what became of a field: `field.containers.security-context.run-as-user`. */
export function fieldCode(path: string): string {
  const words = path.replace(/^spec\./, '').replace(/\["[^"]*"\]|\[[^\]]*\]/g, '');
  return `field.${words.replace(/[A-Z]+/g, (capitals) => `-${capitals.toLowerCase()}`)}`;
}

interface Walk {
  pod: Pod;
  options: TranslateOptions;
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

/** Says whether a verdict speaks for all that is inside of the field. */
function isWhole(row: Row, verdict: Verdict, isException: boolean): boolean {
  return row.whole || verdict.support === 'rejected' || (isException && verdict.support !== 'mapped');
}

function walkField(holder: Record<string, unknown>, name: string, row: Row, path: string, walk: Walk): void {
  const value = holder[name];
  const { pod, options, target } = walk;
  const exception = row.exceptions.find(({ test }) => test(value, { holder, pod, options }));
  const verdict = (exception?.verdicts ?? row.verdicts)[target];
  const { type } = row;
  if (!('rows' in type) || isWhole(row, verdict, exception !== undefined)) {
    record(path, verdict, walk);
  } else if (type.kind === 'object') {
    walkRows(value, type.rows, path, verdict, walk);
  } else if (Array.isArray(value)) {
    if (value.length === 0) record(path, verdict, walk);
    value.forEach((item, index) => {
      const inner = `${path}[${index}]`;
      const element = row.elements.find(({ test }) => test(item, { holder, pod, options }));
      if (element) record(inner, element.verdicts[target], walk);
      else
        walkRows(item, type.rows, inner, verdict, { ...walk, container: containerAt(inner, item) ?? walk.container });
    });
  }
}

function walkRows(value: unknown, rows: Rows, path: string, above: Verdict, walk: Walk): void {
  if (!isRecord(value)) return;
  const fields = Object.entries(value).filter(([, inner]) => inner !== undefined && inner !== null);
  if (fields.length === 0) record(path, above, walk);
  for (const [name] of fields) {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row) walkField(value, name, row, `${path}.${name}`, walk);
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
export function walkPod(pod: Pod, target: Target, findings: Findings, options: TranslateOptions): void {
  const walk: Walk = { pod, options, target, findings };
  walkMetadata(pod, walk);
  walkRows(pod.spec, podSpecRows, 'spec', { support: 'mapped', text: 'the Pod' }, walk);
}
