import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import type { ZunRuntime } from './install.ts';

/** The ports of one bed, all on the loopback interface. */
export interface ZunPorts {
  keystone: number;
  zun: number;
  placement: number;
  neutron: number;
  cinder: number;
  control: number;
  rabbit: number;
  rabbitDistribution: number;
  epmd: number;
  /** Where the Docker engine listens for zun-wsproxy, which attaches to containers over TCP. */
  engine: number;
  networkPlugin: number;
  registry: number;
  wsproxy: number;
}

/** What the settings are made from. */
export interface ZunLayout {
  dir: string;
  venv: string;
  ports: ZunPorts;
  runtime: ZunRuntime;
  /** How long a Keystone token lives, in seconds. */
  tokenSeconds: number;
}

type Sections = Record<string, Record<string, string | number | boolean>>;

/** The name under which the compute node registers, with Zun and with its Docker engine. */
export function computeHost(runtime: ZunRuntime): string {
  return runtime === 'docker' ? hostname() : 'compute1';
}

export function databaseUrl({ dir }: ZunLayout, service: 'keystone' | 'placement' | 'zun'): string {
  return `sqlite:///${join(dir, `${service}.db`)}?timeout=30`;
}

export function dockerSocket({ dir }: ZunLayout): string {
  return join(dir, 'docker.sock');
}

/** The passwords of the services' own users. */
export const servicePasswords = { zun: 'zun-password', placement: 'placement-password' };

function serviceAuth({ ports }: ZunLayout, user: keyof typeof servicePasswords) {
  return {
    auth_type: 'password',
    auth_url: `http://127.0.0.1:${ports.keystone}`,
    username: user,
    password: servicePasswords[user],
    project_name: 'service',
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  };
}

/** Writes Keystone's settings; answers the folder. */
export function writeKeystoneSettings(layout: ZunLayout): string {
  const folder = join(layout.dir, 'etc', 'keystone');
  for (const keys of ['fernet', 'receipts', 'credential']) {
    mkdirSync(join(folder, keys), { recursive: true, mode: 0o700 });
  }
  writeSettings(join(folder, 'keystone.conf'), {
    database: { connection: databaseUrl(layout, 'keystone') },
    token: { provider: 'fernet', expiration: layout.tokenSeconds },
    fernet_tokens: { key_repository: join(folder, 'fernet') },
    fernet_receipts: { key_repository: join(folder, 'receipts') },
    credential: { key_repository: join(folder, 'credential') },
    cache: { enabled: true, backend: 'dogpile.cache.memory' },
    // The default of 12 rounds costs a quarter of a second a login, and each POST to Zun makes up to three.
    identity: { password_hash_algorithm: 'bcrypt', password_hash_rounds: 4 },
  });
  return folder;
}

/** Writes Placement's settings; answers the folder. */
export function writePlacementSettings(layout: ZunLayout): string {
  const folder = join(layout.dir, 'etc', 'placement');
  writeSettings(join(folder, 'placement.conf'), {
    placement_database: { connection: databaseUrl(layout, 'placement') },
    api: { auth_strategy: 'keystone' },
    keystone_authtoken: {
      www_authenticate_uri: `http://127.0.0.1:${layout.ports.keystone}`,
      ...serviceAuth(layout, 'placement'),
    },
  });
  return folder;
}

/** Writes Zun's settings; answers the file. */
export function writeZunSettings(layout: ZunLayout): string {
  const { dir, venv, ports, runtime } = layout;
  const folder = join(dir, 'etc', 'zun');
  const file = join(folder, 'zun.conf');
  cpSync(join(venv, 'etc', 'zun'), folder, { recursive: true });
  const privsep = { helper_command: `${join(venv, 'bin', 'privsep-helper')} --config-file ${file}` };
  const keystone = `http://127.0.0.1:${ports.keystone}`;
  writeSettings(file, {
    DEFAULT: {
      transport_url: `rabbit://guest:guest@127.0.0.1:${ports.rabbit}/`,
      host: computeHost(runtime),
      my_ip: '127.0.0.1',
      state_path: join(dir, 'zun'),
      capsule_driver: 'docker',
      container_driver: 'docker',
      image_driver_list: 'docker',
      // Defaults are 60 s; a test does not wait that long for a standalone container's status.
      sync_container_state_interval: 5,
      periodic_interval_max: 10,
      use_stderr: true,
    },
    docker: {
      api_url: `unix://${dockerSocket(layout)}`,
      docker_remote_api_version: '1.40',
      docker_remote_api_host: '127.0.0.1',
      docker_remote_api_port: ports.engine,
      // What zun-wsproxy is told to connect to.
      docker_remote_api_url: `unix://${dockerSocket(layout)}`,
    },
    websocket_proxy: {
      base_url: `ws://127.0.0.1:${ports.wsproxy}/`,
      wsproxy_host: '127.0.0.1',
      wsproxy_port: ports.wsproxy,
    },
    api: { host_ip: '127.0.0.1', port: ports.zun, workers: 1, api_paste_config: join(folder, 'api-paste.ini') },
    database: { connection: databaseUrl(layout, 'zun') },
    keystone_authtoken: {
      www_authenticate_uri: keystone,
      service_token_roles_required: true,
      ...serviceAuth(layout, 'zun'),
    },
    keystone_auth: serviceAuth(layout, 'zun'),
    oslo_concurrency: { lock_path: join(dir, 'lock') },
    oslo_messaging_rabbit: { rabbit_quorum_queue: false, heartbeat_in_pthread: false },
    privsep,
    privsep_osbrick: privsep,
    // A small test machine plays a large one, so that scheduling never says no.
    compute: { reserved_host_memory_mb: 0, cpu_allocation_ratio: 10_000, ram_allocation_ratio: 1_000 },
    volume: { volume_dir: join(dir, 'zun', 'mnt') },
  });
  return file;
}

/** Answers the environment of RabbitMQ: every file under the bed's folder, every port on loopback, one scheduler thread. */
export function rabbitEnvironment({ dir, ports }: ZunLayout): NodeJS.ProcessEnv {
  const home = join(dir, 'rabbit');
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, 'plugins'), '[].\n');
  return {
    ...process.env,
    HOME: home,
    RABBITMQ_NODENAME: `zunlet${ports.rabbit}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(ports.rabbit),
    RABBITMQ_DIST_PORT: String(ports.rabbitDistribution),
    RABBITMQ_MNESIA_BASE: join(home, 'mnesia'),
    RABBITMQ_LOG_BASE: join(home, 'log'),
    RABBITMQ_PID_FILE: join(home, 'pid'),
    RABBITMQ_CONFIG_FILE: join(home, 'none'),
    RABBITMQ_CONF_ENV_FILE: join(home, 'none-env'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(home, 'plugins'),
    ...epmdEnvironment(ports),
    RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS:
      '+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1}',
  };
}

/** Answers the environment of Erlang's name service, which RabbitMQ would otherwise leave running behind itself. */
export function epmdEnvironment(ports: ZunPorts): NodeJS.ProcessEnv {
  return { ERL_EPMD_PORT: String(ports.epmd), ERL_EPMD_ADDRESS: '127.0.0.1' };
}

function writeSettings(file: string, sections: Sections): void {
  const text = Object.entries(sections).map(([section, values]) => {
    const lines = Object.entries(values).map(([key, value]) => `${key} = ${value}\n`);
    return `[${section}]\n${lines.join('')}`;
  });
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text.join('\n'));
}
