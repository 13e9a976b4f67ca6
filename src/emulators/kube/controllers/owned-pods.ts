import type { Pod } from '../../../kube/types.ts';
import { at, type JsonObject, type KubeObject, memberOf, namespaceOf, objectOf, ownersOf } from '../objects.ts';
import { asPod } from '../pod-defaults.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';

const pods = resourceNamed('pods');

/** Pods by the controller that owns them. */
export interface OwnedPods {
  of(uid: string): KubeObject[];
}

/** Keeps an index of the Pods by their controller, and tells whose Pods changed. */
export function indexOwnedPods(plane: ControlPlane, onChange: (ownerUid: string, pod: KubeObject) => void): OwnedPods {
  const byOwner = new Map<string, Map<string, KubeObject>>();
  plane.observe(({ storage, type, object }) => {
    const owner = storage === 'pods' ? controllerOf(object) : undefined;
    if (!owner) return;
    const mine = byOwner.get(owner) ?? new Map<string, KubeObject>();
    byOwner.set(owner, mine);
    if (type === 'DELETED') mine.delete(object.metadata.uid);
    else mine.set(object.metadata.uid, object);
    onChange(owner, object);
  });
  return { of: (uid) => [...(byOwner.get(uid)?.values() ?? [])] };
}

/** The UID of the object that controls another one. */
export function controllerOf(object: KubeObject): string | undefined {
  return ownersOf(object).find((owner) => owner.controller)?.uid;
}

export function controllerReference(owner: KubeObject): JsonObject {
  const { apiVersion, kind, metadata } = owner;
  return { apiVersion, kind, name: metadata.name, uid: metadata.uid, controller: true, blockOwnerDeletion: true };
}

export interface PodExtras {
  /** In place of the owner's name and a dash. */
  generateName?: string;
  finalizers?: string[];
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
  change?(spec: JsonObject): void;
}

/** Creates a Pod from the template of its owner. Errors: those of the registry. */
export function createOwnedPod(plane: ControlPlane, owner: KubeObject, extras: PodExtras = {}): KubeObject {
  const template = structuredClone(objectOf(at(owner, 'spec', 'template')));
  const given = objectOf(template['metadata']);
  const spec = memberOf(template, 'spec');
  extras.change?.(spec);
  const metadata: JsonObject = {
    generateName: extras.generateName ?? `${owner.metadata.name}-`,
    labels: { ...objectOf(given['labels']), ...extras.labels },
    ownerReferences: [controllerReference(owner)],
  };
  const annotations = { ...objectOf(given['annotations']), ...extras.annotations };
  if (Object.keys(annotations).length > 0) metadata['annotations'] = annotations;
  if (extras.finalizers) metadata['finalizers'] = extras.finalizers;
  return plane.create(pods, namespaceOf(owner), { metadata, spec });
}

export function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'True') === true;
}

export function isOver(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Pods that count as replicas: neither ended nor going. */
export function activePods(all: KubeObject[]): KubeObject[] {
  return all.filter((pod) => !isOver(asPod(pod)) && pod.metadata['deletionTimestamp'] === undefined);
}
