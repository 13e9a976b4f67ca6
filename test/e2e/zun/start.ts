import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import {
  freePorts,
  runLogged,
  type Service,
  startService,
  temporaryFolder,
  until,
  untilReady,
} from '../lib/processes.ts';
import {
  type Account,
  adminPassword,
  fillKeystone,
  type Identity,
  type OpenStackEnvironment,
  openStackEnvironment,
} from './identity.ts';
import { installZun, type ZunRuntime } from './install.ts';
import {
  computeHost,
  databaseUrl,
  dockerSocket,
  epmdEnvironment,
  rabbitEnvironment,
  writeKeystoneSettings,
  writePlacementSettings,
  writeZunSettings,
  type ZunLayout,
  type ZunPorts,
} from './settings.ts';

const shims = join(import.meta.dirname, 'shims');
/** No warnings of other people's code in the logs, no compiled files in the source tree. */
const quietPython = { PYTHONWARNINGS: 'ignore', PYTHONDONTWRITEBYTECODE: '1' };

/** How to start the real Zun. */
export interface RealZunOptions {
  /** What runs containers: a program that only pretends (default), or a Docker engine (needs root). */
  runtime?: ZunRuntime;
  /** Where Keystone, Placement and Zun keep their data. */
  db?: 'sqlite';
  /** How long a Keystone token lives. Default 3600. */
  tokenSeconds?: number;
  /** Zun's type in the catalog: `container` (default) as most installers have it, or `application-container`. */
  serviceType?: 'container' | 'application-container';
}

/** A running zun-api and zun-compute with the real Keystone, Placement and RabbitMQ; Neutron and Cinder are stand-ins. */
export interface RealZun {
  readonly dir: string;
  /** The Python environment, which has python-zunclient and python-openstackclient as well. */
  readonly venv: string;
  /** What a member of the project demo logs in with. */
  readonly env: OpenStackEnvironment;
  /** `http://127.0.0.1:port`, without `/v1`. */
  readonly zunUrl: string;
  /** Where the stand-ins take orders; see shims/stand_ins.py. */
  readonly controlUrl: string;
  readonly identity: Identity;
  account(name: Account): OpenStackEnvironment;
  /** Kills zun-api, and leaves it away until the returned function is called. */
  stopApi(): Promise<() => Promise<void>>;
  stop(): Promise<void>;
}

/** Starts everything, installing it first where it is missing. Ready when a capsule can be created. */
export async function startRealZun(options: RealZunOptions = {}): Promise<RealZun> {
  const runtime = options.runtime ?? 'fake';
  const venv = await installZun(runtime);
  const dir = temporaryFolder('zun');
  for (const folder of ['lock', 'volumes', 'zun/mnt']) mkdirSync(join(dir, folder), { recursive: true });
  const layout: ZunLayout = {
    dir,
    venv,
    runtime,
    ports: await findPorts(),
    tokenSeconds: options.tokenSeconds ?? 3600,
  };
  const bed = createBed(layout);
  try {
    return await fill(bed, options.serviceType ?? 'container');
  } catch (error) {
    await bed.stop();
    throw error;
  }
}

interface Bed {
  layout: ZunLayout;
  python: string;
  /** Starts a program of the venv or of ours. */
  run(name: string, command: string, args: string[], env?: NodeJS.ProcessEnv): Service;
  stop(): Promise<void>;
}

function createBed(layout: ZunLayout): Bed {
  const { dir, venv } = layout;
  const services: Service[] = [];
  return {
    layout,
    python: join(venv, 'bin', 'python'),
    run(name, command, args, env = {}) {
      const all = { ...process.env, ...quietPython, ...env };
      const service = startService({ name, command, args, env: all, logFile: join(dir, `${name}.log`), cwd: dir });
      services.push(service);
      return service;
    },
    async stop() {
      // Last started first: zun-compute lets go of containers and mounts before the engine and the broker go.
      for (const service of services.toReversed()) await service.stop();
      const mounts = join(dir, 'zun', 'mnt');
      for (const mount of readdirSync(mounts)) spawnSync('umount', [join(mounts, mount)], { stdio: 'ignore' });
    },
  };
}

async function fill(bed: Bed, serviceType: string): Promise<RealZun> {
  const { layout } = bed;
  const { ports, venv, dir } = layout;
  const broker = startBroker(bed);
  startEngine(bed);
  const standIns = ['neutron', 'cinder', 'control'].flatMap((name) => [
    `--${name}`,
    String(ports[name as keyof ZunPorts]),
  ]);
  bed.run('stand-ins', bed.python, [join(shims, 'stand_ins.py'), ...standIns, '--volumes', join(dir, 'volumes')]);

  await startKeystone(bed);
  const identity = await fillKeystone(ports, serviceType);
  await startPlacement(bed);
  const controlUrl = `http://127.0.0.1:${ports.control}`;
  await post(`${controlUrl}/set`, { project: identity.projects['demo'] });
  await untilReady(broker, () => speaksAmqp(ports.rabbit));
  await until('the Docker API is there', () => existsSync(dockerSocket(layout)), { limitMs: 120_000 });

  const startApi = await startZun(bed, identity.adminToken);
  return {
    dir,
    venv,
    env: openStackEnvironment(ports, 'demo'),
    zunUrl: `http://127.0.0.1:${ports.zun}`,
    controlUrl,
    identity,
    account: (name) => openStackEnvironment(ports, name),
    stopApi: startApi.stop,
    stop: bed.stop,
  };
}

function startBroker(bed: Bed): Service {
  const { ports } = bed.layout;
  bed.run('epmd', 'epmd', ['-port', String(ports.epmd)], epmdEnvironment(ports));
  return bed.run('rabbitmq', '/usr/lib/rabbitmq/bin/rabbitmq-server', [], rabbitEnvironment(bed.layout));
}

function startEngine(bed: Bed): void {
  const { layout } = bed;
  const socket = ['--socket', dockerSocket(layout)];
  if (layout.runtime === 'fake') {
    bed.run('engine', bed.python, [join(shims, 'docker_engine.py'), ...socket, '--name', computeHost('fake')]);
    return;
  }
  const { networkPlugin, registry, engine } = layout.ports;
  const ports = Object.entries({ 'plugin-port': networkPlugin, 'registry-port': registry, 'api-port': engine }).flatMap(
    ([name, port]) => [`--${name}`, String(port)],
  );
  bed.run('engine', bed.python, [
    join(shims, 'docker_real.py'),
    ...socket,
    '--state',
    join(layout.dir, 'docker'),
    ...ports,
  ]);
}

async function startKeystone(bed: Bed): Promise<void> {
  const { layout } = bed;
  const folder = writeKeystoneSettings(layout);
  const file = join(folder, 'keystone.conf');
  const env = { OS_KEYSTONE_CONFIG_DIR: folder, OS_KEYSTONE_CONFIG_FILES: file };
  const url = `http://127.0.0.1:${layout.ports.keystone}/v3`;
  const owner = ['--keystone-user', String(process.getuid?.()), '--keystone-group', String(process.getgid?.())];
  const urls = ['admin', 'internal', 'public'].flatMap((kind) => [`--bootstrap-${kind}-url`, url]);
  for (const args of [
    ['db_sync'],
    ['fernet_setup', ...owner],
    ['credential_setup', ...owner],
    ['bootstrap', '--bootstrap-password', adminPassword, '--bootstrap-region-id', 'RegionOne', ...urls],
  ]) {
    await command(bed, 'keystone-manage', ['--config-file', file, ...args], env);
  }
  const served = ['keystone.wsgi.api:application', String(layout.ports.keystone)];
  const service = bed.run('keystone', bed.python, [join(shims, 'serve_wsgi.py'), ...served], env);
  await untilReady(service, () => answers(url));
}

async function startPlacement(bed: Bed): Promise<void> {
  const folder = writePlacementSettings(bed.layout);
  await command(bed, 'placement-manage', ['--config-dir', folder, 'db', 'sync']);
  const served = ['placement.wsgi.api:application', String(bed.layout.ports.placement)];
  bed.run('placement', bed.python, [join(shims, 'serve_wsgi.py'), ...served], { OS_PLACEMENT_CONFIG_DIR: folder });
}

async function startZun(bed: Bed, adminToken: string) {
  const { venv, ports } = bed.layout;
  const settings = ['--config-file', writeZunSettings(bed.layout)];
  const runner = join(shims, 'run_zun.py');
  const bin = join(venv, 'bin');
  const env = { PATH: [bin, process.env['PATH'], join(shims, 'bin')].join(':') };
  await command(bed, 'python', [join(shims, 'create_zun_tables.py'), databaseUrl(bed.layout, 'zun')]);
  const root = `http://127.0.0.1:${ports.zun}/`;
  let api: Service;
  const start = async () => {
    api = bed.run('zun-api', bed.python, [runner, 'api', ...settings], env);
    await untilReady(api, () => answers(root));
  };
  bed.run('zun-compute', bed.python, [runner, 'compute', ...settings], env);
  bed.run('zun-wsproxy', join(bin, 'zun-wsproxy'), settings, env);
  await start();
  const ask = (url: string) => askAsAdmin(url, adminToken);
  await until('zun-compute reports itself up', async () => {
    const { services } = (await ask(`${root}v1/services`)) as { services: { state: string }[] };
    return services.some(({ state }) => state === 'up');
  });
  await until('placement has an inventory', async () => {
    const placement = `http://127.0.0.1:${ports.placement}/resource_providers`;
    const { resource_providers: providers } = (await ask(placement)) as { resource_providers: { uuid: string }[] };
    if (!providers[0]) return false;
    const { inventories } = (await ask(`${placement}/${providers[0].uuid}/inventories`)) as { inventories: object };
    return Object.keys(inventories).length > 0;
  });
  return {
    async stop() {
      await api.stop('SIGKILL');
      return start;
    },
  };
}

async function command(bed: Bed, name: string, args: string[], env: NodeJS.ProcessEnv = {}): Promise<void> {
  const all = { ...process.env, ...quietPython, ...env };
  await runLogged(join(bed.layout.venv, 'bin', name), args, { env: all, logFile: join(bed.layout.dir, 'setup.log') });
}

async function findPorts(): Promise<ZunPorts> {
  const names = ['keystone', 'zun', 'placement', 'neutron', 'cinder', 'control', 'rabbit'] as const;
  const more = ['rabbitDistribution', 'epmd', 'engine', 'networkPlugin', 'registry', 'wsproxy'] as const;
  const ports = await freePorts(names.length + more.length);
  // Every name gets a port, so the record is complete.
  return Object.fromEntries([...names, ...more].map((name, index) => [name, ports[index] ?? 0])) as unknown as ZunPorts;
}

async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url)).ok;
  } catch {
    return false;
  }
}

async function askAsAdmin(url: string, token: string): Promise<unknown> {
  const headers = { 'x-auth-token': token, accept: 'application/json', 'openstack-api-version': 'container 1.40' };
  const answer = await fetch(url, { headers });
  if (!answer.ok) throw new Error(`GET ${url} answered ${answer.status}: ${await answer.text()}`);
  return answer.json();
}

async function post(url: string, body: object): Promise<void> {
  await until(`${url} takes orders`, () =>
    fetch(url, { method: 'POST', body: JSON.stringify(body) }).then(
      (answer) => answer.ok,
      () => false,
    ),
  );
}

/** A broker that is up answers the protocol header with a frame. */
function speaksAmqp(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('AMQP\0\0\x09\x01'));
    socket.setTimeout(1_000, () => socket.destroy());
    socket.once('data', () => {
      resolve(true);
      socket.destroy();
    });
    socket.once('error', () => resolve(false));
    socket.once('close', () => resolve(false));
  });
}
