import { badRequest, expiredContinue, versionTooLarge } from './failures.ts';
import type { KubeObject } from './objects.ts';
import type { Resource } from './resources.ts';
import { selection } from './selectors.ts';
import type { ObjectStore } from './store.ts';

/** One page of a list. */
export interface Page {
  objects: readonly KubeObject[];
  resourceVersion: string;
  continueToken?: string;
  remaining?: number;
}

export interface Lists {
  /** Errors: 400, 410 for a continue token whose snapshot is gone, 504 for a version that does not exist yet. */
  page(resource: Resource, namespace: string | undefined, query: URLSearchParams): Page;
  /** From now on reads at `resourceVersion=0` see the present state only, until the returned function is called. */
  freeze(): () => void;
  /** Forgets the snapshots behind continue tokens. */
  forget(): void;
}

interface Snapshot {
  objects: readonly KubeObject[];
  resourceVersion: string;
}

const keptSnapshots = 100;

/** Makes the list part of the API: selectors, paging over a consistent snapshot, reads from a stale cache on request. */
export function createLists(store: ObjectStore): Lists {
  const snapshots = new Map<string, Snapshot>();
  let frozen: { at: string; tables: Map<string, readonly KubeObject[]> } | undefined;
  let made = 0;

  function page(resource: Resource, namespace: string | undefined, query: URLSearchParams): Page {
    const limit = positive(query, 'limit');
    const token = query.get('continue') ?? '';
    if (token !== '') return rest(token, limit, query);
    const asked = query.get('resourceVersion') ?? '';
    checkVersion(asked);
    const source = asked === '0' ? cached(resource, namespace) : current(resource, namespace);
    const matches = selection(query, resource);
    const objects = matches ? source.objects.filter(matches) : source.objects;
    // A list from the watch cache is never cut.
    if (limit === 0 || asked === '0') return { ...source, objects };
    return cut({ objects, resourceVersion: source.resourceVersion }, 0, limit);
  }

  function current(resource: Resource, namespace: string | undefined): Snapshot {
    return { objects: store.list(resource.storage, namespace), resourceVersion: String(store.version()) };
  }

  function cached(resource: Resource, namespace: string | undefined): Snapshot {
    if (!frozen) return current(resource, namespace);
    const objects = frozen.tables.get(resource.storage) ?? [];
    const inNamespace =
      namespace === undefined ? objects : objects.filter((one) => one.metadata['namespace'] === namespace);
    return { objects: inNamespace, resourceVersion: frozen.at };
  }

  function checkVersion(asked: string): void {
    if (!/^\d*$/.test(asked)) throw badRequest(`resourceVersion: Invalid value: "${asked}"`);
    if (Number(asked) > store.version()) throw versionTooLarge(Number(asked), store.version());
  }

  function rest(token: string, limit: number, query: URLSearchParams): Page {
    if ((query.get('resourceVersion') ?? '') !== '') {
      throw badRequest('specifying resource version is not allowed when using continue');
    }
    const [id = '', start = ''] = token.split('.');
    const snapshot = snapshots.get(id);
    if (!snapshot) throw expiredContinue();
    return cut(snapshot, Number(start), limit === 0 ? snapshot.objects.length : limit, id);
  }

  function cut(snapshot: Snapshot, start: number, limit: number, id?: string): Page {
    const end = start + limit;
    const remaining = snapshot.objects.length - end;
    const found = { objects: snapshot.objects.slice(start, end), resourceVersion: snapshot.resourceVersion };
    if (remaining <= 0) return found;
    return { ...found, continueToken: `${id ?? keep(snapshot)}.${end}`, remaining };
  }

  function keep(snapshot: Snapshot): string {
    made += 1;
    const id = `page${made}`;
    snapshots.set(id, snapshot);
    for (const old of snapshots.keys()) {
      if (snapshots.size <= keptSnapshots) break;
      snapshots.delete(old);
    }
    return id;
  }

  return {
    page,
    freeze() {
      const tables = new Map(store.storages().map((storage) => [storage, [...store.list(storage)]]));
      const mine = { at: String(store.version()), tables };
      frozen = mine;
      return () => {
        if (frozen === mine) frozen = undefined;
      };
    },
    forget: () => snapshots.clear(),
  };
}

function positive(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (text === '') return 0;
  if (!/^\d+$/.test(text)) throw badRequest(`strconv.ParseInt: parsing "${text}": invalid syntax`);
  return Number(text);
}
