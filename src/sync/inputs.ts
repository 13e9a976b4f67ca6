import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service } from '../kube/types.ts';
import type { PodInputs, PodReferences } from '../translate/types.ts';
import { cinderVolumeIds } from '../translate/volumes.ts';
import type { InputSource } from './ports.ts';

/**
 * Reads the objects that Pods refer to. Null means that the object does not exist; errors are thrown. An answer is never
 * older than `since`, monotonic ms.
 */
export interface ObjectReader {
  configMap(namespace: string, name: string, since?: number): Promise<ConfigMap | null>;
  secret(namespace: string, name: string, since?: number): Promise<Secret | null>;
  services(namespace: string): Promise<Service[]>;
  persistentVolumeClaim(namespace: string, name: string, since?: number): Promise<PersistentVolumeClaim | null>;
  persistentVolume(name: string, since?: number): Promise<PersistentVolume | null>;
  /** The handler of a RuntimeClass; null when there is no such class. */
  runtimeHandler(name: string): Promise<string | null>;
  token(pod: Pod, serviceAccount: string, audience: string, expirationSeconds: number): Promise<string>;
  /** Calls `listener` once when an object that was missing is there; returns the way out. */
  whenAppears(ref: MissingObject, listener: () => void): () => void;
}

/** An object that a Pod refers to and that does not exist. */
export interface MissingObject {
  kind: 'ConfigMap' | 'Secret' | 'PersistentVolumeClaim';
  namespace: string;
  name: string;
}

/** An input source that also says when something that was missing is there. */
export interface WatchfulInputSource extends InputSource {
  /** Notes when a Pod was first seen: what it refers to is never read from a cache older than that. */
  seen(uid: string): void;
  /** Stops waiting for what a Pod missed. */
  forget(uid: string): void;
}

export interface InputSourceOptions {
  objects: ObjectReader;
  /** Monotonic ms. */
  now: () => number;
  node: PodInputs['node'];
  /** Makes or finds the Zun registries for image pull secrets; uuids by Secret name. Absent: none are made. */
  registries?: (pod: Pod, secrets: PodInputs['secrets']) => Promise<Record<string, string>>;
  /** Reads a Cinder volume; null: there is none, undefined: it cannot be told. Absent: volumes are not looked at. */
  volume?: (id: string) => Promise<NonNullable<PodInputs['cinderVolumes']>[string] | undefined>;
  /** Something that this Pod missed is there now: it need not wait for its next try. */
  onAppeared: (uid: string) => void;
}

/** Makes the source of everything outside a Pod that its translation reads. All reads of one Pod run at once. */
export function createInputSource(options: InputSourceOptions): WatchfulInputSource {
  const { objects } = options;
  const waits = new Map<string, (() => void)[]>();
  const seenAt = new Map<string, number>();

  function forget(uid: string): void {
    seenAt.delete(uid);
    endWaits(uid);
  }
  function endWaits(uid: string): void {
    for (const end of waits.get(uid) ?? []) end();
    waits.delete(uid);
  }
  function waitFor(uid: string, missing: MissingObject[]): void {
    endWaits(uid);
    if (missing.length === 0) return;
    const onAppeared = () => options.onAppeared(uid);
    waits.set(
      uid,
      missing.map((ref) => objects.whenAppears(ref, onAppeared)),
    );
  }

  return {
    forget,
    seen(uid) {
      seenAt.set(uid, options.now());
    },
    async fetch(pod, references) {
      const { namespace, uid } = pod.metadata;
      const since = seenAt.get(uid);
      const each = async <T>(names: readonly string[], read: (name: string) => Promise<T>) =>
        Object.fromEntries(await Promise.all(names.map(async (name) => [name, await read(name)] as const)));
      const secretNames = [...new Set([...references.secrets, ...references.imagePullSecrets])];
      const [configMaps, secrets, services, persistentVolumeClaims, tokens, runtimeHandler] = await Promise.all([
        each(references.configMaps, (name) => objects.configMap(namespace, name, since)),
        each(secretNames, (name) => objects.secret(namespace, name, since)),
        servicesOf(pod, references, objects),
        each(references.persistentVolumeClaims, (name) => objects.persistentVolumeClaim(namespace, name, since)),
        tokensOf(pod, references, objects),
        references.runtimeClassName === undefined ? undefined : objects.runtimeHandler(references.runtimeClassName),
      ]);
      waitFor(uid, [
        ...missing('ConfigMap', namespace, configMaps),
        ...missing('Secret', namespace, secrets),
        ...missing('PersistentVolumeClaim', namespace, persistentVolumeClaims),
      ]);
      const volumeNames = Object.values(persistentVolumeClaims).flatMap((claim) => claim?.spec?.volumeName ?? []);
      const inputs: PodInputs = {
        configMaps,
        secrets,
        services,
        persistentVolumeClaims,
        persistentVolumes: await each(volumeNames, (name) => objects.persistentVolume(name)),
        tokens,
        registries: (await options.registries?.(pod, secrets)) ?? {},
        ...(runtimeHandler !== undefined && { runtimeHandler }),
        node: options.node,
      };
      const { volume } = options;
      if (!volume) return inputs;
      const found = await each(cinderVolumeIds(pod, inputs), volume);
      const cinderVolumes = Object.fromEntries(
        Object.entries(found).flatMap(([id, disk]) => (disk === undefined ? [] : [[id, disk]])),
      );
      return { ...inputs, cinderVolumes };
    },
  };
}

/** The Services that become variables: the namespace's where the Pod wants links, and always `default/kubernetes`. */
async function servicesOf(pod: Pod, references: PodReferences, objects: ObjectReader): Promise<Service[]> {
  const { namespace } = pod.metadata;
  const own = references.serviceLinks ? objects.services(namespace) : Promise.resolve([]);
  const isMaster = ({ metadata }: Service) => metadata.namespace === 'default' && metadata.name === 'kubernetes';
  const [linked, defaults] = await Promise.all([own, objects.services('default')]);
  return [...linked.filter((service) => !isMaster(service)), ...defaults.filter(isMaster)];
}

async function tokensOf(pod: Pod, references: PodReferences, objects: ObjectReader): Promise<Record<string, string>> {
  const tokens = await Promise.all(
    references.tokens.map(
      async ({ key, serviceAccount, audience, expirationSeconds }) =>
        [key, await objects.token(pod, serviceAccount, audience, expirationSeconds)] as const,
    ),
  );
  return Object.fromEntries(tokens);
}

function missing(kind: MissingObject['kind'], namespace: string, found: Record<string, unknown>): MissingObject[] {
  return Object.entries(found).flatMap(([name, object]) => (object === null ? [{ kind, namespace, name }] : []));
}
