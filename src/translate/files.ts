import { decodeBase64, encodeUtf8 } from '../base/base64.ts';
import type { ConfigMap, Pod, Secret, Volume } from '../kube/types.ts';
import { type Downward, fileField, resourceField } from './downward.ts';
import { podReason } from './reasons.ts';
import { isRecord, own } from './records.ts';
import { tokenKey } from './token-key.ts';
import type { VolumeContext } from './volumes.ts';

/** One file of a volume. */
export interface PodFile {
  /** Relative to the volume's root. */
  path: string;
  content: Uint8Array;
  mode: number;
}

interface Keys {
  name?: string;
  optional?: boolean;
  items?: { key: string; path: string; mode?: number }[];
}

interface Source {
  volume: string;
  path: string;
  defaultMode: number;
  context: VolumeContext;
}

const plainMode = 0o644;

function fail({ volume, path, context }: Source, cause: string, heals: boolean): undefined {
  context.findings.problem({
    path,
    code: heals ? 'volume.missing-source' : 'volume.files',
    message: heals ? `MountVolume.SetUp failed for volume "${volume}" : ${cause}` : cause,
    heals,
    reason: heals ? podReason.mount : podReason.unsupported,
  });
  return undefined;
}

/** The content of a ConfigMap, text and binary. */
function configMapContent(configMap: ConfigMap): Record<string, Uint8Array> {
  const { data, binaryData } = configMap as { data?: unknown; binaryData?: unknown };
  return { ...decodeAll(binaryData), ...encodeAll(data) };
}

/** The content of a Secret. */
function secretContent(secret: Secret): Record<string, Uint8Array> {
  const { data, stringData } = secret as { data?: unknown; stringData?: unknown };
  return { ...decodeAll(data), ...encodeAll(stringData) };
}

function decodeAll(data: unknown): Record<string, Uint8Array> {
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => {
      const bytes = typeof value === 'string' ? decodeBase64(value) : undefined;
      return bytes ? [[key, bytes]] : [];
    }),
  );
}

function encodeAll(data: unknown): Record<string, Uint8Array> {
  if (!isRecord(data)) return {};
  return Object.fromEntries(
    Object.entries(data).flatMap(([key, value]) => (typeof value === 'string' ? [[key, encodeUtf8(value)]] : [])),
  );
}

function isInnerPath(path: string): boolean {
  return path !== '' && !path.startsWith('/') && !path.split('/').includes('..') && !path.includes('\0');
}

function fromKeys(kind: 'configmap' | 'secret', keys: Keys, source: Source): PodFile[] | undefined {
  const { inputs } = source.context;
  const name = keys.name ?? '';
  const configMap = kind === 'configmap' ? own(inputs.configMaps, name) : undefined;
  const secret = kind === 'secret' ? own(inputs.secrets, name) : undefined;
  const content = configMap ? configMapContent(configMap) : secret ? secretContent(secret) : undefined;
  if (!content) return keys.optional === true ? [] : fail(source, `${kind} "${name}" not found`, true);
  if (!keys.items) {
    return Object.entries(content).map(([key, bytes]) => ({ path: key, content: bytes, mode: source.defaultMode }));
  }
  const files: PodFile[] = [];
  for (const item of keys.items) {
    const bytes = own(content, item.key);
    if (bytes) files.push({ path: item.path, content: bytes, mode: item.mode ?? source.defaultMode });
    else if (keys.optional !== true) {
      const cause =
        kind === 'secret'
          ? `references non-existent secret key: ${item.key}`
          : `configmap references non-existent config key: ${item.key}`;
      return fail(source, cause, true);
    }
  }
  return files;
}

type DownwardItem = NonNullable<NonNullable<Volume['downwardAPI']>['items']>[number];

function downwardValue(item: DownwardItem, pod: Pod, source: Source): Downward {
  if (item.fieldRef) return fileField(pod, item.fieldRef.fieldPath);
  const ref = item.resourceFieldRef;
  if (!ref) return { wrong: `${item.path} names no field` };
  const all = [...(pod.spec.initContainers ?? []), ...pod.spec.containers];
  const container = all.find(({ name }) => name === ref.containerName);
  if (!container) return { wrong: `there is no container ${String(ref.containerName)}` };
  const { allocatable } = source.context.inputs.node;
  return resourceField(ref.resource, ref.divisor, { container, pod, allocatable });
}

function fromDownward(items: DownwardItem[] | undefined, source: Source): PodFile[] | undefined {
  const files: PodFile[] = [];
  for (const item of items ?? []) {
    const result = downwardValue(item, source.context.pod, source);
    if ('wrong' in result) return fail(source, result.wrong, false);
    files.push({ path: item.path, content: encodeUtf8(result.value), mode: item.mode ?? source.defaultMode });
  }
  return files;
}

type Projection = NonNullable<NonNullable<Volume['projected']>['sources']>[number];

function fromToken(token: NonNullable<Projection['serviceAccountToken']>, source: Source): PodFile[] | undefined {
  const value = own(source.context.inputs.tokens, tokenKey(token.audience, token.expirationSeconds));
  if (value === undefined) return fail(source, 'failed to fetch token', true);
  return [{ path: token.path, content: encodeUtf8(value), mode: source.defaultMode }];
}

function fromProjection(projection: Projection, source: Source): PodFile[] | undefined {
  if (projection.configMap) return fromKeys('configmap', projection.configMap, source);
  if (projection.secret) return fromKeys('secret', projection.secret, source);
  if (projection.downwardAPI) return fromDownward(projection.downwardAPI.items, source);
  if (projection.serviceAccountToken) return fromToken(projection.serviceAccountToken, source);
  // The table has refused the other sources.
  return [];
}

function fromProjections(projected: NonNullable<Volume['projected']>, source: Source): PodFile[] | undefined {
  const files: PodFile[] = [];
  let isComplete = true;
  (projected.sources ?? []).forEach((projection, index) => {
    const made = fromProjection(projection, { ...source, path: `${source.path}.sources[${index}]` });
    if (made) files.push(...made);
    else isComplete = false;
  });
  return isComplete ? files : undefined;
}

function filesOf(volume: Volume, path: string, context: VolumeContext): PodFile[] | undefined {
  const source = (field: string, defaultMode: number | undefined): Source => ({
    volume: volume.name,
    path: `${path}.${field}`,
    defaultMode: defaultMode ?? plainMode,
    context,
  });
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) return fromKeys('configmap', configMap, source('configMap', configMap.defaultMode));
  if (secret) {
    const { secretName: name, ...rest } = secret;
    return fromKeys(
      'secret',
      { ...rest, ...(name === undefined ? {} : { name }) },
      source('secret', secret.defaultMode),
    );
  }
  if (downwardAPI) return fromDownward(downwardAPI.items, source('downwardAPI', downwardAPI.defaultMode));
  return projected ? fromProjections(projected, source('projected', projected.defaultMode)) : undefined;
}

function checkFiles(files: PodFile[], volume: Volume, path: string, context: VolumeContext): boolean {
  const outside = files.find((file) => !isInnerPath(file.path));
  if (outside) {
    fail(
      { volume: volume.name, path, context, defaultMode: 0 },
      `${outside.path} is not a path inside the volume`,
      false,
    );
    return false;
  }
  return true;
}

/**
 * Makes the files of a ConfigMap, Secret, projected or downward API volume as the kubelet would write them; where two sources
 * write one path the later wins. Undefined when a problem was found.
 * Source: k8s.io/kubernetes/pkg/volume (configmap, secret, projected, downwardapi).
 */
export function volumeFiles(volume: Volume, path: string, context: VolumeContext): PodFile[] | undefined {
  const files = filesOf(volume, path, context);
  if (!files || !checkFiles(files, volume, path, context)) return undefined;
  return [...new Map(files.map((file) => [file.path, file])).values()];
}
