import { tooOldVersion } from './failures.ts';
import { type KubeObject, namespaceOf } from './objects.ts';
import type { Resource } from './resources.ts';

/** One change, as watches see it. */
export interface StoreEvent {
  version: number;
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  storage: string;
  object: KubeObject;
  /** What the object was before; undefined when it was added. */
  previous: KubeObject | undefined;
}

/** The objects of a whole cluster in memory, with the history that watches resume from. */
export interface ObjectStore {
  /** The version of the newest change. */
  version(): number;
  /** The oldest version that a watch may start from. */
  oldestVersion(): number;
  get(storage: string, namespace: string, name: string): KubeObject | undefined;
  /** All objects of a storage, or of one namespace in it, in the order of their keys. */
  list(storage: string, namespace?: string): readonly KubeObject[];
  count(storage: string): number;
  /** The names of the storages that hold or held something. */
  storages(): string[];
  byUid(uid: string): { storage: string; object: KubeObject } | undefined;
  /** Stores an object under a new resourceVersion and tells the watches. The object must not be changed afterwards. */
  put(resource: Resource, object: KubeObject): KubeObject;
  /** Removes an object; its last state, under a new resourceVersion, goes to the watches and comes back. */
  remove(resource: Resource, last: KubeObject): KubeObject;
  /** The changes after a version. Errors: 410 when the history does not reach back so far. */
  since(storage: string, version: number): StoreEvent[];
  /** Calls back on each change until the returned function is called. */
  subscribe(listener: (event: StoreEvent) => void): () => void;
  /** Forgets the history up to now. */
  compact(): void;
  /** The object as JSON, made once an object; `item` is the form in lists, which leaves kind and apiVersion out. */
  json(object: KubeObject, form: 'whole' | 'item'): string;
}

/** The key under which an object is kept and listed. */
export function keyOf(namespace: string, name: string): string {
  return `${namespace}/${name}`;
}

/** Makes an empty store that remembers the last `historyLimit` changes. */
export function createObjectStore(historyLimit: number): ObjectStore {
  const tables = new Map<string, Map<string, KubeObject>>();
  const sorted = new Map<string, KubeObject[]>();
  const uids = new Map<string, { storage: string; object: KubeObject }>();
  const listeners = new Set<(event: StoreEvent) => void>();
  const texts = new WeakMap<KubeObject, string>();
  let history: StoreEvent[] = [];
  let version = 1;
  let oldest = 1;

  function table(storage: string): Map<string, KubeObject> {
    const found = tables.get(storage) ?? new Map<string, KubeObject>();
    tables.set(storage, found);
    return found;
  }

  function emit(event: StoreEvent): void {
    history.push(event);
    // Cut in large steps, so that the cost stays constant per change.
    if (history.length > historyLimit * 2) {
      history = history.slice(-historyLimit);
      oldest = (history[0]?.version ?? version) - 1;
    }
    for (const listener of listeners) listener(event);
  }

  function withNewVersion(object: KubeObject): KubeObject {
    version += 1;
    return { ...object, metadata: { ...object.metadata, resourceVersion: String(version) } };
  }

  function inOrder(storage: string): KubeObject[] {
    let found = sorted.get(storage);
    if (!found) {
      found = [...table(storage).entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, object]) => object);
      sorted.set(storage, found);
    }
    return found;
  }

  return {
    version: () => version,
    oldestVersion: () => oldest,
    get: (storage, namespace, name) => tables.get(storage)?.get(keyOf(namespace, name)),
    list(storage, namespace) {
      const objects = inOrder(storage);
      return namespace === undefined ? objects : objects.filter((object) => namespaceOf(object) === namespace);
    },
    storages: () => [...tables.keys()],
    count: (storage) => tables.get(storage)?.size ?? 0,
    byUid: (uid) => uids.get(uid),
    put(resource, object) {
      const { storage } = resource;
      const stored = withNewVersion(object);
      const key = keyOf(namespaceOf(stored), stored.metadata.name);
      const previous = table(storage).get(key);
      table(storage).set(key, stored);
      sorted.delete(storage);
      uids.set(stored.metadata.uid, { storage, object: stored });
      emit({ version, type: previous ? 'MODIFIED' : 'ADDED', storage, object: stored, previous });
      return stored;
    },
    remove(resource, last) {
      const { storage } = resource;
      const key = keyOf(namespaceOf(last), last.metadata.name);
      const previous = table(storage).get(key);
      const gone = withNewVersion(last);
      table(storage).delete(key);
      sorted.delete(storage);
      uids.delete(last.metadata.uid);
      emit({ version, type: 'DELETED', storage, object: gone, previous });
      return gone;
    },
    since(storage, from) {
      if (from < oldest) throw tooOldVersion(from, oldest);
      return history.filter((event) => event.version > from && event.storage === storage);
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    compact() {
      history = [];
      oldest = version;
    },
    json(object, form) {
      let text = texts.get(object);
      if (text === undefined) {
        const { kind: _kind, apiVersion: _apiVersion, ...rest } = object;
        text = JSON.stringify(rest);
        texts.set(object, text);
      }
      const { kind, apiVersion } = object;
      return form === 'item' ? text : `{"kind":"${kind}","apiVersion":"${apiVersion}",${text.slice(1)}`;
    },
  };
}
