import type { Container, Pod, Volume } from '../kube/types.ts';
import { annotation, readAnnotation } from './annotations.ts';
import { fitsContainer } from './backend.ts';
import { isWellShaped, withoutNulls } from './shape.ts';
import { defaultExpirationSeconds, tokenKey } from './token-key.ts';
import type { PodReferences, TranslateOptions } from './types.ts';

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

/** Tells whether a Pod can end up as a standalone container, which alone takes files. Says yes where it is not known. */
function mayTakeFiles(pod: Pod, option: TranslateOptions['backend'] | undefined): boolean {
  if (!fitsContainer(pod)) return false;
  const annotated = readAnnotation(pod, annotation.backend);
  if (annotated !== undefined) return annotated !== 'capsule';
  return Boolean(pod.spec.runtimeClassName) || option !== 'capsule';
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
export function podReferences(pod: Pod, options?: Pick<TranslateOptions, 'backend'>): PodReferences {
  const clean = withoutNulls(pod);
  if (!isWellShaped(clean)) return none;
  const { spec } = clean;
  const names: Names = { configMaps: new Set(), secrets: new Set() };
  const containers = [...(spec.initContainers ?? []), ...spec.containers];
  for (const container of containers) addEnvironment(container, names);
  const mounted = new Set(containers.flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)));
  const volumes = (spec.volumes ?? []).filter(({ name }) => mounted.has(name));
  const takesFiles = mayTakeFiles(clean, options?.backend);
  if (takesFiles) for (const volume of volumes) addVolume(volume, names);
  const claims = volumes.flatMap(({ persistentVolumeClaim }) => persistentVolumeClaim?.claimName ?? []);
  const pullSecrets = (spec.imagePullSecrets ?? []).flatMap(({ name }) => name ?? []);
  return {
    configMaps: [...names.configMaps],
    secrets: [...names.secrets],
    imagePullSecrets: takesFiles ? [...new Set(pullSecrets)] : [],
    persistentVolumeClaims: [...new Set(claims)],
    tokens: takesFiles ? tokensOf(volumes, spec.serviceAccountName ?? spec.serviceAccount ?? 'default') : [],
    serviceLinks: spec.enableServiceLinks !== false,
    ...(spec.runtimeClassName ? { runtimeClassName: spec.runtimeClassName } : {}),
  };
}
