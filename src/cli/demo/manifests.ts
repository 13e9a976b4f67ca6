import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { AppError } from '../../base/errors.ts';
import type { KubeClient } from '../../kube/client-types.ts';

interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
  file: string;
}

const plurals: Record<string, string> = {
  ConfigMap: 'configmaps',
  CronJob: 'cronjobs',
  DaemonSet: 'daemonsets',
  Deployment: 'deployments',
  Job: 'jobs',
  Namespace: 'namespaces',
  PersistentVolume: 'persistentvolumes',
  PersistentVolumeClaim: 'persistentvolumeclaims',
  Pod: 'pods',
  ReplicaSet: 'replicasets',
  RuntimeClass: 'runtimeclasses',
  Secret: 'secrets',
  Service: 'services',
  ServiceAccount: 'serviceaccounts',
  StatefulSet: 'statefulsets',
};
const clusterWide = new Set(['Namespace', 'PersistentVolume', 'RuntimeClass']);
/** What others refer to goes first. */
const first = [
  'Namespace',
  'RuntimeClass',
  'ServiceAccount',
  'ConfigMap',
  'Secret',
  'Service',
  'PersistentVolume',
  'PersistentVolumeClaim',
];

/** Reads manifests from files and folders. Errors: `demo.manifest` with file and line. */
export async function readManifests(paths: string[]): Promise<Manifest[]> {
  const files = (await Promise.all(paths.map(expand))).flat();
  const manifests = (await Promise.all(files.map(readOne))).flat();
  const rank = ({ kind }: Manifest) => (first.includes(kind) ? first.indexOf(kind) : first.length);
  return manifests.sort((a, b) => rank(a) - rank(b));
}

async function expand(path: string): Promise<string[]> {
  try {
    const names = await readdir(path);
    return names
      .filter((name) => /\.ya?ml$/.test(name))
      .sort()
      .map((name) => join(path, name));
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOTDIR') return [path];
    throw problem(`reading ${path}`, error);
  }
}

async function readOne(file: string): Promise<Manifest[]> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw problem(`reading ${file}`, error);
  });
  return parseAllDocuments(text).flatMap((document) => {
    const [error] = document.errors;
    if (error) throw problem(`reading ${file}`, error);
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    if (value === null) return [];
    if (!isManifest(value))
      throw problem(`reading ${file}`, new Error('a document has no apiVersion, kind or metadata.name'));
    return [{ ...value, file }];
  });
}

function isManifest(value: unknown): value is Manifest {
  if (typeof value !== 'object' || value === null) return false;
  const { apiVersion, kind, metadata } = value as Partial<Manifest>;
  return typeof apiVersion === 'string' && typeof kind === 'string' && typeof metadata?.name === 'string';
}

/** Creates what the manifests say; one that exists already stays. */
export async function applyManifests(kube: KubeClient, manifests: Manifest[]): Promise<void> {
  for (const { file, ...object } of manifests) {
    const plural = plurals[object.kind];
    if (!plural) throw problem(`applying ${file}`, new Error(`the demo knows no kind ${object.kind}`));
    const group = object.apiVersion.includes('/') ? `/apis/${object.apiVersion}` : `/api/${object.apiVersion}`;
    const namespace = object.metadata.namespace ?? 'default';
    const path = clusterWide.has(object.kind) ? `${group}/${plural}` : `${group}/namespaces/${namespace}/${plural}`;
    const attempt = `applying ${object.kind} ${object.metadata.name} of ${file}`;
    try {
      await kube.create(path, object, { attempt });
    } catch (error) {
      if (error instanceof AppError && error.code === 'kube.already-exists') continue;
      throw error;
    }
  }
}

function problem(attempt: string, error: unknown): AppError {
  const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  return new AppError({ kind: 'invalid', code: 'demo.manifest', message: `${attempt}: ${message}`, cause: error });
}
