import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cachedFolder } from '../lib/cache.ts';
import { runLogged } from '../lib/processes.ts';

const python = 'python3.11';
const requirements = join(import.meta.dirname, 'requirements.txt');

/** What answers Zun's Docker driver: our own program in memory, or a real Docker engine. */
export type ZunRuntime = 'fake' | 'docker';

/** Debian packages, each with a file by which its presence is known. */
const packages: Record<ZunRuntime, Record<string, string>> = {
  fake: { 'rabbitmq-server': '/usr/lib/rabbitmq/bin/rabbitmq-server' },
  docker: {
    'rabbitmq-server': '/usr/lib/rabbitmq/bin/rabbitmq-server',
    'docker.io': '/usr/sbin/dockerd',
    'docker-registry': '/usr/bin/docker-registry',
    'busybox-static': '/bin/busybox',
    iproute2: '/sbin/ip',
  },
};

/** Says in one sentence what this machine lacks for the real Zun; undefined when it lacks nothing or it can be installed. */
export function missingForZun(runtime: ZunRuntime): string | undefined {
  const found = spawnSync(python, ['-c', 'import venv, ensurepip']);
  if (found.error || found.status !== 0) {
    return 'the real Zun needs Python 3.11 with the venv module (python3.11 on the PATH)';
  }
  const absent = absentPackages(runtime);
  if (absent.length > 0 && !canInstallPackages()) {
    return `the real Zun needs ${absent.join(', ')}, and only root on a Debian system could install them here`;
  }
  if (runtime === 'docker' && process.getuid?.() !== 0) return 'real containers need root for the container engine';
  return undefined;
}

/** Installs what is missing (Debian packages as root, the pinned Python packages into the cache) and answers the venv's path. */
export async function installZun(runtime: ZunRuntime): Promise<string> {
  const absent = absentPackages(runtime);
  if (absent.length > 0) await installPackages(absent);
  const folder = await cachedFolder({
    name: 'zun',
    inputs: [readFileSync(requirements, 'utf8'), python, process.arch],
    build: async (target) => {
      process.stderr.write('installing the real Zun and Keystone into the cache; the first time takes a few minutes\n');
      const venv = join(target, 'venv');
      await runLogged(python, ['-m', 'venv', venv]);
      await runLogged(join(venv, 'bin', 'pip'), ['install', '--quiet', '--no-input', '-r', requirements]);
    },
  });
  return join(folder, 'venv');
}

function absentPackages(runtime: ZunRuntime): string[] {
  return Object.entries(packages[runtime]).flatMap(([name, file]) => (existsSync(file) ? [] : [name]));
}

function canInstallPackages(): boolean {
  return process.getuid?.() === 0 && existsSync('/usr/bin/apt-get');
}

async function installPackages(names: string[]): Promise<void> {
  process.stderr.write(`installing ${names.join(', ')}\n`);
  // RUNLEVEL 1 keeps the packages' own services from starting: the tests start what they need, on ports of their own.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' };
  await runLogged('apt-get', ['update', '--quiet'], { env });
  await runLogged('apt-get', ['install', '--quiet', '--yes', '--no-install-recommends', ...names], { env });
}
