import { decodeBase64, decodeUtf8 } from '../base/base64.ts';
import type { Secret } from '../kube/types.ts';
import { type ImageReference, parseImage } from './image.ts';
import { isRecord, own } from './records.ts';

/** How to log in to a registry for one image. */
export interface RegistryCredential {
  /** The Secret that it comes from. */
  secret: string;
  /** The registry's host, with its port where it has one. */
  domain: string;
  username: string;
  password: string;
}

interface Login {
  secret: string;
  /** Host and path without a scheme, labels may be globs. */
  key: string;
  username: string;
  password: string;
}

const dockerHub = 'docker.io';
const dockerHubKey = 'index.docker.io';

function readJson(text: string | undefined): unknown {
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function secretText(secret: Secret, key: string): string | undefined {
  const { data, stringData } = secret as { data?: unknown; stringData?: unknown };
  const plain = isRecord(stringData) ? own(stringData, key) : undefined;
  if (typeof plain === 'string') return plain;
  const encoded = isRecord(data) ? own(data, key) : undefined;
  const bytes = typeof encoded === 'string' ? decodeBase64(encoded) : undefined;
  return bytes && decodeUtf8(bytes);
}

/** The registries of a Secret of type dockerconfigjson or dockercfg; undefined when it holds neither. */
function readEntries(secret: Secret): Record<string, unknown> | undefined {
  const config = readJson(secretText(secret, '.dockerconfigjson'));
  if (isRecord(config) && isRecord(config['auths'])) return config['auths'];
  const old = readJson(secretText(secret, '.dockercfg'));
  return isRecord(old) ? old : undefined;
}

/** Host and path of a registry as people write it: without scheme and without `/v1/` or `/v2/`. */
function normalKey(written: string): string {
  const [host = '', ...rest] = written.replace(/^https?:\/\//, '').split('/');
  const path = rest[0] === 'v1' || rest[0] === 'v2' ? rest.slice(1) : rest;
  return [host, ...path].join('/').replace(/\/+$/, '');
}

function readLogin(entry: unknown): { username: string; password: string } | undefined {
  if (!isRecord(entry)) return undefined;
  const bytes = typeof entry['auth'] === 'string' && entry['auth'] !== '' ? decodeBase64(entry['auth']) : undefined;
  const pair = bytes && decodeUtf8(bytes);
  if (pair?.includes(':')) {
    const colon = pair.indexOf(':');
    return { username: pair.slice(0, colon), password: pair.slice(colon + 1) };
  }
  const { username, password } = entry;
  return typeof username === 'string' && typeof password === 'string' ? { username, password } : undefined;
}

function readLogins(name: string, secret: Secret): Login[] {
  return Object.entries(readEntries(secret) ?? {}).flatMap(([written, entry]) => {
    const login = readLogin(entry);
    return login ? [{ secret: name, key: normalKey(written), ...login }] : [];
  });
}

function globMatches(glob: string, label: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^.]*')
    .replaceAll('?', '[^.]');
  return new RegExp(`^${pattern}$`).test(label);
}

function splitKey(key: string): { labels: string[]; port: string; path: string } {
  const slash = key.indexOf('/');
  const authority = slash === -1 ? key : key.slice(0, slash);
  const [host = '', port = ''] = authority.split(':');
  return { labels: host.split('.'), port, path: slash === -1 ? '' : key.slice(slash) };
}

function keyMatches(key: string, target: string): boolean {
  const wanted = splitKey(key);
  const actual = splitKey(target);
  return (
    wanted.labels.length === actual.labels.length &&
    wanted.port === actual.port &&
    wanted.labels.every((glob, index) => globMatches(glob, actual.labels[index] ?? '')) &&
    actual.path.startsWith(wanted.path)
  );
}

function fullRepository({ domain = dockerHub, repository }: ImageReference): string {
  const isOfficial = domain === dockerHub && !repository.includes('/');
  return `${domain}/${isOfficial ? 'library/' : ''}${repository}`;
}

/**
 * Finds the logins that fit an image among a Pod's image pull Secrets, most specific first. Hosts match label by label, with
 * globs; a path must begin the image's. Secrets that are missing or hold something else give none, as for the kubelet.
 * Source: k8s.io/kubernetes/pkg/credentialprovider/keyring.go.
 */
export function imageCredentials(
  image: string,
  secretNames: readonly string[],
  secrets: Readonly<Record<string, Secret | null>>,
): RegistryCredential[] {
  const reference = parseImage(image);
  if (!reference) return [];
  const logins = secretNames.flatMap((name) => {
    const secret = own(secrets, name);
    return secret ? readLogins(name, secret) : [];
  });
  const repository = fullRepository(reference);
  const domain = reference.domain ?? dockerHub;
  const matching = logins
    .filter(({ key }) => keyMatches(key, repository))
    .sort((left, right) => (left.key === right.key ? 0 : left.key < right.key ? 1 : -1));
  const chosen =
    matching.length === 0 && domain === dockerHub ? logins.filter(({ key }) => key === dockerHubKey) : matching;
  return chosen.map(({ secret, username, password }) => ({ secret, domain, username, password }));
}
