import type { Clock } from '../../base/clock.ts';
import type { CapsuleRow, ContainerRow } from './model.ts';
import { createMonitor, type Monitor } from './monitor.ts';

/** A row as it was from a moment on; `gone` when it was removed then. */
interface Version<R> {
  from: number;
  row: R | 'gone';
}

/** Rows of one table in the order of their ids. */
export interface Table<R> {
  insert(row: R): void;
  /** To be called after every change of a row: moves `updated_at`, drops what was cached, remembers. */
  changed(row: R): void;
  remove(row: R): void;
  byUuid(uuid: string): R | undefined;
  /** In id order. The list is the table's own: do not keep it. */
  all(): readonly R[];
  has(row: R): boolean;
  /** All rows as they were `ms` ago, as far as is remembered. */
  past(ms: number): R[];
}

export interface Store {
  capsules: Table<CapsuleRow>;
  containers: Table<ContainerRow>;
  monitor: Monitor;
  nextId(): number;
  /** Keeps former versions of rows for so long; 0 keeps none. */
  remember(ms: number): void;
}

interface Remembered {
  uuid: string;
  id: number;
  updatedAt: number | null;
  labels: Record<string, string> | null;
}

/** Makes empty tables. */
export function createStore(clock: Clock, onChange: (row: CapsuleRow) => void): Store {
  let id = 0;
  let rememberMs = 0;
  const monitor = createMonitor(clock);
  const shared = { clock, monitor, rememberMs: () => rememberMs };
  return {
    capsules: createTable<CapsuleRow>({ ...shared, copy: copyCapsule, isLive: (row) => row.accepted, onChange }),
    containers: createTable<ContainerRow>({
      ...shared,
      copy: (row) => ({ ...row }),
      isLive: () => true,
      onChange() {},
    }),
    monitor,
    nextId: () => ++id,
    remember(ms) {
      rememberMs = ms;
    },
  };
}

function copyCapsule(row: CapsuleRow): CapsuleRow {
  return {
    ...row,
    containers: row.containers.map((container) => ({ ...container })),
    initContainers: row.initContainers.map((container) => ({ ...container })),
  };
}

interface TableHooks<R> {
  clock: Clock;
  monitor: Monitor;
  rememberMs(): number;
  copy(row: R): R;
  isLive(row: R): boolean;
  onChange(row: R): void;
}

function createTable<R extends Remembered>(hooks: TableHooks<R>): Table<R> {
  const rows: R[] = [];
  const byUuid = new Map<string, R>();
  const history = createHistory(hooks);
  return {
    insert(row) {
      rows.push(row);
      byUuid.set(row.uuid, row);
      history.note(row, row);
    },
    changed(row) {
      row.updatedAt = hooks.clock.now();
      hooks.onChange(row);
      if (!byUuid.has(row.uuid)) return;
      if (hooks.isLive(row)) hooks.monitor.appeared(row.uuid, row.labels);
      history.note(row, row);
    },
    remove(row) {
      const index = rows.indexOf(row);
      if (index < 0) return;
      rows.splice(index, 1);
      byUuid.delete(row.uuid);
      hooks.monitor.vanished(row.uuid);
      history.note(row, 'gone');
    },
    byUuid: (uuid) => byUuid.get(uuid),
    all: () => rows,
    has: (row) => byUuid.get(row.uuid) === row,
    past: (ms) => history.past(hooks.clock.monotonic() - ms, byUuid).sort((a, b) => a.id - b.id),
  };
}

interface History<R> {
  note(row: R, version: R | 'gone'): void;
  /** Rows as they were at a moment. */
  past(then: number, now: Map<string, R>): R[];
}

/** Keeps former versions of rows for as long as the store is told to. */
function createHistory<R extends Remembered>(hooks: TableHooks<R>): History<R> {
  const history = new Map<string, Version<R>[]>();
  let notes = 0;

  /** Forgets rows that went longer ago than anybody may ask for. */
  function forgetGone(before: number): void {
    for (const [uuid, versions] of history) {
      const last = versions.at(-1);
      if (last?.row === 'gone' && last.from < before) history.delete(uuid);
    }
  }

  return {
    note(row, version) {
      const keepMs = hooks.rememberMs();
      if (keepMs === 0) return;
      const from = hooks.clock.monotonic();
      if (++notes % 1000 === 0) forgetGone(from - keepMs);
      const versions = history.get(row.uuid) ?? [];
      versions.push({ from, row: version === 'gone' ? version : hooks.copy(version) });
      const tooOld = versions.findLastIndex((item) => item.from <= from - keepMs);
      if (tooOld > 0) versions.splice(0, tooOld);
      history.set(row.uuid, versions);
    },
    past(then, now) {
      const found: R[] = [];
      for (const uuid of new Set([...now.keys(), ...history.keys()])) {
        const versions = history.get(uuid);
        // A row without a history was there before anything was remembered.
        const version = versions ? versions.findLast((item) => item.from <= then)?.row : now.get(uuid);
        if (version && version !== 'gone') found.push(version);
      }
      return found;
    },
  };
}
