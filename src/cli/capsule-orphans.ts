import { type Owner, readOwner } from '../base/identity.ts';
import type { Volume } from '../openstack/cinder.ts';
import type { Port } from '../openstack/neutron.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';
import { isUuid } from '../openstack/wire.ts';
import { zunTimeMs } from '../status/time.ts';

/** Something that nobody owns any more. */
export type Orphan =
  /** Its labels name a Pod of this cluster that is gone. */
  | { kind: 'capsule'; capsule: Capsule; owner: Owner }
  /** What a failed create left: no name, no labels, no containers. */
  | { kind: 'litter'; capsule: Capsule }
  /** Made by Zun for a capsule or container that is gone. */
  | { kind: 'port'; port: Port }
  /** Looks like one that Zun made for a capsule; Zun marks them in no way. */
  | { kind: 'volume'; volume: Volume };

/** What was seen, in this order: ports and volumes first, Pods last, so that nothing made meanwhile looks forgotten. */
export interface OrphanView {
  ports: Port[];
  volumes: Volume[];
  capsules: Capsule[];
  /** All standalone containers of the project, ours or not. */
  containers: ZunContainer[];
  /** Undefined when Kubernetes was not asked. */
  pods: { cluster: string; uids: ReadonlySet<string> } | undefined;
  nowMs: number;
  /** Younger things are left alone. */
  minAgeMs: number;
}

/** Device owners of the ports that Zun's Docker and CRI drivers make. Source: zun/network/neutron.py, kuryr. */
const portOwners = new Set(['compute:kuryr', 'compute:zun']);

/** Finds the orphans. Capsules of other clusters are never among them. */
export function findOrphans(view: OrphanView): Orphan[] {
  const isOld = (createdAt: string | null) => {
    const created = zunTimeMs(createdAt);
    return created !== undefined && view.nowMs - created >= view.minAgeMs;
  };
  const orphans: Orphan[] = [];
  for (const capsule of view.capsules) {
    const owner = readOwner(capsule.labels);
    if (owner) {
      const isGone = view.pods?.cluster === owner.cluster && !view.pods.uids.has(owner.uid);
      if (isGone && isOld(capsule.created_at)) orphans.push({ kind: 'capsule', capsule, owner });
    } else if (isLitter(capsule) && isOld(capsule.created_at)) {
      orphans.push({ kind: 'litter', capsule });
    }
  }
  const devices = new Set([...view.capsules, ...view.containers].map((each) => each.uuid));
  for (const port of view.ports) {
    const isZuns = portOwners.has(port.deviceOwner) && isUuid(port.deviceId);
    if (isZuns && !devices.has(port.deviceId) && isOld(port.createdAt)) orphans.push({ kind: 'port', port });
  }
  for (const volume of view.volumes) {
    if (looksForgotten(volume) && isOld(volume.createdAt)) orphans.push({ kind: 'volume', volume });
  }
  return orphans;
}

function isLitter(capsule: Capsule): boolean {
  return (
    capsule.backend === 'capsule' &&
    capsule.status === 'Creating' &&
    capsule.name === null &&
    Object.keys(capsule.labels).length === 0 &&
    capsule.containers.length === 0 &&
    capsule.init_containers.length === 0
  );
}

/** Zun gives its volumes neither name nor description nor metadata. Source: zun/volume/cinder_api.py. */
function looksForgotten(volume: Volume): boolean {
  const isBare = volume.name === '' && volume.description === '' && Object.keys(volume.metadata).length === 0;
  return isBare && !volume.attached && (volume.status === 'available' || volume.status === 'error');
}
