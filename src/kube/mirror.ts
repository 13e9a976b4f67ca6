import type { Log } from '../base/log.ts';
import type { ReflectorSink } from './reflector-types.ts';
import type { Stored } from './watch.ts';

/** Passes what a reflector sees to its sink, object by object under its name, and never lets two identities pass for one. */
export interface Mirror<T> {
  replace(items: T[]): void;
  apply(type: 'ADDED' | 'MODIFIED' | 'DELETED', item: T): void;
}

/**
 * Makes a mirror. It remembers the object under each name: when another UID appears there, the old object is removed
 * before the new one is upserted, because to everyone behind the sink these are two objects. A sink that throws is a bug;
 * it is logged and the reflector goes on.
 */
export function createMirror<T extends Stored>(sink: ReflectorSink<T>, log: Log): Mirror<T> {
  let known = new Map<string, T>();

  function tell(run: () => void): void {
    try {
      run();
    } catch (thrown) {
      log.error('watch handler failed', { err: thrown, code: 'bug' });
    }
  }
  function removeOther(key: string, item: T): void {
    const before = known.get(key);
    if (before && before.metadata.uid !== item.metadata.uid) tell(() => sink.remove(before));
  }
  return {
    replace(items) {
      const next = new Map<string, T>();
      for (const item of items) {
        const key = nameOf(item);
        removeOther(key, item);
        next.set(key, item);
      }
      known = next;
      tell(() => sink.replace(items));
    },
    apply(type, item) {
      const key = nameOf(item);
      removeOther(key, item);
      if (type === 'DELETED') {
        known.delete(key);
        tell(() => sink.remove(item));
      } else {
        known.set(key, item);
        tell(() => sink.upsert(item));
      }
    },
  };
}

function nameOf(item: Stored): string {
  return `${item.metadata.namespace ?? ''}/${item.metadata.name}`;
}
