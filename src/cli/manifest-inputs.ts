import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Pod, Secret, Service } from '../kube/types.ts';
import { podReferences } from '../translate/references.ts';
import type { PodInputs, TranslateOptions } from '../translate/types.ts';
import type { Manifest } from './manifest.ts';

/** The objects among the manifests that translation reads, by kind and name. */
export interface InputObjects {
  add(manifest: Manifest): boolean;
  /** The inputs of one Pod; what is not among the manifests is null, as if it did not exist. */
  inputsOf(pod: Pod, options: TranslateOptions): PodInputs;
}

type Kind = 'ConfigMap' | 'Secret' | 'Service' | 'PersistentVolumeClaim' | 'PersistentVolume' | 'RuntimeClass';

const kinds: ReadonlySet<string> = new Set<Kind>([
  'ConfigMap',
  'Secret',
  'Service',
  'PersistentVolumeClaim',
  'PersistentVolume',
  'RuntimeClass',
]);
const clusterWide: ReadonlySet<string> = new Set<Kind>(['PersistentVolume', 'RuntimeClass']);
/** The classes that zunlet's own manifests make. */
const knownHandlers: ReadonlySet<string> = new Set(['zun', 'zun-container']);

/** Stands where a token will be: a real one is made when the Pod starts. */
const tokenPlaceholder = 'a-token-is-made-when-the-pod-starts';

function keyOf(kind: string, namespace: string, name: string): string {
  return clusterWide.has(kind) ? `${kind}/${name}` : `${kind}/${namespace}/${name}`;
}

function textAt(object: unknown, key: string): string | undefined {
  if (typeof object !== 'object' || object === null) return undefined;
  const value: unknown = Object.entries(object).find(([name]) => name === key)?.[1];
  return typeof value === 'string' ? value : undefined;
}

/** Starts an empty collection; objects without a namespace get the default one. */
export function createInputObjects(defaultNamespace: string): InputObjects {
  const objects = new Map<string, Record<string, unknown>>();
  const services: Service[] = [];

  function find<T>(kind: Kind, namespace: string, names: readonly string[]): Record<string, T | null> {
    return Object.fromEntries(
      // The kind decides the type; translation reads the objects with care, since nobody has checked them.
      names.map((name) => [name, (objects.get(keyOf(kind, namespace, name)) as T | undefined) ?? null]),
    );
  }

  function handlerOf(name: string | undefined): string | null | undefined {
    if (name === undefined) return undefined;
    const found = objects.get(keyOf('RuntimeClass', '', name));
    return (found && textAt(found, 'handler')) ?? (knownHandlers.has(name) ? name : null);
  }

  return {
    add({ object }) {
      const kind = textAt(object, 'kind') ?? '';
      if (!kinds.has(kind)) return false;
      const { metadata } = object;
      const namespace = textAt(metadata, 'namespace') ?? defaultNamespace;
      const name = textAt(metadata, 'name') ?? '';
      const named = { ...object, metadata: { ...(metadata as object | undefined), namespace, name } };
      objects.set(keyOf(kind, namespace, name), named);
      // As above.
      if (kind === 'Service') services.push(named as unknown as Service);
      return true;
    },
    inputsOf(pod, options) {
      const references = podReferences(pod, options);
      const { namespace } = pod.metadata;
      const claims = find<PersistentVolumeClaim>('PersistentVolumeClaim', namespace, references.persistentVolumeClaims);
      const volumeNames = Object.values(claims).flatMap((claim) => textAt(claim?.spec, 'volumeName') ?? []);
      const secretNames = [...references.secrets, ...references.imagePullSecrets];
      const handler = handlerOf(references.runtimeClassName);
      return {
        configMaps: find<ConfigMap>('ConfigMap', namespace, references.configMaps),
        secrets: find<Secret>('Secret', namespace, secretNames),
        services,
        persistentVolumeClaims: claims,
        persistentVolumes: find<PersistentVolume>('PersistentVolume', '', volumeNames),
        tokens: Object.fromEntries(references.tokens.map(({ key }) => [key, tokenPlaceholder])),
        registries: Object.fromEntries(references.imagePullSecrets.map((name) => [name, name])),
        ...(handler === undefined ? {} : { runtimeHandler: handler }),
        node: { name: options.node, hostIPs: ['127.0.0.1'], allocatable: {} },
      };
    },
  };
}
