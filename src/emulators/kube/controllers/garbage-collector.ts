import { finalizersOf, isDeleting, type KubeObject, namespaceOf, ownersOf } from '../objects.ts';
import { type Resource, resourceOfKind } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';

const foreground = 'foregroundDeletion';
const orphan = 'orphan';

/**
 * Deletes objects whose owners are gone, and carries out the deletion policies Foreground and Orphan.
 * Source: Kubernetes "Garbage Collection".
 */
export function startGarbageCollector(plane: ControlPlane): void {
  const { store } = plane;
  const dependents = new Map<string, Set<string>>();
  const checkOrphan = plane.queue(collect);
  const checkOwner = plane.queue(finishOwner);

  plane.observe(({ type, object }) => {
    const { uid } = object.metadata;
    for (const owner of ownersOf(object)) {
      const known = dependents.get(owner.uid) ?? new Set<string>();
      dependents.set(owner.uid, known);
      if (type === 'DELETED') known.delete(uid);
      else known.add(uid);
      if (known.size === 0) dependents.delete(owner.uid);
      checkOwner(owner.uid);
    }
    if (type === 'ADDED') checkOrphan(uid);
    if (type === 'DELETED') for (const dependent of dependents.get(uid) ?? []) checkOrphan(dependent);
    if (isDeleting(object)) checkOwner(uid);
  });

  /** Deletes an object that has owners when none of them exists. */
  function collect(uid: string): void {
    const found = store.byUid(uid);
    const owners = found ? ownersOf(found.object) : [];
    const resource = found && resourceOf(found.object);
    if (!found || !resource || owners.length === 0 || isDeleting(found.object)) return;
    if (owners.some((owner) => store.byUid(owner.uid))) return;
    plane.remove(found.object, resource, { propagationPolicy: 'Background' });
  }

  /** Lets an owner go that waits for its dependents. */
  function finishOwner(uid: string): void {
    const owner = store.byUid(uid)?.object;
    if (!owner || !isDeleting(owner)) return;
    const finalizers = finalizersOf(owner);
    const mine = [...(dependents.get(uid) ?? [])].flatMap((one) => store.byUid(one)?.object ?? []);
    if (finalizers.includes(foreground)) {
      for (const one of mine) removeDependent(one);
      if (mine.length === 0) dropFinalizer(owner, foreground);
    } else if (finalizers.includes(orphan)) {
      for (const one of mine) disown(one, uid);
      dropFinalizer(owner, orphan);
    }
  }

  function removeDependent(object: KubeObject): void {
    const resource = resourceOf(object);
    if (resource && !isDeleting(object)) plane.remove(object, resource, { propagationPolicy: 'Foreground' });
  }

  function disown(object: KubeObject, uid: string): void {
    const resource = resourceOf(object);
    if (!resource) return;
    plane.change(object, resource, (copy) => {
      const kept = ownersOf(copy).filter((owner) => owner.uid !== uid);
      copy.metadata['ownerReferences'] = kept.map((owner) => ({ ...owner }));
    });
  }

  function dropFinalizer(object: KubeObject, name: string): void {
    const resource = resourceOf(object);
    if (!resource) return;
    plane.change(object, resource, (copy) => {
      copy.metadata['finalizers'] = finalizersOf(copy).filter((one) => one !== name);
    });
  }
}

function resourceOf(object: KubeObject): Resource | undefined {
  return resourceOfKind(object.apiVersion, object.kind);
}

/** Empties namespaces that are being deleted, and lets them go when nothing is left in them. */
export function startNamespaceController(plane: ControlPlane): void {
  const { store } = plane;
  const check = plane.queue(empty);

  plane.observe(({ storage, type, object }) => {
    if (storage === 'namespaces' && isDeleting(object)) check(object.metadata.name);
    else if (type === 'DELETED') {
      const namespace = store.get('namespaces', '', namespaceOf(object));
      if (namespace && isDeleting(namespace)) check(namespace.metadata.name);
    }
  });

  function empty(name: string): void {
    const namespace = store.get('namespaces', '', name);
    if (!namespace || !isDeleting(namespace)) return;
    let left = 0;
    for (const storage of store.storages()) {
      for (const object of [...store.list(storage, name)]) {
        const resource = resourceOf(object);
        if (!resource) continue;
        if (!isDeleting(object)) plane.remove(object, resource, { propagationPolicy: 'Background' });
        if (store.byUid(object.metadata.uid)) left += 1;
      }
    }
    if (left > 0) return;
    const resource = resourceOf(namespace);
    if (!resource) return;
    plane.registry.update({
      resource,
      namespace: '',
      name,
      user: { name: 'system:serviceaccount:kube-system:namespace-controller', groups: [] },
      subresource: 'finalize',
      make: (copy) => ({ ...copy, spec: {} }),
    });
  }
}
