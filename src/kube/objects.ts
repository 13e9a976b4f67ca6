import { type Clock, sleep } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { createAppearanceWatch } from './appearance.ts';
import type { KubeClient } from './client-types.ts';
import { createObjectCache } from './object-cache.ts';
import { createServiceStore } from './services.ts';
import { createTokenReader } from './tokens.ts';
import type {
  ConfigMap,
  PersistentVolume,
  PersistentVolumeClaim,
  Pod,
  RuntimeClass,
  Secret,
  Service,
} from './types.ts';
import type { Stored } from './watch.ts';

/** The kinds of objects that Pods refer to by name. */
interface ReadableKinds {
  ConfigMap: ConfigMap;
  Secret: Secret;
  PersistentVolumeClaim: PersistentVolumeClaim;
  PersistentVolume: PersistentVolume;
  RuntimeClass: RuntimeClass;
}
type ReadableKind = keyof ReadableKinds;

interface ObjectRef<K extends ReadableKind = ReadableKind> {
  kind: K;
  /** Empty for PersistentVolumes and RuntimeClasses. */
  namespace: string;
  name: string;
}

/**
 * Reads what Pods refer to, sparingly. Null: there is no such object. An answer may be a few seconds old, but never older than
 * `since`, a moment of the monotonic clock: the time at which the Pod was seen first or changed last.
 * Errors: those of `KubeClient`; `not-found` only for tokens, when the service account does not exist.
 */
export interface ObjectReader {
  configMap(namespace: string, name: string, since?: number): Promise<ConfigMap | null>;
  secret(namespace: string, name: string, since?: number): Promise<Secret | null>;
  persistentVolumeClaim(namespace: string, name: string, since?: number): Promise<PersistentVolumeClaim | null>;
  persistentVolume(name: string, since?: number): Promise<PersistentVolume | null>;
  /** The handler of a RuntimeClass. */
  runtimeHandler(name: string, since?: number): Promise<string | null>;
  /** The Services of a namespace, always as of now. */
  services(namespace: string): Promise<Service[]>;
  /** A service account token bound to the Pod; an empty audience is the API server's own. */
  token(pod: Pod, serviceAccount: string, audience: string, expirationSeconds: number): Promise<string>;
  /** Calls `listener` once when the object is there, a second to five after it was made. Returns the way out. */
  whenAppears(ref: ObjectRef, listener: () => void): () => void;
  /** Drops what was kept for a Pod. */
  forgetPod(uid: string): void;
  stop(): Promise<void>;
}

export interface ObjectReaderOptions {
  client: KubeClient;
  clock: Clock;
  random: Random;
  log: Log;
  /** How long an answer counts for callers who ask without `since`; default 5 s. */
  ttlMs?: number;
}

const collections: Record<ReadableKind, (namespace: string) => string> = {
  ConfigMap: (namespace) => `/api/v1/namespaces/${namespace}/configmaps`,
  Secret: (namespace) => `/api/v1/namespaces/${namespace}/secrets`,
  PersistentVolumeClaim: (namespace) => `/api/v1/namespaces/${namespace}/persistentvolumeclaims`,
  PersistentVolume: () => '/api/v1/persistentvolumes',
  RuntimeClass: () => '/apis/node.k8s.io/v1/runtimeclasses',
};

/**
 * A node identity may read a Secret only after the Node authorizer has learnt of the Pod that names it, a moment after the
 * Pod was bound.
 */
const forbiddenRetriesMs = [300, 900];

/** Makes the reader. */
export function createObjectReader(options: ObjectReaderOptions): ObjectReader {
  const { client, clock } = options;
  const cache = createObjectCache<Stored | null>(clock, options.ttlMs ?? 5_000);
  const appearances = createAppearanceWatch(clock, options.random);
  const services = createServiceStore(options);
  const tokens = createTokenReader(client, clock);

  async function fetchOnce(ref: ObjectRef): Promise<Stored | null> {
    const attempt = `reading ${ref.kind} ${ref.namespace ? `${ref.namespace}/` : ''}${ref.name}`;
    try {
      const object = await client.get<Stored>(`${collections[ref.kind](ref.namespace)}/${ref.name}`, { attempt });
      delete object.metadata.managedFields;
      return object;
    } catch (thrown) {
      if (isKind(thrown, 'not-found')) return null;
      throw thrown;
    }
  }
  async function fetch(ref: ObjectRef): Promise<Stored | null> {
    for (const delayMs of forbiddenRetriesMs) {
      try {
        return await fetchOnce(ref);
      } catch (thrown) {
        if (!isKind(thrown, 'forbidden')) throw thrown;
        await sleep(clock, delayMs);
      }
    }
    return fetchOnce(ref);
  }

  // The path that is read belongs to the kind that is asked for; hence the cast.
  async function read<K extends ReadableKind>(ref: ObjectRef<K>, since?: number): Promise<ReadableKinds[K] | null> {
    return (await cache.get(keyOf(ref), () => fetch(ref), since)) as ReadableKinds[K] | null;
  }

  return {
    configMap: (namespace, name, since) => read({ kind: 'ConfigMap', namespace, name }, since),
    secret: (namespace, name, since) => read({ kind: 'Secret', namespace, name }, since),
    persistentVolumeClaim: (namespace, name, since) => read({ kind: 'PersistentVolumeClaim', namespace, name }, since),
    persistentVolume: (name, since) => read({ kind: 'PersistentVolume', namespace: '', name }, since),
    runtimeHandler: async (name, since) =>
      (await read({ kind: 'RuntimeClass', namespace: '', name }, since))?.handler ?? null,
    services: (namespace) => services.inNamespace(namespace),
    token: tokens.get,
    whenAppears(ref, listener) {
      const isThere = async () => {
        const object = await fetchOnce(ref);
        if (object) cache.put(keyOf(ref), object);
        return object !== null;
      };
      return appearances.wait(keyOf(ref), isThere, listener);
    },
    forgetPod: (uid) => tokens.forgetPod(uid),
    async stop() {
      appearances.stop();
      await services.stop();
    },
  };
}

function keyOf(ref: ObjectRef): string {
  return `${ref.kind}/${ref.namespace}/${ref.name}`;
}
