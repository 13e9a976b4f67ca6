import { spawnSync } from 'node:child_process';
import { accessSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../../lib/markdown.ts';
import { startService, temporaryFolder, until } from './processes.ts';

/**
 * A systemd of its own as process 1 of its own namespaces, on a copy-on-write view of this machine's files. It shares the
 * network with this machine, and nothing that it writes is left.
 */
export interface Systemd {
  /** Runs a shell script inside; answers what it printed, throws with that when it does not end with 0. */
  sh(script: string, env?: Record<string, string>): string;
  /** Writes a file inside. */
  write(path: string, text: string, mode?: string): void;
  stop(): Promise<void>;
}

const program = '/lib/systemd/systemd';
/** Mounts, processes and cgroups of its own; what is in them ends with their first process. */
const namespaces = ['--mount', '--pid', '--fork', '--cgroup', '--kill-child'];
const standardPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
/** What of the machine's own services may start in it. */
const target = 'multi-user.target';

/** Says in one sentence why there can be none here; undefined where there can. */
export function missingSystemd(): string | undefined {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return 'a systemd of its own needs root on Linux';
  if (!existsSync(program)) return `there is no ${program}`;
  for (const name of ['kubectl', 'openssl', 'npm']) {
    if (spawnSync('which', [name], { env: { PATH: standardPath } }).status !== 0)
      return `${name} is not on the path of services`;
  }
  // All of what the start does, but for its end.
  const folder = temporaryFolder('systemd');
  const script = writeScript(folder, 'exec chroot $root /bin/true');
  const { status, stderr } = spawnSync('unshare', [...namespaces, 'sh', script], { encoding: 'utf8' });
  return status === 0 ? undefined : `namespaces and mounts are not allowed: ${stderr.trim()}`;
}

/** Starts one; it sees the repository read-only at its own path, and the Node that runs this as /usr/bin/node. */
export async function startSystemd(): Promise<Systemd> {
  const folder = temporaryFolder('systemd');
  const start = `exec env -i container=other PATH=${standardPath} chroot $root ${program} --system --log-target=null --show-status=no`;
  const script = writeScript(folder, start);
  const logFile = join(folder, 'systemd.log');
  const service = startService({
    name: 'systemd',
    command: 'unshare',
    args: [...namespaces, 'sh', script],
    logFile,
  });
  const pid = await until('systemd runs', () => childRunning(service.pid), { limitMs: 20_000 });
  const enter = ['--target', String(pid), '--mount', '--pid', '--cgroup', '--root', '--wd'];
  const call = (args: string[], env: Record<string, string>, input = '') => {
    const { status, stdout, stderr, error } = spawnSync('nsenter', [...enter, '--', ...args], {
      env: { PATH: standardPath, HOME: '/root', ...env },
      input,
      encoding: 'utf8',
      timeout: 120_000,
    });
    if (error) throw error;
    if (status !== 0) throw new Error(`${args.at(-1)}: exit ${status}\n${stdout}${stderr}`);
    return stdout + stderr;
  };
  const isUp = () => /^(running|degraded)/.test(call(['sh', '-c', 'systemctl is-system-running || true'], {}));
  await until('systemd is up', isUp, { limitMs: 60_000, everyMs: 500 });
  return {
    sh: (text, env = {}) => call(['sh', '-euc', text], env),
    write: (path, text, mode = '0644') =>
      void call(['sh', '-euc', `mkdir -p "$(dirname ${path})"; cat > ${path}; chmod ${mode} ${path}`], {}, text),
    async stop() {
      process.kill(pid, 'SIGKILL');
      await service.stop('SIGKILL');
    },
  };
}

/** The process 1 of the namespace, once the start script has become systemd. */
function childRunning(parent: number): number | undefined {
  const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8').trim().split(' ');
  const [child] = children.map(Number);
  if (!child) return undefined;
  try {
    accessSync(`/proc/${child}/cmdline`);
    return readFileSync(`/proc/${child}/cmdline`, 'utf8').startsWith(program) ? child : undefined;
  } catch {
    return undefined;
  }
}

/** Writes the script that makes the view of the machine's files at `$root` and then runs `end`. */
function writeScript(folder: string, end: string): string {
  const view = join(folder, 'view');
  mkdirSync(view);
  const script = join(folder, 'start.sh');
  const text = `set -eu
mount --make-rprivate /
mount -t tmpfs tmpfs ${folder}/view
mkdir ${view}/upper ${view}/work ${view}/root
mount -t overlay overlay -o lowerdir=/,upperdir=${view}/upper,workdir=${view}/work ${view}/root
root=${view}/root
cp -L ${process.execPath} $root/usr/bin/node.new
mv $root/usr/bin/node.new $root/usr/bin/node
mount -t proc proc $root/proc
mount -t sysfs sysfs $root/sys
mount -t tmpfs tmpfs $root/run
mount -t tmpfs tmpfs $root/tmp
# After the folders above, one of which it may lie in.
mkdir -p $root${repository}
mount --bind ${repository} $root${repository}
mount -o remount,bind,ro $root${repository}
mount --rbind /dev $root/dev
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 $root/sys/fs/cgroup
else
  mount -t tmpfs tmpfs $root/sys/fs/cgroup
  mkdir $root/sys/fs/cgroup/systemd $root/sys/fs/cgroup/unified
  mount -t cgroup -o none,name=systemd cgroup $root/sys/fs/cgroup/systemd
  mount -t cgroup2 cgroup2 $root/sys/fs/cgroup/unified
fi
# Only what systemd itself needs, and what the test adds.
find $root/etc/systemd/system $root/lib/systemd/system -path '*.wants/*' ! -name 'systemd-journal*' ! -name '*.target' -type l | while read -r link; do
  ln -sf /dev/null "$root/etc/systemd/system/$(basename "$link")"
done
ln -sf /lib/systemd/system/${target} $root/etc/systemd/system/default.target
${end}
`;
  writeFileSync(script, text);
  return script;
}
