import type { ServerResponse } from 'node:http';
import type { Clock } from '../../base/clock.ts';
import { ApiFailure, invalid, versionTooLarge } from './failures.ts';
import type { JsonObject, KubeObject } from './objects.ts';
import { namespaceOf } from './objects.ts';
import type { Resource } from './resources.ts';
import { type Predicate, selection } from './selectors.ts';
import type { ObjectStore, StoreEvent } from './store.ts';

/** How a watch shows an object: one line of JSON without its end. */
export type Shown = (type: string, object: KubeObject) => string;

export interface WatchCall {
  resource: Resource;
  /** Undefined for all namespaces. */
  namespace: string | undefined;
  query: URLSearchParams;
  /** The form that the client asked for; undefined for whole objects. */
  show: Shown | undefined;
  contentType: string;
}

export interface Watches {
  /** Serves a watch until it times out, is cut, or the client leaves. Errors, before anything is sent: 400, 410, 422. */
  serve(call: WatchCall, response: ServerResponse): void;
  open(): number;
  /** Breaks the connections of the open watches, all or those on one resource. */
  cut(plural?: string): void;
  /** Tells the open watches that their version is too old (an ERROR event with 410), and ends them. */
  expire(plural?: string): void;
  /** Keeps events back until the returned function is called. */
  hold(): () => void;
  /** Ends all watches in good order. */
  end(): void;
}

interface Watch {
  plural: string;
  push(event: StoreEvent): void;
  add(object: KubeObject): void;
  bookmark(annotations?: JsonObject): void;
  fail(failure: ApiFailure): void;
  cut(): void;
  end(): void;
}

const bookmarkEveryMs = 60_000;
/** How long before its time limit a watch gets a last bookmark. */
const lastBookmarkMs = 2_000;
const defaultTimeoutSeconds = 1_800;
const maxBufferedBytes = 64 * 1024 * 1024;

/** Makes the watch part of the API. Each change is made into a line once, whatever the number of watches. */
export function createWatches(store: ObjectStore, clock: Clock): Watches {
  const watches = new Map<string, Set<Watch>>();
  const lines = new WeakMap<StoreEvent, Map<string, Buffer>>();
  let held: StoreEvent[] | undefined;

  function lineOf(event: StoreEvent, type: string, object: KubeObject): Buffer {
    const known = lines.get(event) ?? new Map<string, Buffer>();
    lines.set(event, known);
    const line = known.get(type) ?? Buffer.from(`{"type":"${type}","object":${store.json(object, 'whole')}}\n`);
    known.set(type, line);
    return line;
  }

  function dispatch(event: StoreEvent): void {
    for (const watch of watches.get(event.storage) ?? []) watch.push(event);
  }
  store.subscribe((event) => {
    if (held) held.push(event);
    else dispatch(event);
  });

  function chosen(plural: string | undefined): Watch[] {
    const all = [...watches.values()].flatMap((set) => [...set]);
    return plural === undefined ? all : all.filter((watch) => watch.plural === plural);
  }

  /** Makes the watch that writes to a response what it is told. */
  function createWatch(call: WatchCall, response: ServerResponse, from: number): Watch {
    const { query, resource, show } = call;
    const matches = inScope(call);
    const isWanted = ['1', 'true'].includes(query.get('allowWatchBookmarks') ?? '');
    let sentVersion = from;
    const write = (line: string | Buffer) => {
      response.write(line);
      // A client that does not read would otherwise hold all history in memory.
      if (response.writableLength > maxBufferedBytes) response.destroy();
    };
    return {
      plural: resource.plural,
      push(event) {
        // Held events may reach a watch that began after them.
        if (event.version <= sentVersion) return;
        sentVersion = event.version;
        const seen = seenAs(event, matches);
        if (!seen) return;
        if (show) write(`${show(seen.type, seen.object)}\n`);
        else write(lineOf(event, seen.type, seen.object));
      },
      add(object) {
        if (!matches(object)) return;
        write(show ? `${show('ADDED', object)}\n` : `{"type":"ADDED","object":${store.json(object, 'whole')}}\n`);
      },
      bookmark(annotations) {
        if (!held) sentVersion = Math.max(sentVersion, store.version());
        const object = bookmarkObject(resource, sentVersion, annotations);
        if (isWanted) write(`${JSON.stringify({ type: 'BOOKMARK', object })}\n`);
      },
      fail: (failure) => write(`${JSON.stringify({ type: 'ERROR', object: failure.status() })}\n`),
      cut: () => void response.destroy(),
      end: () => void response.end(),
    };
  }

  /** Sends bookmarks from time to time and ends a watch in time; the returned function stops that. */
  function keepTime(watch: Watch, limitMs: number): () => void {
    let cancelNext = () => {};
    const every = () => {
      cancelNext = clock.after(bookmarkEveryMs, () => {
        watch.bookmark();
        every();
      });
    };
    every();
    const timers = [clock.after(limitMs, () => watch.end())];
    if (limitMs > lastBookmarkMs) timers.push(clock.after(limitMs - lastBookmarkMs, () => watch.bookmark()));
    return () => {
      cancelNext();
      for (const cancel of timers) cancel();
    };
  }

  function serve(call: WatchCall, response: ServerResponse): void {
    const start = startOf(call, store);
    const watch = createWatch(call, response, start.version);
    const { storage } = call.resource;
    const set = watches.get(storage) ?? new Set<Watch>();
    watches.set(storage, set);
    response.writeHead(200, { 'content-type': call.contentType, 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    for (const object of start.initial) watch.add(object);
    if (start.marksEnd) watch.bookmark({ 'k8s.io/initial-events-end': 'true' });
    for (const event of start.missed) watch.push(event);
    set.add(watch);
    const stop = keepTime(watch, timeoutMs(call.query));
    response.on('close', () => {
      set.delete(watch);
      stop();
    });
  }

  return {
    serve,
    open: () => chosen(undefined).length,
    cut(plural) {
      for (const watch of chosen(plural)) watch.cut();
    },
    expire(plural) {
      const failure = new ApiFailure(410, 'Expired', 'The resourceVersion for the provided watch is too old.');
      for (const watch of chosen(plural)) {
        watch.fail(failure);
        watch.end();
      }
    },
    hold() {
      held ??= [];
      return () => {
        const waiting = held ?? [];
        held = undefined;
        for (const event of waiting) dispatch(event);
      };
    },
    end() {
      for (const watch of chosen(undefined)) watch.end();
    },
  };
}

function timeoutMs(query: URLSearchParams): number {
  const seconds = Number(query.get('timeoutSeconds') ?? '');
  return (seconds > 0 ? seconds : defaultTimeoutSeconds) * 1000;
}

function inScope(call: WatchCall): Predicate {
  const selected = selection(call.query, call.resource);
  const { namespace } = call;
  return (object) => {
    if (namespace !== undefined && namespaceOf(object as KubeObject) !== namespace) return false;
    return selected?.(object) ?? true;
  };
}

/** What a change is for a watch on a part of the objects: one that comes into sight is added, one that leaves is deleted. */
function seenAs(event: StoreEvent, matches: Predicate): { type: string; object: KubeObject } | undefined {
  const isIn = event.type !== 'DELETED' && matches(event.object);
  const wasIn = event.previous !== undefined && matches(event.previous);
  if (isIn) return { type: wasIn ? 'MODIFIED' : 'ADDED', object: event.object };
  if (!wasIn || !event.previous) return undefined;
  if (event.type === 'DELETED') return { type: 'DELETED', object: event.object };
  const metadata = { ...event.previous.metadata, resourceVersion: String(event.version) };
  return { type: 'DELETED', object: { ...event.previous, metadata } };
}

interface Start {
  version: number;
  /** Objects that are sent as they are now. */
  initial: readonly KubeObject[];
  /** Changes that happened since the version that the client knows. */
  missed: StoreEvent[];
  marksEnd: boolean;
}

function startOf(call: WatchCall, store: ObjectStore): Start {
  const { query, resource, namespace } = call;
  const asked = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(asked)) throw badVersion(asked);
  const wantsInitial = query.get('sendInitialEvents');
  const match = query.get('resourceVersionMatch') ?? '';
  checkInitial(call, wantsInitial, match);
  const isFromNow = asked === '' || asked === '0';
  if (wantsInitial === 'true' || (isFromNow && wantsInitial === null)) {
    const initial = store.list(resource.storage, namespace);
    return { version: store.version(), initial, missed: [], marksEnd: wantsInitial === 'true' };
  }
  if (isFromNow) return { version: store.version(), initial: [], missed: [], marksEnd: false };
  if (Number(asked) > store.version()) throw versionTooLarge(Number(asked), store.version());
  return { version: Number(asked), initial: [], missed: store.since(resource.storage, Number(asked)), marksEnd: false };
}

function badVersion(asked: string): ApiFailure {
  const why = `strconv.ParseUint: parsing "${asked}": invalid syntax`;
  return new ApiFailure(500, '', `resourceVersion: Invalid value: "${asked}": ${why}`);
}

function checkInitial(call: WatchCall, wantsInitial: string | null, match: string): void {
  if (wantsInitial === null && match !== '') {
    const message = 'Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided';
    throw invalid({ plural: '', group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { reason: 'FieldValueForbidden', field: 'resourceVersionMatch', message },
    ]);
  }
  if (wantsInitial !== null && match !== 'NotOlderThan') {
    const message = 'Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan';
    throw invalid({ plural: call.resource.plural, group: 'meta.k8s.io', kind: 'ListOptions' }, '', [
      { reason: 'FieldValueForbidden', field: 'resourceVersionMatch', message },
    ]);
  }
}

function bookmarkObject(resource: Resource, version: number, annotations: JsonObject | undefined): JsonObject {
  const apiVersion = resource.group === '' ? resource.version : `${resource.group}/${resource.version}`;
  const metadata: JsonObject = { resourceVersion: String(version), ...(annotations && { annotations }) };
  // What an empty Pod looks like in Go.
  const skeleton = resource.kind === 'Pod' ? { spec: { containers: null }, status: {} } : {};
  return { kind: resource.kind, apiVersion, metadata, ...skeleton };
}
