import type { Call } from '../service.ts';
import { notFound, ZunError } from './errors.ts';
import { isUuidLike } from './names.ts';
import type { Table } from './store.ts';
import type { ViewFor } from './view.ts';

/** Who calls, and at which microversion. */
export interface Caller {
  userId: string;
  projectId: string;
  isAdmin: boolean;
  minor: number;
  /** The id that the answer carries. */
  requestId: string;
}

/** How a caller sees rows. */
export function viewFor(call: Call, caller: Caller, isFresh = false): ViewFor {
  return { root: call.root, isAdmin: caller.isAdmin, isModern: caller.minor >= 32, isFresh };
}

const truths = ['1', 't', 'true', 'on', 'y', 'yes'];
const untruths = ['0', 'f', 'false', 'off', 'n', 'no'];

/** Reads a boolean parameter as oslo's strict parser does. Errors: 400 with the list of what it takes. */
export function booleanParameter(query: URLSearchParams, name: string, fallback = false): boolean {
  const text = query.get(name);
  if (text === null) return fallback;
  const word = text.trim().toLowerCase();
  if (truths.includes(word)) return true;
  if (untruths.includes(word)) return false;
  throw new ZunError(400, 'invalid-value', `Valid ${name} values are: ${[...truths, ...untruths].join(', ')}`);
}

interface ListRow {
  id: number;
  uuid: string;
  name: string | null;
  projectId: string;
}

const sortKeys: Record<string, (row: ListRow) => unknown> = {
  id: (row) => row.id,
  uuid: (row) => row.uuid,
  name: (row) => row.name,
  project_id: (row) => row.projectId,
};
/** Columns of the model that may be sorted by; the emulator keeps to id order for them. */
const otherColumns = [
  'created_at',
  'updated_at',
  'user_id',
  'status',
  'status_reason',
  'cpu',
  'memory',
  'host',
  'image',
];

export interface Page<R> {
  rows: R[];
  next: string | null;
}

/**
 * Cuts the page that a list call asks for (docs/zun.md §7). Errors: 400 for limit, sort key and direction, 404 for a marker
 * that is not there.
 */
export function pageOf<R extends ListRow>(
  call: Call,
  rows: readonly R[],
  find: (uuid: string) => R | undefined,
  maxLimit: number,
  collection: string,
): Page<R> {
  const { query } = call;
  const limit = Math.min(readLimit(query.get('limit'), maxLimit), maxLimit);
  const sortKey = query.get('sort_key') ?? 'id';
  const sortDir = query.get('sort_dir') ?? 'asc';
  if (sortDir !== 'asc' && sortDir !== 'desc') {
    throw new ZunError(
      400,
      'invalid-value',
      `Invalid sort direction: ${sortDir}. Acceptable values are 'asc' or 'desc'`,
    );
  }
  if (!sortKeys[sortKey] && !otherColumns.includes(sortKey)) {
    const text = `The sort_key value "${sortKey}" is an invalid field for sorting`;
    throw new ZunError(400, 'invalid-parameter-value', text);
  }
  const sorted = sortRows(rows, sortKey, sortDir);
  const marker = query.get('marker');
  let from = 0;
  if (marker !== null) {
    const row = find(marker);
    if (!row) throw notFound(marker);
    from = sorted.indexOf(row) + 1;
  }
  const page = sorted.slice(from, from + limit);
  const last = page.at(-1);
  const isFull = page.length === limit && last !== undefined;
  const parameters = `sort_key=${sortKey}&sort_dir=${sortDir}&limit=${limit}`;
  return { rows: page, next: isFull ? `${call.root}/v1/${collection}?${parameters}&marker=${last.uuid}` : null };
}

function readLimit(text: string | null, maxLimit: number): number {
  if (text === null) return maxLimit;
  const limit = /^\s*[+-]?\d+\s*$/.test(text) ? Number(text) : 0;
  if (limit <= 0) throw new ZunError(400, 'invalid-value', 'Limit must be positive integer');
  return limit;
}

function sortRows<R extends ListRow>(rows: readonly R[], key: string, direction: 'asc' | 'desc'): readonly R[] {
  const value = sortKeys[key];
  if ((key === 'id' || !value) && direction === 'asc') return rows;
  const sorted = [...rows];
  if (value) sorted.sort((a, b) => compare(value(a), value(b)));
  return direction === 'asc' ? sorted : sorted.reverse();
}

function compare(a: unknown, b: unknown): number {
  if (typeof a === 'number' && typeof b === 'number') return a - b;
  return String(a ?? '') < String(b ?? '') ? -1 : 1;
}

/**
 * Finds a row by uuid or name within what the caller may see. Errors: 404, and 409 for a name that several have
 * (docs/zun.md §2.9). Upper-case uuids are found, those without dashes are not (§8 B21).
 */
export function findRow<R extends ListRow>(table: Table<R>, ident: string, caller: Caller): R {
  const isVisible = (row: R) => caller.isAdmin || row.projectId === caller.projectId;
  if (isUuidLike(ident)) {
    const row = table.byUuid(ident.toLowerCase());
    if (row && isVisible(row)) return row;
    throw notFound(ident);
  }
  const named = table.all().filter((row) => row.name === ident && isVisible(row));
  const [first] = named;
  if (!first) throw notFound(ident);
  if (named.length === 1) return first;
  throw new ZunError(
    409,
    'conflict',
    'Multiple containers exist with same name. Please use the container uuid instead.',
  );
}
