import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { TlsIdentity } from '../http/transport.ts';
import type { KubeAuth } from './client-types.ts';
import {
  bearer,
  type Credential,
  type CredentialSource,
  type ExpiringCredential,
  expiringSource,
  fixedSource,
  tokenFileSource,
} from './credentials.ts';
import { runExecPlugin } from './exec-credential.ts';
import { readLimited } from './files.ts';
import { type KubeAccess, readKubeconfig } from './kubeconfig.ts';
import { createTlsFiles } from './tls-files.ts';

export interface KubeAuthOptions {
  /** A kubeconfig; it wins over everything else. */
  kubeconfig?: string;
  /** A context of the kubeconfig; default is its current one. With it, a surrounding cluster is not looked at. */
  context?: string;
  env: Record<string, string | undefined>;
  clock: Clock;
  log: Log;
  /** Where a Pod finds its service account; default is Kubernetes' own place. */
  serviceAccountFolder?: string;
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';
const maxTokenBytes = 1024 * 1024;

/**
 * Finds out who zunlet is towards Kubernetes: the kubeconfig it was given, else the service account of the Pod it runs in,
 * else `KUBECONFIG`, else `~/.kube/config`. Gets the first credentials, so that what is wrong shows at the start.
 * Errors: `auth.no-config` and those of `readKubeconfig` and `runExecPlugin`.
 */
export async function loadKubeAuth(options: KubeAuthOptions): Promise<KubeAuth> {
  const access = await findAccess(options);
  const { clock, log } = options;
  const files = createTlsFiles(access, clock, log);
  await files.refresh();
  const source = credentialSource(access, files.current().ca, options);
  const listeners: ((tls: TlsIdentity) => void)[] = [];
  let credential: Credential = { authorization: undefined };
  let tls: TlsIdentity = files.current();

  async function authorization(): Promise<string | undefined> {
    const changed = await files.refresh();
    const next = await source.get();
    if (changed || next.cert !== credential.cert || next.key !== credential.key) {
      tls = {
        ...files.current(),
        ...(next.cert !== undefined && next.key !== undefined && { cert: next.cert, key: next.key }),
      };
      for (const tell of listeners) tell(tls);
    }
    credential = next;
    return next.authorization;
  }

  await authorization();
  return {
    server: access.server,
    source: access.source,
    context: access.context,
    proxy: access.proxy,
    tls: () => tls,
    authorization,
    headers: impersonation(access),
    forget() {
      source.forget();
      files.forget();
    },
    onTlsChange: (listener) => listeners.push(listener),
  };
}

async function findAccess(options: KubeAuthOptions): Promise<KubeAccess> {
  const { kubeconfig, context, env } = options;
  if (kubeconfig !== undefined) return readKubeconfig([kubeconfig], context);
  if (context === undefined) {
    const inCluster = await clusterAccess(env, options.serviceAccountFolder ?? serviceAccountFolder);
    if (inCluster) return inCluster;
  }
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean);
  if (listed.length > 0) return readKubeconfig(listed, context);
  const file = join(env['HOME'] ?? homedir(), '.kube', 'config');
  try {
    return await readKubeconfig([file], context);
  } catch (thrown) {
    if (!(thrown instanceof AppError) || thrown.code !== 'auth.no-file') throw thrown;
    throw new AppError({
      kind: 'invalid',
      code: 'auth.no-config',
      message: `finding Kubernetes credentials: this is no Pod with a service account, KUBECONFIG is not set, and there is no ${file}`,
    });
  }
}

/** Undefined outside of a cluster. Source: kubernetes.io/docs/tasks/run-application/access-api-from-pod. */
async function clusterAccess(env: Record<string, string | undefined>, folder: string): Promise<KubeAccess | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const tokenFile = join(folder, 'token');
  if ((await readLimited(tokenFile, maxTokenBytes, `reading token file ${tokenFile}`)) === undefined) return undefined;
  return {
    source: 'in-cluster',
    context: undefined,
    server: `https://${host.includes(':') ? `[${host}]` : host}:${port}`,
    ca: { file: join(folder, 'ca.crt') },
    tokenFile,
    insecure: false,
    cert: {},
    key: {},
    asGroups: [],
    proxy: undefined,
    tlsServerName: undefined,
    token: undefined,
    username: undefined,
    password: undefined,
    asUser: undefined,
    exec: undefined,
    authProvider: undefined,
  };
}

function credentialSource(access: KubeAccess, ca: string | undefined, options: KubeAuthOptions): CredentialSource {
  const { exec, authProvider } = access;
  if (access.tokenFile !== undefined) return tokenFileSource(access.tokenFile, options.clock);
  if (access.token !== undefined) return fixedSource(bearer(access.token, access.source));
  if (access.username !== undefined) {
    const basic = Buffer.from(`${access.username}:${access.password ?? ''}`).toString('base64');
    return fixedSource(`Basic ${basic}`);
  }
  if (exec) {
    const run = async (): Promise<ExpiringCredential> => {
      const { token, cert, key, expiresAtMs } = await runExecPlugin(exec, { ...access, ca }, options.env);
      return {
        authorization: token === undefined ? undefined : bearer(token, exec.command),
        expiresAtMs,
        ...(cert !== undefined && key !== undefined && { cert, key }),
      };
    };
    return expiringSource(run, options.clock);
  }
  if (authProvider) return expiringSource(providerFetch(authProvider, access.source), options.clock);
  return fixedSource(undefined);
}

/**
 * Makes the function that asks client-node for a header. client-node is loaded only here, and only for users with an
 * `auth-provider`: it costs about 60 MB and a quarter of a second (docs/decisions).
 */
function providerFetch(
  provider: NonNullable<KubeAccess['authProvider']>,
  source: string,
): () => Promise<ExpiringCredential> {
  // Kept between calls: client-node puts renewed tokens into it.
  const user = { name: 'user', authProvider: provider };
  return async () => {
    const { KubeConfig } = await import('@kubernetes/client-node');
    const config = new KubeConfig();
    config.loadFromClusterAndUser({ name: 'cluster', server: 'https://localhost', skipTLSVerify: false }, user);
    const filled: { headers?: Record<string, unknown> } = {};
    try {
      await config.applyToHTTPSOptions(filled as Parameters<typeof config.applyToHTTPSOptions>[0]);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new AppError({
        kind: 'unauthorized',
        code: 'auth.provider-failed',
        message: `asking auth provider ${provider.name} of ${source} for a token: ${reason}`,
        cause: error,
      });
    }
    const header = filled.headers?.['Authorization'];
    if (typeof header !== 'string') {
      throw new AppError({
        kind: 'unauthorized',
        code: 'auth.provider-failed',
        message: `asking auth provider ${provider.name} of ${source} for a token: it has none; log in again`,
      });
    }
    return { authorization: header, expiresAtMs: tokenExpiry(header) };
  };
}

/** Reads when a JSON Web Token ends; undefined when it does not say. */
function tokenExpiry(header: string): number | undefined {
  try {
    const payload: unknown = JSON.parse(Buffer.from(header.split('.')[1] ?? '', 'base64url').toString('utf8'));
    if (typeof payload === 'object' && payload !== null && 'exp' in payload && typeof payload.exp === 'number') {
      return payload.exp * 1000;
    }
  } catch {
    // An opaque token: only the API server knows when it ends.
  }
  return undefined;
}

function impersonation(access: KubeAccess): Record<string, string> {
  if (access.asUser === undefined) return {};
  const [group, ...more] = access.asGroups;
  if (more.length > 0) {
    throw new AppError({
      kind: 'unsupported',
      code: 'auth.impersonation',
      message: `reading kubeconfig ${access.source}: impersonating more than one group is not supported`,
    });
  }
  return { 'impersonate-user': access.asUser, ...(group !== undefined && { 'impersonate-group': group }) };
}
