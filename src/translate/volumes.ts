import { parseQuantity, storageGiB } from '../base/quantity.ts';
import type { Pod, Volume } from '../kube/types.ts';
import { claimedVolume, isVolumeId } from './claims.ts';
import type { Target } from './fields.ts';
import { type PodFile, volumeFiles } from './files.ts';
import type { Findings } from './findings.ts';
import { podReason } from './reasons.ts';
import { own } from './records.ts';
import { isWellShaped, withoutNulls } from './shape.ts';
import type { PodInputs, TranslateOptions } from './types.ts';
import { fillsVolumes, isAdmissionVolume, isFiles } from './volume-kinds.ts';

/** What a volume of a Pod becomes. */
export type PodVolume =
  | { kind: 'cinder'; id: string }
  | { kind: 'new'; sizeGiB: number }
  | { kind: 'files'; files: PodFile[] }
  /** A new disk of a capsule that a generated init container writes these files into. */
  | { kind: 'filled'; files: PodFile[] }
  /** Left out on purpose; its mounts go with it. */
  | { kind: 'left-out' }
  /** A problem says why. */
  | { kind: 'unusable' };

/** All that the translation of a volume may read. */
export interface VolumeContext {
  pod: Pod;
  inputs: PodInputs;
  options: TranslateOptions;
  target: Target;
  findings: Findings;
}

const unusable: PodVolume = { kind: 'unusable' };

function checkName(name: string, path: string, context: VolumeContext): void {
  if (/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return;
  context.findings.problem({
    path,
    code: 'volume.name',
    message: 'the name of a volume must be a DNS label',
    heals: false,
    reason: podReason.unsupported,
  });
}

function sized(written: unknown, path: string, context: VolumeContext): PodVolume {
  const size = parseQuantity(written);
  if (size === undefined || size < 0n) {
    context.findings.problem({
      path,
      code: 'volume.size',
      message: `${String(written)} is not a size`,
      heals: false,
      reason: podReason.unsupported,
    });
    return unusable;
  }
  return { kind: 'new', sizeGiB: Math.max(1, storageGiB(size)) };
}

function emptyDir(source: NonNullable<Volume['emptyDir']>, path: string, context: VolumeContext): PodVolume {
  return sized(source.sizeLimit ?? '1Gi', `${path}.sizeLimit`, context);
}

function ephemeral(source: NonNullable<Volume['ephemeral']>, path: string, context: VolumeContext): PodVolume {
  const requests = source.volumeClaimTemplate?.spec?.resources?.requests;
  return sized(requests?.['storage'] ?? '1Gi', `${path}.volumeClaimTemplate.spec.resources.requests.storage`, context);
}

/**
 * Zun waits 60 s for a volume and then fails the whole capsule; a Pod whose volume is elsewhere waits here instead.
 * Source: zun/volume/driver.py (is_volume_available).
 */
function checkDisk(id: string, path: string, context: VolumeContext): void {
  const disk = own(context.inputs.cinderVolumes ?? {}, id);
  if (disk === undefined || disk?.status === 'available' || (disk?.status === 'in-use' && disk.multiattach)) return;
  const state = disk ? `is ${disk.status}` : 'does not exist, or belongs to another project';
  const advice = disk?.status === 'in-use' ? ' and cannot be attached twice; something else has it' : '';
  context.findings.problem({
    path,
    code: disk ? 'volume.busy' : 'volume.missing',
    message: `Cinder volume ${id} ${state}${advice}`,
    heals: true,
    reason: podReason.attach,
  });
}

/** Names the Cinder volumes that a Pod's mounted volumes stand for, each once. */
export function cinderVolumeIds(pod: Pod, inputs: PodInputs): string[] {
  const clean = withoutNulls(pod);
  if (!isWellShaped(clean)) return [];
  const mounted = mountedNames(clean);
  const ids = (clean.spec.volumes ?? []).flatMap(({ name, cinder: disk, persistentVolumeClaim }) => {
    if (!mounted.has(name)) return [];
    if (disk) return isVolumeId(disk.volumeID) ? [disk.volumeID.toLowerCase()] : [];
    const found = persistentVolumeClaim && claimedVolume(persistentVolumeClaim.claimName, inputs);
    return found?.kind === 'cinder' ? [found.id] : [];
  });
  return [...new Set(ids)];
}

function mountedNames({ spec }: Pod): Set<string> {
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  return new Set(containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)));
}

function claim(source: NonNullable<Volume['persistentVolumeClaim']>, path: string, context: VolumeContext): PodVolume {
  const found = claimedVolume(source.claimName, context.inputs);
  const at = `${path}.claimName`;
  if (found.kind === 'cinder') {
    if (found.shared) {
      context.findings.note({
        path: at,
        code: 'volume.shared',
        message:
          'the claim is ReadWriteMany: the Cinder volume must be of a multi-attach type, with a file system made for it',
        level: 'warned',
      });
    }
    checkDisk(found.id, at, context);
    return { kind: 'cinder', id: found.id };
  }
  if (found.kind === 'wait') {
    const { message } = found;
    context.findings.problem({ path: at, code: 'volume.claim', message, heals: true, reason: podReason.attach });
  } else {
    context.findings.refuse({ path: at, code: 'volume.claim', message: found.message, concern: 'impossible' });
  }
  return unusable;
}

function cinder(source: NonNullable<Volume['cinder']>, path: string, context: VolumeContext): PodVolume {
  if (isVolumeId(source.volumeID)) {
    const id = source.volumeID.toLowerCase();
    checkDisk(id, `${path}.volumeID`, context);
    return { kind: 'cinder', id };
  }
  context.findings.refuse({
    path: `${path}.volumeID`,
    code: 'volume.id',
    message: 'is not the id of a Cinder volume (36 characters with dashes)',
    concern: 'impossible',
  });
  return unusable;
}

function leaveTokenOut(path: string, context: VolumeContext): PodVolume {
  context.findings.cover({
    path,
    code: 'volume.service-account-token',
    message:
      'the service account token is left out, since a file cannot be put into a capsule; use the container backend if the program talks to the API server, or `automountServiceAccountToken: false` if not',
    level: 'warned',
  });
  return { kind: 'left-out' };
}

function files(volume: Volume, path: string, context: VolumeContext): PodVolume {
  if (context.target !== 'container') {
    if (isAdmissionVolume(volume)) return leaveTokenOut(path, context);
    // The table has refused it.
    if (!fillsVolumes(context.options)) return unusable;
  }
  const made = volumeFiles(volume, path, context);
  if (!made) return unusable;
  return { kind: context.target === 'container' ? 'files' : 'filled', files: made };
}

function readVolume(volume: Volume, path: string, context: VolumeContext): PodVolume {
  if (volume.cinder) return cinder(volume.cinder, `${path}.cinder`, context);
  if (volume.persistentVolumeClaim)
    return claim(volume.persistentVolumeClaim, `${path}.persistentVolumeClaim`, context);
  if (volume.emptyDir) return emptyDir(volume.emptyDir, `${path}.emptyDir`, context);
  if (volume.ephemeral) return ephemeral(volume.ephemeral, `${path}.ephemeral`, context);
  if (isFiles(volume)) return files(volume, path, context);
  // The table has refused every source that is present; without one Kubernetes means an emptyDir.
  const isBare = Object.keys(volume).length === 1;
  return isBare && context.options.emptyDir === 'volume' ? emptyDir({}, path, context) : unusable;
}

/** Finds what each mounted volume of a Pod becomes, by name. Volumes that nothing mounts are left out, as zun refuses them. */
export function readVolumes(context: VolumeContext): Map<string, PodVolume> {
  const { pod } = context;
  const mounted = mountedNames(pod);
  const volumes = new Map<string, PodVolume>();
  (pod.spec.volumes ?? []).forEach((volume, index) => {
    if (!mounted.has(volume.name)) return;
    const path = `spec.volumes[${index}]`;
    checkName(volume.name, `${path}.name`, context);
    volumes.set(volume.name, readVolume(volume, path, context));
  });
  return volumes;
}
