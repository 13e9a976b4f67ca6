import type { Volume } from '../kube/types.ts';
import type { TranslateOptions } from './types.ts';

/** Tells whether a volume consists of files that Kubernetes writes. */
export function isFiles(volume: Volume): boolean {
  return Boolean(volume.configMap ?? volume.secret ?? volume.projected ?? volume.downwardAPI);
}

/** Tells whether admission added a volume by itself, to give every Pod a token. */
export function isAdmissionVolume(volume: Volume): boolean {
  return volume.projected !== undefined && /^kube-api-access-[a-z0-9]{5}$/.test(volume.name);
}

/** Tells whether files are brought into capsules by a generated init container. */
export function fillsVolumes(options: Pick<Partial<TranslateOptions>, 'initContainers' | 'filesImage'>): boolean {
  return options.initContainers === true && Boolean(options.filesImage);
}
