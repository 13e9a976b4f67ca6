import type { Normalized } from './vectors.ts';

/** Names that stand for ids of one cloud. */
export interface Names {
  /** Scheme and host of Zun. */
  root: string;
  keystone: string;
  projects: Record<string, string>;
  users: Record<string, string>;
}

const uuid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const comparedHeaders = ['content-type', 'location', 'www-authenticate', 'vary', 'allow'];

/** Replaces what differs from run to run, as the recorded answers were. */
export function normalize(answer: Normalized, names: Names): Normalized {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(answer.headers)) {
    if (comparedHeaders.includes(name) || name.startsWith('openstack-api-'))
      headers[name] = normalizeText(value, names);
  }
  if (answer.status === 204) delete headers['content-type'];
  return {
    status: answer.status,
    headers,
    ...(answer.json === undefined ? {} : { json: normalizeJson(answer.json, names) }),
  };
}

function normalizeJson(value: unknown, names: Names, key = ''): unknown {
  if (typeof value === 'string') return normalizeField(key, value, names);
  if (Array.isArray(value)) {
    const items = key === '<net>' ? value.filter((item) => (item as { version?: number }).version !== 6) : value;
    return items.map((item) => normalizeJson(item, names, key));
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([name, item]): [string, unknown] => {
    const shown = /^[0-9a-f]{8}-[0-9a-f-]{27}$/.test(name) ? '<net>' : name;
    return [shown, normalizeJson(item, names, shown)];
  });
  return Object.fromEntries(entries);
}

function normalizeField(key: string, value: string, names: Names): string {
  if (key === 'hostname' && /^[0-9a-f]{12}$/.test(value)) return '<host>';
  if (key === 'addr') return '<ip>';
  if (['created_at', 'updated_at', 'start_time', 'finish_time', 'last_seen_up'].includes(key)) return '<ts>';
  return normalizeText(value, names);
}

function normalizeText(text: string, names: Names): string {
  let shown = text.replaceAll(names.root, '<root>').replaceAll(names.keystone, '<keystone>');
  for (const [name, id] of Object.entries(names.projects)) shown = shown.replaceAll(id, `<project:${name}>`);
  for (const [name, id] of Object.entries(names.users)) shown = shown.replaceAll(id, `<user:${name}>`);
  return shown
    .replace(/req-[0-9a-f-]{36}/g, '<req>')
    .replace(uuid, '<uuid>')
    .replace(/\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b/g, '<hex>')
    .replace(/^(capsule-.+)-[a-z]+-\d{1,2}$/s, '$1-<gen>')
    .replace(/(capsule-\S+?)-[a-z]+-\d{1,2}(?= could not be found)/g, '$1-<gen>');
}

/** Fields that depend on the moment of the look on a real service. */
const momentary = ['status_detail', 'updated_at', 'disabled_reason'];

/**
 * Lists where two answers differ in status, error code, headers, JSON keys and value types, each difference with its path.
 * With `isReal` fields that depend on the moment may be null or not.
 */
export function differences(got: Normalized, wanted: Normalized, isReal: boolean): string[] {
  const found: string[] = [];
  if (got.status !== wanted.status) found.push(`status ${got.status}, recorded ${wanted.status}`);
  for (const name of Object.keys(wanted.headers)) {
    if (got.headers[name] === undefined) found.push(`header ${name} is missing`);
  }
  for (const name of Object.keys(got.headers)) {
    if (wanted.headers[name] === undefined) found.push(`header ${name} was not recorded`);
  }
  compareShape(got.json, wanted.json, 'body', isReal, found);
  return found;
}

function compareShape(got: unknown, wanted: unknown, path: string, isReal: boolean, found: string[]): void {
  const key = path.split('.').at(-1) ?? '';
  if (isReal && momentary.includes(key)) return;
  const [is, was] = [typeName(got), typeName(wanted)];
  if (is !== was) {
    found.push(`${path} is ${is}, recorded ${was}`);
    return;
  }
  if (key === 'code' && got !== wanted) found.push(`${path} is ${String(got)}, recorded ${String(wanted)}`);
  if (Array.isArray(got) && Array.isArray(wanted)) {
    if (got.length !== wanted.length) found.push(`${path} has ${got.length} items, recorded ${wanted.length}`);
    for (const [index, item] of wanted.entries()) {
      if (index < got.length) compareShape(got[index], item, `${path}[${index}]`, isReal, found);
    }
    return;
  }
  if (!isFields(got) || !isFields(wanted)) return;
  for (const name of Object.keys(wanted)) {
    if (!Object.hasOwn(got, name)) found.push(`${path}.${name} is missing`);
    else compareShape(got[name], wanted[name], `${path}.${name}`, isReal, found);
  }
  for (const name of Object.keys(got)) if (!Object.hasOwn(wanted, name)) found.push(`${path}.${name} was not recorded`);
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  return Array.isArray(value) ? 'array' : typeof value;
}

function isFields(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
