import { annotation } from '../../src/translate/annotations.ts';
import type { Concern, Row, Rows, Target, Verdict, Verdicts } from '../../src/translate/fields.ts';
import { podSpecRows } from '../../src/translate/support.ts';

const targets: readonly [Target, string][] = [
  ['docker', 'capsule, docker'],
  ['cri', 'capsule, cri'],
  ['container', 'container'],
];

const concerns: Record<Concern, string> = {
  impossible: 'always',
  security: 'security',
  correctness: 'correctness',
  convenience: 'convenience',
};

function inCell(text: string): string {
  return text.replaceAll('|', '\\|');
}

function words({ support, text, concern }: Verdict): string {
  const why = concern ? ` (${concerns[concern]})` : '';
  return `**${support}**${why}: ${inCell(text)}`;
}

/** One line where all three agree, else one for each group that does. */
function verdictLines(verdicts: Verdicts): string[] {
  const groups = new Map<string, string[]>();
  for (const [target, name] of targets) {
    const said = words(verdicts[target]);
    groups.set(said, [...(groups.get(said) ?? []), name]);
  }
  if (groups.size === 1) return [...groups.keys()];
  return [...groups].map(([said, names]) => `${isCapsule(names) ? 'capsule' : names.join('; ')}: ${said}`);
}

function isCapsule(names: string[]): boolean {
  return names.length === 2 && names.every((name) => name.startsWith('capsule'));
}

function cell(row: Row): string {
  const exceptions = row.exceptions.flatMap(({ when, verdicts }) =>
    verdictLines(verdicts).map((line) => `${when}: ${line}`),
  );
  return [...exceptions, ...verdictLines(row.verdicts)].join('<br>');
}

function isStructure(row: Row): boolean {
  const { type } = row;
  return (type.kind === 'object' || type.kind === 'list') && !row.whole;
}

/** Rows whose fate is only that of the fields inside them say nothing by themselves. */
function saysSomething(row: Row): boolean {
  return !isStructure(row) || row.exceptions.length > 0 || !/^see the fields? inside$/.test(row.verdicts.docker.text);
}

/** What rows say that only repeat the field that holds them. */
const leftToHolder: ReadonlySet<string> = new Set([
  'as the volume says',
  'part of an environment variable',
  'decided by the list',
]);

/** A field that fares like the one that holds it needs no line. */
function addsNothing(row: Row, holder: Row | undefined): boolean {
  if (row.exceptions.length > 0 || holder === undefined) return false;
  if (leftToHolder.has(row.verdicts.docker.text)) return true;
  return cell({ ...holder, exceptions: [] }) === cell(row);
}

function lines(rows: Rows, path: string, holder?: Row): string[] {
  return Object.entries(rows).flatMap(([name, row]) => {
    const suffix = row.type.kind === 'list' ? '[]' : '';
    const here = `${path}${name}`;
    const isNews = saysSomething(row) && !addsNothing(row, holder);
    const own = isNews ? [`| \`${here}\` | ${cell(row)} |`] : [];
    const elements = row.elements.flatMap(({ when, verdicts }) =>
      verdictLines(verdicts).map((line) => `| \`${here}[]\` ${when} | ${line} |`),
    );
    const inner = 'rows' in row.type && !row.whole ? lines(row.type.rows, `${here}${suffix}.`, row) : [];
    return [...own, ...elements, ...inner];
  });
}

function innerRows(rows: Rows, name: string): Rows {
  const type = rows[name]?.type;
  return type && 'rows' in type ? type.rows : {};
}

function table(rows: Rows, prefix = ''): string {
  return ['| Field | What becomes of it |', '| --- | --- |', ...lines(rows, prefix)].join('\n');
}

/** Fields with sections of their own are left out of the section above. */
function without(rows: Rows, ...names: string[]): Rows {
  return Object.fromEntries(Object.entries(rows).filter(([name]) => !names.includes(name)));
}

/** The line of one field stays, those of the fields inside go. */
function flat(rows: Rows, name: string): Rows {
  const row = rows[name];
  return row ? { ...rows, [name]: { ...row, whole: true } } : rows;
}

const introduction = `<!-- Generated from src/translate/support.ts by: node scripts/generate-docs.ts pod-support -->

# What becomes of each field of a Pod

Every field of a Pod's specification is in these tables; \`zunlet translate --explain -f pod.yaml\` shows the same for one
manifest. A field that has no line of its own shares the fate of the one that holds it. Fields of a Kubernetes newer than
this version are named in the Pod's Event.

- **mapped**: does what it says.
- **defaulted**: something close to it happens instead.
- **ignored**: nothing happens, and that does no harm.
- **warned**: nothing happens, and one Event of the Pod says so, together with all such fields.
- **rejected**: the Pod is refused; its status says \`Failed\`, reason \`UnsupportedPodFeature\`, and names every such field.

A Pod becomes a **capsule**, run by Zun's docker or cri driver (option \`capsuleDriver\`), or a standalone **container**,
which takes Pods with one container and no init containers: by the annotation \`${annotation.backend}\`, the handler of its
RuntimeClass (\`zun\`, \`zun-container\`), or the option \`backend\`.

## When a refusal can be lifted

The word behind **rejected** says what the refusal protects:

- *always*: nothing could be done instead; never lifted.
- *security*, *correctness*: only the Pod itself can accept the loss, by the annotation \`${annotation.accept}\`: names of
  fields, separated by commas. \`securityContext.runAsNonRoot\` covers that field in every container, \`securityContext\`
  everything inside of it.
- *convenience*: the option \`unsupported: warn\` suffices, too.

A refusal that was lifted becomes a warning in the Pod's Event.

## Annotations

| Annotation | Meaning |
| --- | --- |
| \`${annotation.backend}\` | \`capsule\`, \`container\` or \`auto\`: what carries the Pod |
| \`${annotation.securityGroups}\` | security groups, names or ids, separated by commas; on capsules the node sets them on the Neutron port once there is one, until then the default group of the project holds |
| \`${annotation.floatingIp}\` | name or id of an external network: the node allocates a floating IP there for the Pod and releases it with the Pod |
| \`${annotation.networks}\` | Neutron networks, names or ids, separated by commas; container backend only |
| \`${annotation.accept}\` | fields whose loss the Pod accepts |`;

/** Renders docs/reference/pod-support.md from the support table. */
export function podSupportPage(): string {
  const containers = innerRows(podSpecRows, 'containers');
  return `${introduction}

## Pod

${table(flat(without(podSpecRows, 'containers', 'volumes', 'securityContext'), 'initContainers'))}

## Pod security context

${table(innerRows(podSpecRows, 'securityContext'), 'securityContext.')}

## Containers and init containers

${table(without(containers, 'securityContext', 'lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe', 'volumeMounts'), 'containers[].')}

## Container security context

${table(innerRows(containers, 'securityContext'), 'containers[].securityContext.')}

## Probes

The same for \`livenessProbe\`, \`readinessProbe\` and \`startupProbe\`.

${table(innerRows(containers, 'readinessProbe'), 'readinessProbe.')}

## Lifecycle

${table(innerRows(containers, 'lifecycle'), 'containers[].lifecycle.')}

## Volume mounts

${table(innerRows(containers, 'volumeMounts'), 'containers[].volumeMounts[].')}

## Volumes

A volume that no container mounts is ignored, whatever it is.

${table(innerRows(podSpecRows, 'volumes'), 'volumes[].')}
`;
}
