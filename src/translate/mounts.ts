import { encodeBase64 } from '../base/base64.ts';
import type { VolumeMount } from '../kube/types.ts';
import type { ContainerMount, TemplateContainer } from '../openstack/types.ts';
import type { ContainerContext } from './env.ts';
import { expand } from './expansion.ts';
import type { Target } from './fields.ts';
import type { PodFile } from './files.ts';
import { checkText } from './limits.ts';
import { podReason } from './reasons.ts';
import { own } from './records.ts';
import type { PodVolume } from './volumes.ts';

/** A mount whose volume is there. */
interface Found {
  mount: VolumeMount;
  volume: PodVolume;
  path: string;
  /** Absolute. */
  mountPath: string;
}

/** A file and where it goes in the container. */
export interface PlacedFile extends PodFile {
  destination: string;
}

function absolute(path: string): string {
  return path.startsWith('/') ? path : `/${path}`;
}

/** The name of a volume in a capsule template: zun wants two characters at least. */
export function templateVolumeName(name: string): string {
  return `v-${name}`;
}

/** Runtimes write a mount as source and destination with a colon between. */
function checkPath({ mountPath }: VolumeMount, path: string, context: ContainerContext): void {
  checkText(mountPath, `${path}.mountPath`, context);
  if (!mountPath.includes(':')) return;
  context.findings.problem({
    path: `${path}.mountPath`,
    code: 'mount.path',
    message: 'must not contain a colon',
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
}

function findMounts(volumes: ReadonlyMap<string, PodVolume>, context: ContainerContext): Found[] {
  return (context.container.volumeMounts ?? []).flatMap((mount, index) => {
    const path = `${context.path}.volumeMounts[${index}]`;
    const volume = volumes.get(mount.name);
    checkPath(mount, path, context);
    if (volume) return [{ mount, volume, path, mountPath: absolute(mount.mountPath) }];
    context.findings.problem({
      path: `${path}.name`,
      code: 'mount.no-volume',
      message: `there is no volume ${mount.name}`,
      heals: false,
      reason: podReason.unsupported,
      container: context.container.name,
    });
    return [];
  });
}

function isDiskKind({ kind }: PodVolume): boolean {
  return kind === 'cinder' || kind === 'new' || kind === 'filled';
}

function checkTwice(found: Found[], target: Target, context: ContainerContext): void {
  const seen = new Set<string>();
  for (const { mount, volume, path } of found) {
    const isDisk = isDiskKind(volume);
    if (isDisk && seen.has(mount.name) && target !== 'cri') {
      context.findings.refuse({
        path,
        code: 'mount.twice',
        message: `volume ${mount.name} is mounted twice; zun mounts a volume once in a container`,
        concern: 'correctness',
        container: context.container.name,
      });
    }
    seen.add(mount.name);
  }
}

/** Makes the mounts of a container in a capsule. */
export function capsuleMounts(
  volumes: ReadonlyMap<string, PodVolume>,
  target: Target,
  context: ContainerContext,
): NonNullable<TemplateContainer['volumeMounts']> {
  const found = findMounts(volumes, context);
  checkTwice(found, target, context);
  return found.flatMap((one) => {
    if (one.volume.kind === 'left-out') {
      const message = 'left out with its volume';
      context.findings.cover({ path: one.path, code: 'mount.left-out', message, level: 'ignored' });
    }
    if (!isDiskKind(one.volume)) return [];
    return [{ name: templateVolumeName(one.mount.name), mountPath: one.mountPath }];
  });
}

function join(folder: string, path: string): string {
  return folder.endsWith('/') ? `${folder}${path}` : `${folder}/${path}`;
}

function place(files: readonly PodFile[], subPath: string, mountPath: string): PlacedFile[] {
  if (subPath === '') return files.map((file) => ({ ...file, destination: join(mountPath, file.path) }));
  const wanted = subPath.replace(/\/+$/, '');
  return files.flatMap((file) => {
    if (file.path === wanted) return [{ ...file, destination: mountPath }];
    const isInside = file.path.startsWith(`${wanted}/`);
    return isInside ? [{ ...file, destination: join(mountPath, file.path.slice(wanted.length + 1)) }] : [];
  });
}

function subPathOf(mount: VolumeMount, environment: Readonly<Record<string, string>>): string {
  if (mount.subPathExpr) return expand(mount.subPathExpr, (name) => own(environment, name));
  return mount.subPath ?? '';
}

function checkPlaced(placed: PlacedFile[], subPath: string, one: Found, context: ContainerContext): void {
  if (placed.length > 0 || subPath === '') return;
  context.findings.problem({
    path: `${one.path}.${one.mount.subPathExpr ? 'subPathExpr' : 'subPath'}`,
    code: 'mount.sub-path',
    message: `volume ${one.mount.name} holds no file ${subPath}`,
    heals: true,
    reason: podReason.config,
    container: context.container.name,
  });
}

/** Finds the files that a container's mounts put into it, each with its place. */
export function placedFiles(
  volumes: ReadonlyMap<string, PodVolume>,
  environment: Readonly<Record<string, string>>,
  context: ContainerContext,
): PlacedFile[] {
  return findMounts(volumes, context).flatMap((one) => {
    if (one.volume.kind !== 'files') return [];
    const subPath = subPathOf(one.mount, environment);
    const placed = place(one.volume.files, subPath, one.mountPath);
    checkPlaced(placed, subPath, one, context);
    return placed;
  });
}

/** Makes the mounts of a standalone container: disks, then one bind mount for each file. */
export function containerMounts(
  volumes: ReadonlyMap<string, PodVolume>,
  files: readonly PlacedFile[],
  context: ContainerContext,
): ContainerMount[] {
  const found = findMounts(volumes, context);
  checkTwice(found, 'container', context);
  const disks = found.flatMap((one): ContainerMount[] => {
    const { volume, mountPath: destination } = one;
    if (volume.kind !== 'cinder' && volume.kind !== 'new') return [];
    return volume.kind === 'cinder'
      ? [{ type: 'volume', source: volume.id, destination }]
      : [{ type: 'volume', size: volume.sizeGiB, destination }];
  });
  const binds = files.map(({ content, destination }): ContainerMount => {
    return { type: 'bind', source: encodeBase64(content), destination };
  });
  return [...disks, ...binds];
}
