import { nearest } from '../base/nearest.ts';
import { type CloudsFile, type CloudValue, cloudError, isRecord, keyName, parseCloudsFile } from './cloud-files.ts';

/** Where a cloud is read from; all parameters, so that tests need neither files nor variables. */
export interface CloudSources {
  env: Record<string, string | undefined>;
  /** The working directory. */
  cwd: string;
  /** Answers undefined for a file that does not exist. `readTextFile` is the real one. */
  readFile(path: string): Promise<string | undefined>;
}

/** A cloud as it stands in the files, all layers merged, keys written with `_`. */
export interface Found {
  name: string;
  values: Record<string, CloudValue>;
  files: CloudsFile[];
  where(keys: string[]): string;
}

/**
 * Finds a cloud in the first clouds file of the search path, merged with secure.yaml and its profile.
 * Errors: `cloud.missing`, `cloud.unknown`, `cloud.ambiguous`, `cloud.malformed`, `cloud.invalid`.
 */
export async function findCloud(
  sources: CloudSources,
  wanted: string | undefined,
  variables: string[],
): Promise<Found> {
  const file = await firstFile(sources, 'clouds', sources.env['OS_CLIENT_CONFIG_FILE']);
  if (!file) {
    const missing = variables.length > 0 ? 'OS_AUTH_URL is not set' : 'no OS_AUTH_URL variable';
    throw cloudError(
      'cloud.missing',
      `${missing} and no clouds.yaml in ${searchPath(sources).join(', ')}; write one, or name it with OS_CLIENT_CONFIG_FILE`,
    );
  }
  const clouds = file.root['clouds'];
  if (!isRecord(clouds))
    throw cloudError('cloud.malformed', `${file.where(['clouds'])}: clouds must be a map of clouds`);
  const names = Object.keys(clouds);
  const name = wanted ?? (names.length === 1 ? names[0] : undefined);
  if (name === undefined) {
    throw cloudError(
      'cloud.ambiguous',
      `${file.path} has ${names.length} clouds (${names.slice(0, 20).join(', ')}); name one with OS_CLOUD`,
    );
  }
  if (!Object.hasOwn(clouds, name)) {
    const meant = nearest(name, names);
    throw cloudError(
      'cloud.unknown',
      `no cloud ${name} in ${file.path}${meant ? `, did you mean ${meant}` : `; it has ${names.slice(0, 20).join(', ')}`}`,
    );
  }
  const secure = await firstFile(sources, 'secure', sources.env['OS_CLIENT_SECURE_FILE']);
  const files = secure ? [file, secure] : [file];
  const own = files.map((each) => cloudOf(each, name)).reduce(merge, {});
  const { values, publicFile } = await withProfile(own, sources, file.where(['clouds', name, 'profile']));
  return {
    name,
    values,
    files: publicFile ? [...files, publicFile] : files,
    where(keys) {
      const holder = [...files].reverse().find((each) => each.has(['clouds', name, ...keys]));
      return (holder ?? file).where(holder ? ['clouds', name, ...keys] : ['clouds', name]);
    },
  };
}

function cloudOf(file: CloudsFile, name: string): Record<string, CloudValue> {
  const clouds = file.root['clouds'];
  const value = isRecord(clouds) && Object.hasOwn(clouds, name) ? clouds[name] : {};
  if (value !== null && !isRecord(value))
    throw cloudError('cloud.malformed', `${file.where(['clouds', name])}: cloud ${name} must be a map`);
  return normalise(value ?? {});
}

async function withProfile(own: Record<string, CloudValue>, sources: CloudSources, where: string) {
  const profile = own['profile'] ?? own['cloud'];
  if (typeof profile !== 'string' || profile === '') return { values: own, publicFile: undefined };
  const file = await firstFile(sources, 'clouds-public', undefined);
  const profiles = file?.root['public-clouds'] ?? file?.root['public_clouds'];
  const values = isRecord(profiles) && Object.hasOwn(profiles, profile) ? profiles[profile] : undefined;
  if (!isRecord(values)) {
    const path = file ? `is not in ${file.path}` : 'needs a clouds-public.yaml, and there is none';
    throw cloudError(
      'cloud.invalid',
      `${where}: profile ${profile} ${path}; profiles that other tools bring along are not known here`,
    );
  }
  return { values: merge(normalise(values), own), publicFile: file };
}

function searchPath({ env, cwd }: CloudSources): string[] {
  const home = env['XDG_CONFIG_HOME'] || (env['HOME'] ? `${env['HOME']}/.config` : undefined);
  return [
    ...new Set([
      cwd,
      ...(home ? [`${home}/openstack`] : []),
      ...(env['HOME'] ? [`${env['HOME']}/.config/openstack`] : []),
      '/etc/openstack',
    ]),
  ];
}

async function firstFile(
  sources: CloudSources,
  name: string,
  named: string | undefined,
): Promise<CloudsFile | undefined> {
  if (named) {
    const text = await sources.readFile(expandHome(named, sources.env));
    if (text === undefined) throw cloudError('cloud.missing', `the file ${named} does not exist`);
    return parseCloudsFile(named, text);
  }
  for (const folder of searchPath(sources)) {
    for (const ending of ['yaml', 'yml', 'json']) {
      const path = `${folder}/${name}.${ending}`;
      const text = await sources.readFile(path);
      if (text !== undefined) return parseCloudsFile(path, text);
    }
  }
  return undefined;
}

/** Writes the keys of a cloud and of its `auth` with `_`. */
export function normalise(cloud: Record<string, CloudValue>): Record<string, CloudValue> {
  const result: Record<string, CloudValue> = {};
  for (const [key, value] of Object.entries(cloud)) {
    const name = keyName(key);
    if (name === '__proto__') continue;
    result[name] =
      name === 'auth' && isRecord(value)
        ? Object.fromEntries(Object.entries(value).map(([k, v]) => [keyName(k), v]))
        : value;
  }
  return result;
}

function merge(under: Record<string, CloudValue>, over: Record<string, CloudValue>): Record<string, CloudValue> {
  const result = { ...under };
  for (const [key, value] of Object.entries(over)) {
    const below = result[key];
    result[key] = isRecord(below) && isRecord(value) ? merge(below, value) : value;
  }
  return result;
}

/** Replaces a leading `~` by the home folder. */
export function expandHome(path: string, env: CloudSources['env']): string {
  return path.startsWith('~/') && env['HOME'] ? `${env['HOME']}${path.slice(1)}` : path;
}
