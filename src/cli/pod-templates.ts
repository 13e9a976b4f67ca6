import type { Pod } from '../kube/types.ts';
import type { Manifest } from './manifest.ts';

/** A Pod that stands in a manifest, by itself or as the template of a workload. */
export interface FoundPod {
  pod: Pod;
  /** `Deployment web`, `Pod web`. */
  from: string;
  manifest: Manifest;
  /** Where the Pod begins in its object: `spec.template`, empty for a Pod. */
  prefix: string;
}

type Loose = Record<string, unknown>;

/** Where the Pod template of each kind of workload stands. */
const templatePaths: Record<string, string[]> = {
  Pod: [],
  PodTemplate: ['template'],
  Deployment: ['spec', 'template'],
  ReplicaSet: ['spec', 'template'],
  ReplicationController: ['spec', 'template'],
  StatefulSet: ['spec', 'template'],
  DaemonSet: ['spec', 'template'],
  Job: ['spec', 'template'],
  CronJob: ['spec', 'jobTemplate', 'spec', 'template'],
};

/** The UID that Pods get here, where no API server gives one. */
const placeholderUid = '00000000-0000-0000-0000-000000000000';

function asObject(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

function dig(object: Loose, path: string[]): unknown {
  let value: unknown = object;
  for (const key of path) value = asObject(value)[key];
  return value;
}

function textOf(value: unknown, otherwise: string): string {
  return typeof value === 'string' && value !== '' ? value : otherwise;
}

/** A StatefulSet's first Pod as its controller makes it: numbered, with a host name and with the claims of its templates. */
function firstReplica(object: Loose, spec: unknown, name: string): unknown {
  if (typeof spec !== 'object' || spec === null) return spec;
  const set = asObject(object['spec']);
  const templates = Array.isArray(set['volumeClaimTemplates']) ? set['volumeClaimTemplates'] : [];
  const claims = templates.map((template) => textOf(asObject(asObject(template)['metadata'])['name'], 'data'));
  const { volumes } = asObject(spec);
  const others = (Array.isArray(volumes) ? volumes : []).filter(
    (volume) => !claims.includes(String(asObject(volume)['name'])),
  );
  const own = claims.map((claim) => ({ name: claim, persistentVolumeClaim: { claimName: `${claim}-${name}` } }));
  return {
    ...spec,
    hostname: name,
    ...(typeof set['serviceName'] === 'string' && set['serviceName'] !== '' ? { subdomain: set['serviceName'] } : {}),
    ...(own.length > 0 ? { volumes: [...others, ...own] } : {}),
  };
}

/** Finds the Pod of a manifest; undefined when its kind has none. A name, namespace and UID are filled in where they are missing. */
export function findPod(manifest: Manifest, defaultNamespace: string): FoundPod | undefined {
  const { object } = manifest;
  const kind = textOf(object['kind'], '');
  const path = Object.hasOwn(templatePaths, kind) ? templatePaths[kind] : undefined;
  if (!path) return undefined;
  const owner = asObject(object['metadata']);
  const template = asObject(dig(object, path));
  const ownerName = textOf(owner['name'], textOf(owner['generateName'], 'pod').replace(/-$/, ''));
  const name = kind === 'StatefulSet' ? `${ownerName}-0` : ownerName;
  const spec = kind === 'StatefulSet' ? firstReplica(object, template['spec'], name) : template['spec'];
  const metadata = {
    ...asObject(template['metadata']),
    name,
    namespace: textOf(owner['namespace'], defaultNamespace),
    uid: textOf(asObject(template['metadata'])['uid'], placeholderUid),
  };
  // Types are checked by translation itself, which reports what is wrong.
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata, spec } as unknown as Pod;
  return { pod, from: `${kind} ${ownerName}`, manifest, prefix: path.join('.') };
}
