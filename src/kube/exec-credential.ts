import { spawn } from 'node:child_process';
import { AppError } from '../base/errors.ts';
import type { ExecPlugin } from './kubeconfig.ts';

/** What a plugin answered. */
export interface ExecCredential {
  token: string | undefined;
  cert: string | undefined;
  key: string | undefined;
  /** Wall time, ms; undefined: it never ends. */
  expiresAtMs: number | undefined;
}

/** What a plugin may ask about the cluster. */
export interface ExecCluster {
  server: string;
  tlsServerName: string | undefined;
  insecure: boolean;
  /** PEM text. */
  ca: string | undefined;
}

const timeLimitMs = 60_000;
const outputLimit = 1024 * 1024;
const stderrLimit = 300;

/**
 * Runs a credential plugin once.
 * Errors: `auth.plugin-missing` (`invalid`), `auth.plugin-failed`, `auth.plugin-answer` (`unauthorized`).
 * Source: kubernetes.io/docs/reference/access-authn-authz/authentication (client-go credential plugins).
 */
export async function runExecPlugin(
  plugin: ExecPlugin,
  cluster: ExecCluster,
  env: Record<string, string | undefined>,
): Promise<ExecCredential> {
  const info = {
    apiVersion: plugin.apiVersion,
    kind: 'ExecCredential',
    spec: { interactive: false, ...(plugin.provideClusterInfo && { cluster: clusterInfo(cluster) }) },
  };
  const childEnv = { ...env, ...plugin.env, KUBERNETES_EXEC_INFO: JSON.stringify(info) };
  const { code, stdout, stderr } = await runProcess(plugin, childEnv);
  if (code !== 0) {
    const hint = stderr.trim().slice(-stderrLimit);
    throw refuse('plugin-failed', `running credential plugin ${plugin.command}: it ended with ${code}: ${hint}`);
  }
  return readAnswer(stdout, plugin);
}

function clusterInfo(cluster: ExecCluster) {
  return {
    server: cluster.server,
    ...(cluster.tlsServerName !== undefined && { 'tls-server-name': cluster.tlsServerName }),
    ...(cluster.insecure && { 'insecure-skip-tls-verify': true }),
    ...(cluster.ca !== undefined && { 'certificate-authority-data': Buffer.from(cluster.ca).toString('base64') }),
  };
}

function runProcess(
  plugin: ExecPlugin,
  env: Record<string, string | undefined>,
): Promise<{ code: string | number; stdout: string; stderr: string }> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(timeLimitMs);
    const child = spawn(plugin.command, plugin.args, { env, stdio: ['ignore', 'pipe', 'pipe'], signal });
    const output = { stdout: '', stderr: '' };
    const keep = (name: keyof typeof output) => (chunk: string) => {
      if (output[name].length < outputLimit) output[name] += chunk;
    };
    child.stdout.setEncoding('utf8').on('data', keep('stdout'));
    child.stderr.setEncoding('utf8').on('data', keep('stderr'));
    child.on('error', (error) => reject(startError(error, plugin)));
    child.on('close', (code, signal) => resolve({ ...output, code: code ?? `signal ${signal}` }));
  });
}

function startError(error: Error, plugin: ExecPlugin): AppError {
  const isMissing = 'code' in error && (error.code === 'ENOENT' || error.code === 'EACCES');
  const hint = plugin.installHint ? `: ${plugin.installHint.slice(0, stderrLimit)}` : '';
  const isLate = error.name === 'AbortError';
  const otherReason = isLate ? `it did not end within ${timeLimitMs / 1000} s` : error.message;
  const reason = isMissing ? `it is not installed or may not be run${hint}` : otherReason;
  return new AppError({
    kind: isMissing ? 'invalid' : 'unauthorized',
    code: isMissing ? 'auth.plugin-missing' : 'auth.plugin-failed',
    message: `running credential plugin ${plugin.command}: ${reason}`,
    cause: error,
  });
}

function readAnswer(stdout: string, plugin: ExecPlugin): ExecCredential {
  const what = `reading the answer of credential plugin ${plugin.command}`;
  let answer: { kind?: unknown; apiVersion?: unknown; status?: Record<string, unknown> | null };
  try {
    // Every field is checked where it is read.
    answer = JSON.parse(stdout) as typeof answer;
  } catch {
    // The text may hold a secret: neither it nor the parser's error is passed on.
    throw refuse('plugin-answer', `${what}: it is not JSON`);
  }
  if (answer?.kind !== 'ExecCredential' || answer.apiVersion !== plugin.apiVersion) {
    throw refuse('plugin-answer', `${what}: it is not an ExecCredential of ${plugin.apiVersion}`);
  }
  const text = (name: string) => {
    const value = answer.status?.[name];
    return typeof value === 'string' && value !== '' ? value : undefined;
  };
  const cert = text('clientCertificateData');
  const key = text('clientKeyData');
  const token = text('token')?.trim();
  if ((cert === undefined) !== (key === undefined))
    throw refuse('plugin-answer', `${what}: certificate and key go together`);
  if (token === undefined && cert === undefined)
    throw refuse('plugin-answer', `${what}: it holds neither token nor certificate`);
  const expiresAtMs = Date.parse(text('expirationTimestamp') ?? '');
  return { token, cert, key, expiresAtMs: Number.isNaN(expiresAtMs) ? undefined : expiresAtMs };
}

function refuse(code: string, message: string): AppError {
  return new AppError({ kind: 'unauthorized', code: `auth.${code}`, message });
}
