import { compareQuantities, parseQuantity } from '../../../base/quantity.ts';
import { at, isDeleting, type KubeObject, listOf, memberOf, namespaceOf, objectOf, textOf } from '../objects.ts';
import { resourceNamed } from '../resources.ts';
import type { ControlPlane } from './control-plane.ts';

const claims = resourceNamed('persistentvolumeclaims');
const volumes = resourceNamed('persistentvolumes');

/** Binds claims to volumes that fit by name, class, mode of access and size. It provisions nothing. */
export function startVolumeBinder(plane: ControlPlane): void {
  const { store } = plane;
  const mark = plane.queue(bindAll);
  plane.observe(({ storage, type }) => {
    if (type !== 'DELETED' && (storage === claims.storage || storage === volumes.storage)) mark('all');
  });

  function bindAll(): void {
    for (const claim of store.list(claims.storage)) {
      if (at(claim, 'status', 'phase') === 'Bound' || isDeleting(claim)) continue;
      const volume = store.list(volumes.storage).find((one) => isFitting(one, claim));
      if (volume) bind(claim, volume);
    }
  }

  function bind(claim: KubeObject, volume: KubeObject): void {
    const { name, uid, resourceVersion } = claim.metadata;
    const capacity = objectOf(at(volume, 'spec', 'capacity'));
    plane.change(volume, volumes, (copy) => {
      memberOf(copy, 'spec')['claimRef'] = {
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        namespace: namespaceOf(claim),
        name,
        uid,
        resourceVersion,
      };
    });
    setStatus(volume, 'volume', { phase: 'Bound' });
    plane.change(claim, claims, (copy) => {
      memberOf(copy, 'spec')['volumeName'] = volume.metadata.name;
      memberOf(copy.metadata, 'annotations')['pv.kubernetes.io/bind-completed'] = 'yes';
    });
    setStatus(claim, 'claim', { phase: 'Bound', capacity, accessModes: listOf(at(volume, 'spec', 'accessModes')) });
  }

  function setStatus(object: KubeObject, what: 'claim' | 'volume', status: KubeObject['metadata'] | object): void {
    plane.change(
      object,
      what === 'claim' ? claims : volumes,
      (copy) => {
        Object.assign(memberOf(copy, 'status'), status);
      },
      'status',
    );
  }
}

function isFitting(volume: KubeObject, claim: KubeObject): boolean {
  const reference = objectOf(at(volume, 'spec', 'claimRef'));
  const isReserved = Object.keys(reference).length > 0;
  if (isReserved && (reference['name'] !== claim.metadata.name || reference['namespace'] !== namespaceOf(claim)))
    return false;
  const wantedName = textOf(at(claim, 'spec', 'volumeName'));
  if (wantedName !== '') return wantedName === volume.metadata.name;
  if (textOf(at(claim, 'spec', 'storageClassName')) !== textOf(at(volume, 'spec', 'storageClassName'))) return false;
  const modes = listOf(at(volume, 'spec', 'accessModes'));
  if (!listOf(at(claim, 'spec', 'accessModes')).every((mode) => modes.includes(mode))) return false;
  const has = parseQuantity(at(volume, 'spec', 'capacity', 'storage')) ?? 0n;
  return compareQuantities(has, parseQuantity(at(claim, 'spec', 'resources', 'requests', 'storage')) ?? 0n) >= 0;
}
