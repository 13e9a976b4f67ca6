import type { PersistentVolume, PersistentVolumeClaim } from '../kube/types.ts';
import { isRecord, own } from './records.ts';
import type { PodInputs } from './types.ts';

/** What stands behind a claim: a Cinder volume, or why it cannot be used yet, or ever. */
export type ClaimedVolume =
  | { kind: 'cinder'; id: string; shared: boolean }
  | { kind: 'wait'; message: string }
  | { kind: 'refuse'; message: string };

const cinderDriver = 'cinder.csi.openstack.org';

/** Tells whether a text has the form of a Cinder volume's id, which is all that zun takes. */
export function isVolumeId(id: unknown): id is string {
  return typeof id === 'string' && /^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/.test(id);
}

interface Backing {
  id: unknown;
  fsType: unknown;
  readOnly: unknown;
}

function backingOf(volume: PersistentVolume): Backing | undefined {
  const spec: unknown = volume.spec;
  if (!isRecord(spec)) return undefined;
  const { csi, cinder } = spec;
  if (isRecord(csi) && csi['driver'] === cinderDriver) {
    return { id: csi['volumeHandle'], fsType: csi['fsType'], readOnly: csi['readOnly'] };
  }
  if (isRecord(cinder)) return { id: cinder['volumeID'], fsType: cinder['fsType'], readOnly: cinder['readOnly'] };
  return undefined;
}

function modesOf(object: PersistentVolumeClaim | PersistentVolume): string[] {
  const modes: unknown = object.spec?.accessModes;
  return Array.isArray(modes) ? modes.filter((mode) => typeof mode === 'string') : [];
}

function fromVolume(volume: PersistentVolume, claim: PersistentVolumeClaim, name: string): ClaimedVolume {
  const backing = backingOf(volume);
  const refuse = (message: string): ClaimedVolume => ({ kind: 'refuse', message });
  if (!backing) return refuse(`persistentvolume "${name}" is no Cinder volume; use a class of ${cinderDriver}`);
  if (!isVolumeId(backing.id)) return refuse(`persistentvolume "${name}" does not name a Cinder volume by its id`);
  if (backing.readOnly === true)
    return refuse(`persistentvolume "${name}" is read-only; zun mounts volumes for writing`);
  if (backing.fsType !== undefined && backing.fsType !== '' && backing.fsType !== 'ext4') {
    return refuse(
      `persistentvolume "${name}" holds ${String(backing.fsType)}; zun formats with ext4 what it cannot mount`,
    );
  }
  if (claim.spec?.volumeMode === 'Block' || volume.spec?.volumeMode === 'Block') {
    return refuse('the claim is a block device; zun gives file systems only');
  }
  const phase: unknown = volume.status?.phase;
  if (phase === 'Failed' || phase === 'Released') {
    return { kind: 'wait', message: `persistentvolume "${name}" is ${String(phase)}` };
  }
  const modes = modesOf(claim);
  if (modes.length > 0 && modes.every((mode) => mode === 'ReadOnlyMany')) {
    return refuse('the claim is ReadOnlyMany; zun mounts volumes for writing');
  }
  return { kind: 'cinder', id: backing.id.toLowerCase(), shared: modes.includes('ReadWriteMany') };
}

/** Finds the Cinder volume behind a claim: `cinder.csi.openstack.org` by its handle, or the old in-tree source. */
export function claimedVolume(claimName: string, inputs: PodInputs): ClaimedVolume {
  const claim = own(inputs.persistentVolumeClaims, claimName);
  if (!claim) return { kind: 'wait', message: `persistentvolumeclaim "${claimName}" not found` };
  if (claim.metadata?.deletionTimestamp !== undefined) {
    return { kind: 'wait', message: `persistentvolumeclaim "${claimName}" is being deleted` };
  }
  const volumeName: unknown = claim.spec?.volumeName;
  if (claim.status?.phase !== 'Bound' || typeof volumeName !== 'string' || volumeName === '') {
    return { kind: 'wait', message: `persistentvolumeclaim "${claimName}" is not bound to a volume yet` };
  }
  const volume = own(inputs.persistentVolumes, volumeName);
  if (!volume) return { kind: 'wait', message: `persistentvolume "${volumeName}" not found` };
  return fromVolume(volume, claim, volumeName);
}
