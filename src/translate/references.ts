import type { Container, Pod, Volume } from '../kube/types.ts';
import { annotation, readAnnotation } from './annotations.ts';
import { fitsContainer } from './backend.ts';
import { isWellShaped, withoutNulls } from './shape.ts';
import { defaultExpirationSeconds, tokenKey } from './token-key.ts';
import type { PodReferences, TranslateOptions } from './types.ts';
import { fillsVolumes, isAdmissionVolume } from './volume-kinds.ts';

interface Names {
  configMaps: Set<string>;
  secrets: Set<string>;
}

function addEnvironment(container: Container, names: Names): void {
  for (const { configMapRef, secretRef } of container.envFrom ?? []) {
    if (configMapRef?.name) names.configMaps.add(configMapRef.name);
    if (secretRef?.name) names.secrets.add(secretRef.name);
  }
  for (const { valueFrom } of container.env ?? []) {
    if (valueFrom?.configMapKeyRef?.name) names.configMaps.add(valueFrom.configMapKeyRef.name);
    if (valueFrom?.secretKeyRef?.name) names.secrets.add(valueFrom.secretKeyRef.name);
  }
}

function addVolume(volume: Volume, names: Names): void {
  if (volume.configMap?.name) names.configMaps.add(volume.configMap.name);
  if (volume.secret?.secretName) names.secrets.add(volume.secret.secretName);
  for (const { configMap, secret } of volume.projected?.sources ?? []) {
    if (configMap?.name) names.configMaps.add(configMap.name);
    if (secret?.name) names.secrets.add(secret.name);
  }
}

function tokensOf(volumes: readonly Volume[], serviceAccount: string): PodReferences['tokens'] {
  const sources = volumes.flatMap(({ projected }) => projected?.sources ?? []);
  const tokens = sources.flatMap(({ serviceAccountToken: token }) => {
    if (!token) return [];
    const { audience = '', expirationSeconds = defaultExpirationSeconds } = token;
    return [{ key: tokenKey(audience, expirationSeconds), serviceAccount, audience, expirationSeconds }];
  });
  return [...new Map(tokens.map((token) => [token.key, token])).values()];
}

/** The options that decide what a Pod's backend can use. */
type BackendOptions = Pick<TranslateOptions, 'backend'> &
  Partial<Pick<TranslateOptions, 'initContainers' | 'filesImage'>>;

/** Tells whether a Pod can end up as a standalone container. Says yes where it is not known. */
function mayBeContainer(pod: Pod, options: BackendOptions | undefined): boolean {
  if (!fitsContainer(pod)) return false;
  const annotated = readAnnotation(pod, annotation.backend);
  if (annotated !== undefined) return annotated !== 'capsule';
  return Boolean(pod.spec.runtimeClassName) || options?.backend !== 'capsule';
}

/** The volumes whose files can be brought to the Pod; a capsule never gets the token that admission adds. */
function fileVolumes(volumes: Volume[], takesAll: boolean, options: BackendOptions | undefined): Volume[] {
  if (takesAll) return volumes;
  return options && fillsVolumes(options) ? volumes.filter((volume) => !isAdmissionVolume(volume)) : [];
}

const none: PodReferences = {
  configMaps: [],
  secrets: [],
  imagePullSecrets: [],
  persistentVolumeClaims: [],
  tokens: [],
  serviceLinks: false,
};

/**
 * Names the objects that a Pod refers to, each once, so that they can be fetched before it is translated. Only mounted
 * volumes count. With `options`, what only files need is left out for Pods that become capsules.
 */
export function podReferences(pod: Pod, options?: BackendOptions): PodReferences {
  const clean = withoutNulls(pod);
  if (!isWellShaped(clean)) return none;
  const { spec } = clean;
  const names: Names = { configMaps: new Set(), secrets: new Set() };
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  for (const container of containers) addEnvironment(container, names);
  const mounted = new Set(containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)));
  const volumes = (spec.volumes ?? []).filter(({ name }) => mounted.has(name));
  const isContainer = mayBeContainer(clean, options);
  const files = fileVolumes(volumes, isContainer, options);
  for (const volume of files) addVolume(volume, names);
  const claims = volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
  const pullSecrets = (spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  return {
    configMaps: [...names.configMaps],
    secrets: [...names.secrets],
    imagePullSecrets: isContainer ? [...new Set(pullSecrets)] : [],
    persistentVolumeClaims: [...new Set(claims)],
    tokens: tokensOf(files, spec.serviceAccountName ?? spec.serviceAccount ?? 'default'),
    serviceLinks: spec.enableServiceLinks !== false,
    ...(spec.runtimeClassName ? { runtimeClassName: spec.runtimeClassName } : {}),
  };
}
