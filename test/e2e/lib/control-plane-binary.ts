import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFolder } from './cache.ts';

const source = join(import.meta.dirname, '..', 'control-plane');
const wantedGo = { major: 1, minor: 26 };

/** Says in one sentence what this machine lacks for a real control plane; undefined when it lacks nothing. */
export function missingForControlPlane(): string | undefined {
  const go = spawnSync('go', ['env', 'GOVERSION'], { encoding: 'utf8', cwd: source, env: goEnvironment() });
  const wanted = `Go ${wantedGo.major}.${wantedGo.minor} or newer`;
  if (go.error) return `the real control plane is built with ${wanted}, which is not on the PATH`;
  const [, major = 0, minor = 0] = (/go(\d+)\.(\d+)/.exec(go.stdout) ?? []).map(Number);
  if (major < wantedGo.major || (major === wantedGo.major && minor < wantedGo.minor)) {
    return `the real control plane is built with ${wanted}; this machine has ${go.stdout.trim() || go.stderr.trim()}`;
  }
  if (spawnSync('openssl', ['version']).error) return 'the real control plane needs openssl for its certificates';
  return undefined;
}

/**
 * Answers the path of the control plane program, building it first where the cache has none for this source (minutes the
 * first time, on every core). Progress goes to stderr.
 */
export async function controlPlaneBinary(): Promise<string> {
  const inputs = ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(source, file), 'utf8'));
  const folder = await cachedFolder({
    name: 'control-plane',
    inputs: [...inputs, process.platform, process.arch],
    build: async (target) => {
      const started = performance.now();
      process.stderr.write('building the control plane into the cache; the first time takes several minutes\n');
      await goBuild(join(target, 'control-plane'), kubernetesVersion(inputs[0] ?? ''));
      process.stderr.write(`built the control plane in ${Math.round((performance.now() - started) / 1000)} s\n`);
    },
  });
  return join(folder, 'control-plane');
}

function kubernetesVersion(goMod: string): string {
  const version = /^\s*k8s\.io\/kubernetes (v\S+)/m.exec(goMod)?.[1];
  if (!version) throw new Error('test/e2e/control-plane/go.mod requires no k8s.io/kubernetes');
  return version;
}

function goBuild(output: string, version: string): Promise<void> {
  // Without these a build from the module says that it is v0.0.0, and clients warn or refuse.
  const facts = {
    gitVersion: version,
    gitMajor: version.slice(1).split('.')[0],
    gitMinor: version.split('.')[1],
    gitTreeState: 'clean',
    gitCommit: '0'.repeat(40),
    buildDate: '2026-01-01T00:00:00Z',
  };
  const linked = Object.entries(facts).map(([key, value]) => `-X k8s.io/component-base/version.${key}=${value}`);
  const flags = ['build', '-trimpath', '-ldflags', `-s -w ${linked.join(' ')}`, '-o', output, '.'];
  return new Promise((resolve, reject) => {
    const build = spawn('go', flags, { cwd: source, env: goEnvironment(), stdio: ['ignore', 2, 2] });
    build.once('error', reject);
    build.once('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`building the control plane: go build ended with ${code}`)),
    );
  });
}

function goEnvironment(): NodeJS.ProcessEnv {
  // GOTOOLCHAIN local: never fetch another Go behind the user's back.
  return { ...process.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOFLAGS: '-mod=readonly' };
}
