import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Pool } from 'undici';

/** One request of a conversation. */
export interface Step {
  /** `GET`, or `WATCH`: what a watch from a version sends within its time limit. */
  call: string;
  path: string;
  body?: object;
  /** Default JSON; `smp`, `merge`, `json-patch` and `apply` are the patch types. */
  type?: 'json' | 'smp' | 'merge' | 'json-patch' | 'apply';
  accept?: string;
  /** Names under which parts of the answer are kept for later steps, by their path: `{ uid: 'metadata.uid' }`. */
  keep?: Record<string, string>;
  /** Sets the scene: the answer is not compared. */
  scene?: boolean;
}

/** A conversation with an API server, with `{name}` where something kept earlier goes. */
export interface Conversation {
  name: string;
  steps: Step[];
}

/** An API server to talk to. */
export interface Target {
  pool: Pool;
  /** Puts its time forward; left out for one that lives in real time. */
  passTime?: (ms: number) => Promise<void>;
}

const watchSeconds = 1;

export interface Answer {
  status: number;
  body: unknown;
}

const mediaTypes: Record<NonNullable<Step['type']>, string> = {
  json: 'application/json',
  smp: 'application/strategic-merge-patch+json',
  merge: 'application/merge-patch+json',
  'json-patch': 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
};

/**
 * Holds a conversation in a namespace of its own, named after `run`, and answers what came back, in a form in which chance
 * plays no part.
 */
export async function converse(target: Target, { name, steps }: Conversation, run: string): Promise<Answer[]> {
  const namespace = `t-${name}-${run}`;
  const kept: Record<string, string> = { ns: namespace };
  const normalize = createNormalizer(namespace);
  await ask(target, { call: 'POST', path: '/api/v1/namespaces', body: { metadata: { name: namespace } } });
  await ask(target, {
    call: 'POST',
    path: `/api/v1/namespaces/${namespace}/serviceaccounts`,
    body: { metadata: { name: 'default' } },
  });
  const answers: Answer[] = [];
  for (const step of steps) {
    const answer = await ask(target, filled(step, kept));
    for (const [key, path] of Object.entries(step.keep ?? {})) kept[key] = String(pick(answer.body, path));
    if (step.scene !== true) answers.push({ status: answer.status, body: normalize(answer.body) });
  }
  return answers;
}

function filled(step: Step, kept: Record<string, string>): Step {
  const text = JSON.stringify(step).replace(/\{(\w+)\}/g, (whole, name: string) => kept[name] ?? whole);
  return JSON.parse(text) as Step;
}

function pick(body: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], body);
}

async function ask({ pool, passTime }: Target, step: Step): Promise<Answer> {
  const isWatch = step.call === 'WATCH';
  const answer = await pool.request({
    method: (isWatch ? 'GET' : step.call) as 'GET',
    path: isWatch
      ? `${step.path}${step.path.includes('?') ? '&' : '?'}watch=1&timeoutSeconds=${watchSeconds}`
      : step.path,
    headers: { accept: step.accept ?? 'application/json', 'content-type': mediaTypes[step.type ?? 'json'] },
    ...(step.body !== undefined && { body: JSON.stringify(step.body) }),
  });
  if (isWatch) await passTime?.(watchSeconds * 1000);
  const text = await answer.body.text();
  if (!isWatch || answer.statusCode !== 200) return { status: answer.statusCode, body: parsed(text) };
  const lines = text.split('\n').filter((line) => line !== '');
  return { status: 200, body: lines.map(parsed) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const hidden = new Set(['managedFields', 'selfLink']);
const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;
const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;

/** Makes a function that replaces what chance decides: uids, versions, times, generated names, ages. */
function createNormalizer(namespace: string): (value: unknown) => unknown {
  const uids = new Map<string, string>();
  const uidName = (found: string) => {
    const name = uids.get(found) ?? `<uid-${uids.size + 1}>`;
    uids.set(found, name);
    return name;
  };
  const text = (value: string): string =>
    time.test(value)
      ? '<time>'
      : value
          .replace(/\n.*/s, '')
          .replace(uid, uidName)
          .replaceAll(namespace, '<namespace>')
          .replace(/kube-api-access-\w{5}/g, 'kube-api-access-<5>')
          .replace(/^(\w[-\w]*-)[bcdf-hj-np-tv-z2456789]{5}$/, '$1<5>')
          .replace(/\b10\.96\.\d+\.\d+\b/g, '<service-ip>')
          .replace(/^\d+(s|m|m\d+s)$/, '<age>')
          .replace(/\(\d+(s|m|m\d+s) ago\)/, '(<age> ago)')
          .replace(/too old resource version: \d+ \(\d+\)/, 'too old resource version: <n> (<n>)')
          .replace(/ResourceVersion in record \(\d+\)/, 'ResourceVersion in record (<n>)')
          .replace(/resource version: \d+, current: \d+/, 'resource version: <n>, current: <n>');
  const visit = (value: unknown, name: string): unknown => {
    if (typeof value === 'string') {
      return name === 'resourceVersion' || name === 'continue'
        ? '<opaque>'
        : name === 'token'
          ? '<token>'
          : text(value);
    }
    if (Array.isArray(value)) return value.map((item) => visit(item, ''));
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).filter(([key]) => !hidden.has(key));
    // The descriptions of table columns and the columns' metadata of rows are prose.
    const kept = entries.filter(([key]) => key !== 'description');
    return Object.fromEntries(
      kept.map(([key, item]) => [key, visit(item, key)] as const).sort(([a], [b]) => (a < b ? -1 : 1)),
    );
  };
  return (value) => visit(value, '');
}

/** Where two values differ, one line a place. */
function differences(got: unknown, wanted: unknown, path = ''): string[] {
  if (Object.is(got, wanted)) return [];
  if (Array.isArray(got) && Array.isArray(wanted)) {
    const length = got.length === wanted.length ? [] : [`${path}: ${got.length} items instead of ${wanted.length}`];
    return [
      ...length,
      ...wanted.slice(0, got.length).flatMap((item, index) => differences(got[index], item, `${path}[${index}]`)),
    ];
  }
  if (isRecord(got) && isRecord(wanted)) {
    const names = [...new Set([...Object.keys(got), ...Object.keys(wanted)])];
    return names.flatMap((name) => differences(got[name], wanted[name], `${path}.${name}`));
  }
  return [`${path}: ${JSON.stringify(got)} instead of ${JSON.stringify(wanted)}`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const recordedFolder = join(import.meta.dirname, '..', '..', 'data', 'kube-answers');

/** Reads what the real API server answered in a conversation: one answer a compared step. */
export function readRecorded(name: string): Answer[] {
  return JSON.parse(readFileSync(join(recordedFolder, `${name}.json`), 'utf8')) as Answer[];
}

/** Writes down what the real API server answered, one answer a line. */
export function writeRecorded(name: string, answers: Answer[]): void {
  mkdirSync(recordedFolder, { recursive: true });
  writeFileSync(
    join(recordedFolder, `${name}.json`),
    `[\n${answers.map((one) => JSON.stringify(one)).join(',\n')}\n]\n`,
  );
}

/** Says where answers differ from the recorded ones, by the call that they belong to. */
export function disagreements({ name, steps }: Conversation, answers: Answer[]): string[] {
  const recorded = readRecorded(name);
  const compared = steps.filter((step) => step.scene !== true);
  return compared.flatMap((step, index) =>
    differences(answers[index], recorded[index]).map((text) => `${step.call} ${step.path} (step ${index})${text}`),
  );
}
