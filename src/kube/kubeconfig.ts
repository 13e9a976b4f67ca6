import { dirname, isAbsolute, join } from 'node:path';
import { parse } from 'yaml';
import { AppError } from '../base/errors.ts';
import { readLimited } from './files.ts';

/** An exec plugin as a kubeconfig names it. */
export interface ExecPlugin {
  apiVersion: string;
  command: string;
  args: string[];
  env: Record<string, string>;
  installHint: string | undefined;
  provideClusterInfo: boolean;
}

/** One context of a kubeconfig with its cluster and user; paths are absolute. */
export interface KubeAccess {
  source: string;
  context: string | undefined;
  server: string;
  proxy: string | undefined;
  tlsServerName: string | undefined;
  insecure: boolean;
  /** PEM text wins over the file, as in client-go. */
  ca: PemSource;
  cert: PemSource;
  key: PemSource;
  token: string | undefined;
  tokenFile: string | undefined;
  username: string | undefined;
  password: string | undefined;
  /** Impersonation. */
  asUser: string | undefined;
  asGroups: string[];
  exec: ExecPlugin | undefined;
  /** A login service that only client-node knows how to renew (OIDC), as it stands in the file. */
  authProvider: { name: string; config: Record<string, unknown> } | undefined;
}

export interface PemSource {
  text?: string;
  file?: string;
}

type Fields = Record<string, unknown>;
interface Entry {
  fields: Fields;
  /** The folder that relative paths start from. */
  folder: string;
}

const maxConfigBytes = 8 * 1024 * 1024;

/**
 * Reads kubeconfig files and picks a context. Of entries with one name, and of current contexts, the first file's counts;
 * missing files are passed over as long as one is there.
 * Errors, all `invalid`: `auth.no-file`, `auth.unreadable`, `auth.too-large`, `auth.bad-yaml`, `auth.no-context`, `auth.unknown-context`,
 * `auth.unknown-cluster`, `auth.unknown-user`, `auth.bad-server`, `auth.bad-data`.
 * Source: kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig; client-go tools/clientcmd.
 */
export async function readKubeconfig(files: string[], context: string | undefined): Promise<KubeAccess> {
  const read = await Promise.all(files.map(readConfig));
  const configs = read.filter((config) => config !== undefined);
  const source = configs.map(({ file }) => file).join(':');
  if (configs.length === 0) throw refuse('no-file', `reading kubeconfig ${files.join(':')}: there is no such file`);

  const current = configs.map(({ fields }) => textOf(fields, 'current-context')).find((name) => name);
  const name = context ?? current;
  if (!name) throw refuse('no-context', `reading kubeconfig ${source}: it has no current-context; choose a context`);
  const find = (list: string, wanted: string) => findEntry(configs, list, wanted);
  const chosen = find('contexts', name);
  if (!chosen) {
    const known = configs.flatMap(({ fields }) => namesIn(fields, 'contexts')).join(', ');
    throw refuse(
      'unknown-context',
      `reading kubeconfig ${source}: there is no context ${name}; there are: ${known || 'none'}`,
    );
  }
  const clusterName = textOf(chosen.fields, 'cluster') ?? '';
  const cluster = find('clusters', clusterName);
  if (!cluster)
    throw refuse(
      'unknown-cluster',
      `reading kubeconfig ${source}: context ${name} names cluster ${clusterName}, which is not there`,
    );
  const userName = textOf(chosen.fields, 'user');
  const user = userName === undefined ? { fields: {}, folder: '.' } : find('users', userName);
  if (!user)
    throw refuse(
      'unknown-user',
      `reading kubeconfig ${source}: context ${name} names user ${userName}, which is not there`,
    );
  return {
    source,
    context: name,
    ...clusterAccess(cluster, `${source}: cluster ${clusterName}`),
    ...userAccess(user, `${source}: user ${userName}`),
  };
}

async function readConfig(file: string): Promise<{ file: string; fields: Fields; folder: string } | undefined> {
  const text = await readLimited(file, maxConfigBytes, `reading kubeconfig ${file}`);
  if (text === undefined) return undefined;
  let parsed: unknown;
  try {
    parsed = parse(text, { logLevel: 'error' });
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw refuse('bad-yaml', `reading kubeconfig ${file}: it is not valid YAML: ${reason}`, error);
  }
  if (!isFields(parsed)) throw refuse('bad-yaml', `reading kubeconfig ${file}: it is not a kubeconfig`);
  return { file, fields: parsed, folder: dirname(file) };
}

function findEntry(configs: { fields: Fields; folder: string }[], list: string, wanted: string): Entry | undefined {
  const singular = list.slice(0, -1);
  for (const { fields, folder } of configs) {
    for (const entry of listOf(fields, list)) {
      if (textOf(entry, 'name') === wanted) return { fields: fieldsOf(entry, singular), folder };
    }
  }
  return undefined;
}

function clusterAccess({ fields, folder }: Entry, what: string) {
  const server = textOf(fields, 'server') ?? '';
  if (!URL.canParse(server) || !/^https?:/.test(server)) {
    throw refuse(
      'bad-server',
      `reading kubeconfig ${what}: server ${JSON.stringify(server)} is not an http or https URL`,
    );
  }
  const proxy = textOf(fields, 'proxy-url');
  if (proxy !== undefined && !(URL.canParse(proxy) && /^https?:/.test(proxy))) {
    throw refuse(
      'bad-server',
      `reading kubeconfig ${what}: proxy-url is not an http or https URL; other proxies are not supported`,
    );
  }
  return {
    server,
    proxy,
    tlsServerName: textOf(fields, 'tls-server-name'),
    insecure: fields['insecure-skip-tls-verify'] === true,
    ca: pem(fields, 'certificate-authority', folder, what),
  };
}

function userAccess({ fields, folder }: Entry, what: string) {
  const tokenFile = textOf(fields, 'tokenFile');
  const provider = fieldsOf(fields, 'auth-provider');
  const providerName = textOf(provider, 'name');
  return {
    cert: pem(fields, 'client-certificate', folder, what),
    key: pem(fields, 'client-key', folder, what),
    token: textOf(fields, 'token'),
    tokenFile: tokenFile === undefined ? undefined : absolute(folder, tokenFile),
    username: textOf(fields, 'username'),
    password: textOf(fields, 'password'),
    asUser: textOf(fields, 'as'),
    asGroups: Array.isArray(fields['as-groups']) ? fields['as-groups'].map(String) : [],
    exec: isFields(fields['exec']) ? execPlugin(fields['exec'], folder, what) : undefined,
    authProvider: providerName === undefined ? undefined : { name: providerName, config: fieldsOf(provider, 'config') },
  };
}

function execPlugin(fields: Fields, folder: string, what: string): ExecPlugin {
  const command = textOf(fields, 'command');
  const apiVersion = textOf(fields, 'apiVersion');
  if (!command || !apiVersion)
    throw refuse('bad-data', `reading kubeconfig ${what}: exec needs command and apiVersion`);
  if (textOf(fields, 'interactiveMode') === 'Always') {
    throw refuse(
      'bad-data',
      `reading kubeconfig ${what}: exec plugin ${command} wants a terminal, which a node does not have`,
    );
  }
  const env = listOf(fields, 'env').map((entry) => [textOf(entry, 'name') ?? '', textOf(entry, 'value') ?? '']);
  return {
    apiVersion,
    // A bare name is looked for in PATH; a relative path starts at the file's folder.
    command: command.includes('/') ? absolute(folder, command) : command,
    args: Array.isArray(fields['args']) ? fields['args'].map(String) : [],
    env: Object.fromEntries(env),
    installHint: textOf(fields, 'installHint'),
    provideClusterInfo: fields['provideClusterInfo'] === true,
  };
}

function pem(fields: Fields, name: string, folder: string, what: string): PemSource {
  const data = textOf(fields, `${name}-data`);
  if (data) {
    const text = Buffer.from(data, 'base64').toString('utf8');
    if (!text.includes('-----BEGIN'))
      throw refuse('bad-data', `reading kubeconfig ${what}: ${name}-data is not base64 of PEM text`);
    return { text };
  }
  const file = textOf(fields, name);
  return file ? { file: absolute(folder, file) } : {};
}

function absolute(folder: string, file: string): string {
  return isAbsolute(file) ? file : join(folder, file);
}

function refuse(code: string, message: string, cause?: unknown): AppError {
  // A message may quote a value of the file, and values can be huge.
  const short = message.length > 1000 ? `${message.slice(0, 1000)}…` : message;
  return new AppError({ kind: 'invalid', code: `auth.${code}`, message: short, cause });
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function fieldsOf(fields: Fields, name: string): Fields {
  const value = fields[name];
  return isFields(value) ? value : {};
}

function listOf(fields: Fields, name: string): Fields[] {
  const value = fields[name];
  return Array.isArray(value) ? value.filter(isFields) : [];
}

function namesIn(fields: Fields, list: string): string[] {
  return listOf(fields, list).flatMap((entry) => textOf(entry, 'name') ?? []);
}

function textOf(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}
