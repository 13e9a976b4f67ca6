import { conflict, notFound } from './failures.ts';
import { finalizersOf, isDeleting, isSame, type JsonObject, type KubeObject, numberOf, timestamp } from './objects.ts';
import type { ObjectCall, RegistryParts } from './registry.ts';
import type { Resource } from './resources.ts';
import { strategyOf } from './strategies.ts';

/** What a DELETE may carry. */
export interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
}

/** How a deletion went: the object's last or marked state, and whether it has left the store. */
export interface Removed {
  object: KubeObject;
  isGone: boolean;
}

export interface Deletion {
  remove(call: ObjectCall, options: DeleteOptions): Removed;
  /** Tells whether an object that was changed while it is being deleted has nothing left to wait for. */
  isFinished(object: KubeObject): boolean;
}

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * Makes the deletion rules: grace periods that may only shrink, preconditions, finalizers, propagation.
 * Source: k8s.io/apiserver/pkg/registry/rest/delete.go (what it does, not how).
 */
export function createDeletion(parts: Pick<RegistryParts, 'store' | 'now'>): Deletion {
  const { store } = parts;

  function remove(call: ObjectCall, options: DeleteOptions): Removed {
    const { resource } = call;
    const current = store.get(resource.storage, call.namespace, call.name);
    if (!current) throw notFound(resource, call.name);
    checkPreconditions(call, current, options);
    const finalizers = wantedFinalizers(resource, current, options);
    const grace = graceOf(resource, current, options);
    const marked = isDeleting(current) ? shortened(current, grace) : begun(resource, current, grace);
    const object = withFinalizers(marked, finalizers);
    const isFinal = finalizers.length === 0 && grace === 0 && !hasSpecFinalizers(object);
    if (call.dryRun) return { object, isGone: isFinal };
    // Only a Pod shows its deletion before it goes at once: a watch sees MODIFIED with grace 0 and then DELETED.
    if (isFinal && !strategyOf(resource).gracePeriod) return { object: store.remove(resource, current), isGone: true };
    const stored = isSame(object, current) ? current : store.put(resource, object);
    return { object: isFinal ? store.remove(resource, stored) : stored, isGone: isFinal };
  }

  function begun(resource: Resource, current: KubeObject, grace: number): KubeObject {
    const metadata: KubeObject['metadata'] = {
      ...current.metadata,
      deletionTimestamp: timestamp(parts.now() + grace * 1000),
      deletionGracePeriodSeconds: grace,
    };
    const generation = numberOf(current.metadata['generation']);
    if (generation > 0) metadata['generation'] = generation + 1;
    const marked = { ...current, metadata };
    return strategyOf(resource).markDeleting?.(marked) ?? marked;
  }

  return { remove, isFinished };
}

function isFinished(object: KubeObject): boolean {
  if (!isDeleting(object) || finalizersOf(object).length > 0 || hasSpecFinalizers(object)) return false;
  return numberOf(object.metadata['deletionGracePeriodSeconds']) === 0;
}

/** Only namespaces have finalizers in their specification. */
function hasSpecFinalizers(object: KubeObject): boolean {
  const { spec } = object;
  if (object.kind !== 'Namespace' || typeof spec !== 'object' || spec === null || Array.isArray(spec)) return false;
  return Array.isArray(spec['finalizers']) && spec['finalizers'].length > 0;
}

function checkPreconditions(call: ObjectCall, current: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {};
  // This one failure names the kind in the place of the resource.
  const subject = { ...call.resource, plural: call.resource.kind };
  if (uid !== undefined && uid !== current.metadata.uid) {
    const why = `the UID in the precondition (${uid}) does not match the UID in record (${current.metadata.uid}). The object might have been deleted and then recreated`;
    throw conflict(subject, call.name, why);
  }
  const version = current.metadata.resourceVersion;
  if (resourceVersion !== undefined && resourceVersion !== version) {
    const why = `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${version}). The object might have been modified`;
    throw conflict(subject, call.name, why);
  }
}

/** How long the object stays, in seconds: for one that is going already never longer than it was told before. */
function graceOf(resource: Resource, current: KubeObject, options: DeleteOptions): number {
  const strategy = strategyOf(resource);
  if (!strategy.gracePeriod) return 0;
  const asked = options.gracePeriodSeconds;
  if (!isDeleting(current)) return strategy.gracePeriod(current, asked);
  const before = numberOf(current.metadata['deletionGracePeriodSeconds']);
  if (before === 0) return 0;
  return asked === undefined ? before : Math.min(before, strategy.gracePeriod(current, asked));
}

function shortened(current: KubeObject, grace: number): KubeObject {
  const before = numberOf(current.metadata['deletionGracePeriodSeconds']);
  if (grace >= before) return current;
  const end = Date.parse(String(current.metadata['deletionTimestamp'])) - (before - grace) * 1000;
  return {
    ...current,
    metadata: { ...current.metadata, deletionTimestamp: timestamp(end), deletionGracePeriodSeconds: grace },
  };
}

function wantedFinalizers(resource: Resource, current: KubeObject, options: DeleteOptions): string[] {
  const others = finalizersOf(current).filter((name) => name !== foreground && name !== orphan);
  const policy = options.propagationPolicy ?? (strategyOf(resource).orphansByDefault ? 'Orphan' : undefined);
  if (policy === 'Foreground') return [...others, foreground];
  if (policy === 'Orphan') return [...others, orphan];
  return policy === 'Background' ? others : finalizersOf(current);
}

function withFinalizers(object: KubeObject, finalizers: string[]): KubeObject {
  if (isSame(finalizersOf(object), finalizers)) return object;
  const metadata: JsonObject = { ...object.metadata, finalizers };
  if (finalizers.length === 0) delete metadata['finalizers'];
  // Only the finalizers differ from the metadata that was there.
  return { ...object, metadata: metadata as KubeObject['metadata'] };
}
