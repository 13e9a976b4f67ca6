import { stringify } from 'yaml';
import { AppError } from '../base/errors.ts';
import { readOwner } from '../base/identity.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';
import { zunTimeMs } from '../status/time.ts';

/** How results are written. */
export type OutputFormat = 'table' | 'json' | 'yaml';

/** Reads `-o`. Errors: `usage`. */
export function outputFormat(value: unknown): OutputFormat {
  if (value === undefined) return 'table';
  if (value === 'table' || value === 'json' || value === 'yaml') return value;
  throw new AppError({
    kind: 'invalid',
    code: 'usage',
    message: `-o must be table, json or yaml, not ${String(value)}`,
  });
}

/** Writes a value for machines, or its rows for people. */
export function render(format: OutputFormat, value: unknown, rows: () => string[][]): string {
  switch (format) {
    case 'json':
      return `${JSON.stringify(value, null, 2)}\n`;
    case 'yaml':
      return stringify(value, { lineWidth: 0 });
    case 'table':
      return table(rows());
    default:
      return format satisfies never;
  }
}

/** Aligns columns with two spaces between, as kubectl does. No cell can hold a control character. */
function table(rows: string[][]): string {
  const cells = rows.map((row) => row.map((cell) => cell.replaceAll(/\p{Cc}+/gu, ' ')));
  const widths: number[] = [];
  for (const row of cells) {
    for (const [column, cell] of row.entries()) widths[column] = Math.max(widths[column] ?? 0, cell.length);
  }
  const line = (row: string[]) =>
    row.map((cell, column) => (column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0))).join('  ');
  return cells.map((row) => `${line(row).trimEnd()}\n`).join('');
}

/** One line of text for a terminal: what a cloud sends may hold control characters. */
export function plain(text: string | null | undefined): string {
  return (text ?? '').replaceAll(/[\s\p{Cc}]+/gu, ' ').trim();
}

/** `5s`, `3m`, `2h`, `4d`; `?` when unknown. */
export function age(createdAt: string | null | undefined, nowMs: number): string {
  const created = zunTimeMs(createdAt);
  if (created === undefined) return '?';
  const seconds = Math.max(0, Math.round((nowMs - created) / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  return seconds < 172_800 ? `${Math.floor(seconds / 3600)}h` : `${Math.floor(seconds / 86_400)}d`;
}

/** Every address, version 4 first. */
export function addresses(capsule: Capsule): string {
  const all = Object.values(capsule.addresses).flat();
  return all
    .sort((a, b) => a.version - b.version)
    .map((each) => each.addr)
    .join(',');
}

/** The rows of `list`. */
export function capsuleRows(capsules: Capsule[], nowMs: number): string[][] {
  return [
    ['UUID', 'NAME', 'STATUS', 'ADDRESSES', 'CPU', 'MEMORY', 'CONTAINERS', 'AGE'],
    ...capsules.map((capsule) => [
      capsule.uuid,
      plain(capsule.name) || '-',
      capsule.status,
      addresses(capsule) || '-',
      String(capsule.cpu ?? 0),
      `${capsule.memory ?? 0}MiB`,
      String(capsule.containers.length + capsule.init_containers.length),
      age(capsule.created_at, nowMs),
    ]),
  ];
}

/** The rows of `pods`: capsules that carry our labels, by namespace and Pod. */
export function podRows(capsules: Capsule[], nowMs: number): string[][] {
  const rows = capsules.flatMap((capsule) => {
    const owner = readOwner(capsule.labels);
    if (!owner) return [];
    return [
      [
        owner.namespace,
        owner.pod,
        owner.uid,
        owner.node,
        capsule.backend,
        capsule.uuid,
        capsule.status,
        age(capsule.created_at, nowMs),
      ].map((cell) => plain(cell)),
    ];
  });
  rows.sort((a, b) => `${a[0]}/${a[1]}`.localeCompare(`${b[0]}/${b[1]}`));
  return [['NAMESPACE', 'POD', 'POD UID', 'NODE', 'BACKEND', 'CAPSULE', 'STATUS', 'AGE'], ...rows];
}

/** The text of `describe`. Values of variables are left out: they may be secrets. */
export function describeCapsule(capsule: Capsule, nowMs: number): string {
  const owner = readOwner(capsule.labels);
  const rows = [
    ['Name:', plain(capsule.name) || '-'],
    ['UUID:', capsule.uuid],
    ['Status:', capsule.status],
    ...(capsule.status_reason ? [['Reason:', plain(capsule.status_reason)]] : []),
    ...(owner ? [['Pod:', `${owner.namespace}/${owner.pod} on node ${owner.node}, uid ${owner.uid}`]] : []),
    ['Addresses:', addresses(capsule) || '-'],
    ['Restart policy:', capsule.restart_policy?.Name ?? '-'],
    ['CPU:', String(capsule.cpu ?? 0)],
    ['Memory:', `${capsule.memory ?? 0} MiB`],
    ['Created:', `${capsule.created_at ?? '-'} (${age(capsule.created_at, nowMs)})`],
    ...Object.entries(capsule.labels).map(([key, value], index) => [
      index === 0 ? 'Labels:' : '',
      `${plain(key)}=${plain(value)}`,
    ]),
  ];
  const members = [
    ...capsule.init_containers.map((each) => describeContainer('Init container', each)),
    ...capsule.containers.map((each) => describeContainer('Container', each)),
  ];
  return [table(rows), ...members].join('\n');
}

function describeContainer(kind: string, container: ZunContainer): string {
  const command = [...(container.entrypoint ?? []), ...(container.command ?? [])];
  const rows = [
    [`${kind}:`, plain(container.name) || container.uuid],
    ['  UUID:', container.uuid],
    ['  Image:', plain(container.image) || '-'],
    ['  Status:', [container.status, plain(container.status_detail)].filter(Boolean).join(', ')],
    ...(container.status_reason ? [['  Reason:', plain(container.status_reason)]] : []),
    ...(command.length > 0 ? [['  Command:', plain(command.join(' '))]] : []),
    ...(container.cpu ? [['  CPU:', String(container.cpu)]] : []),
    ...(container.memory ? [['  Memory:', `${container.memory} MiB`]] : []),
    ...(Object.keys(container.environment).length > 0
      ? [['  Variables:', plain(Object.keys(container.environment).join(', '))]]
      : []),
  ];
  return table(rows);
}
