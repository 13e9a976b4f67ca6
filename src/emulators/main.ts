import { parseArgs } from 'node:util';
import { type CloudOptions, createCloudEmulator } from './cloud.ts';
import { startControlServer } from './control-server.ts';
import { createKubeEmulator } from './kube/emulator.ts';

const usage = `Starts an emulated OpenStack (Keystone, Zun, Neutron, Cinder) on loopback, on request with a Kubernetes API server, and prints
one line of JSON when it is ready: its URLs, the OS_* variables, the kubeconfig and a control URL. Ends on SIGTERM or SIGINT.

  node src/emulators/main.ts [options]

  --port N              port of Zun's API (default: any)
  --keystone-port N     port of Keystone (default: any)
  --control-port N      port of the control (default: any)
  --driver NAME         docker or cri (default docker)
  --init-containers W   broken or working (default broken)
  --bugs W              faithful or fixed (default faithful)
  --cidr CIDR           addresses of Pods (default 127.77.0.0/16)
  --ipv6                give Pods an IPv6 address, too
  --no-listeners        open no ports on Pods' addresses
  --token-life SECONDS  how long tokens live (default 3600)
  --latency JSON        {"claimMs":10,"sandboxMs":40,"pullMs":20,"startMs":20,"removeMs":20}
  --remember SECONDS    keep former states for the fault "stale"
  --kube                start a Kubernetes API server, too
  --kube-tls            let it serve HTTPS and demand credentials
`;

const { values } = parseArgs({
  options: {
    zun: { type: 'boolean' },
    keystone: { type: 'boolean' },
    port: { type: 'string' },
    'keystone-port': { type: 'string' },
    'control-port': { type: 'string' },
    driver: { type: 'string' },
    'init-containers': { type: 'string' },
    bugs: { type: 'string' },
    cidr: { type: 'string' },
    ipv6: { type: 'boolean' },
    'no-listeners': { type: 'boolean' },
    'token-life': { type: 'string' },
    latency: { type: 'string' },
    remember: { type: 'string' },
    kube: { type: 'boolean' },
    'kube-tls': { type: 'boolean' },
    help: { type: 'boolean' },
  },
});

function oneOf<T extends string>(name: string, value: string | undefined, allowed: readonly T[]): T | undefined {
  if (value === undefined) return undefined;
  const found = allowed.find((item) => item === value);
  if (found === undefined) fail(`--${name} takes ${allowed.join(' or ')}`);
  return found;
}

function numberOf(name: string, value: string | undefined): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  if (!Number.isFinite(number) || number < 0) fail(`--${name} takes a number`);
  return number;
}

function fail(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}

/** Leaves out what was not given, so that defaults apply. */
function given<T extends object>(options: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(options).filter(([, value]) => value !== undefined);
  // The keys that are left have values; those that are not are absent, which optional fields allow.
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}

function readOptions(): CloudOptions {
  const seconds = (name: 'token-life' | 'remember') => {
    const value = numberOf(name, values[name]);
    return value === undefined ? undefined : value * 1000;
  };
  return given({
    keystonePort: numberOf('keystone-port', values['keystone-port']),
    cidr: values.cidr,
    ipv6: values.ipv6,
    tokenLifeMs: seconds('token-life'),
    zun: given({
      port: numberOf('port', values.port),
      driver: oneOf('driver', values.driver, ['docker', 'cri'] as const),
      initContainers: oneOf('init-containers', values['init-containers'], ['broken', 'working'] as const),
      bugs: oneOf('bugs', values.bugs, ['faithful', 'fixed'] as const),
      latency: values.latency === undefined ? undefined : (JSON.parse(values.latency) as Record<string, number>),
      listeners: values['no-listeners'] ? false : undefined,
      rememberMs: seconds('remember'),
    }),
  });
}

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const cloud = await createCloudEmulator(readOptions());
  const kube =
    values.kube || values['kube-tls'] ? await createKubeEmulator({ tls: values['kube-tls'] === true }) : undefined;
  const controls = { ...cloud.control, ...(kube && { kube: kube.control }) };
  const control = await startControlServer(controls, numberOf('control-port', values['control-port']));
  const credential = cloud.keystone.identity.applicationCredentials[0];
  const line = {
    env: cloud.env,
    keystone: cloud.keystone.url,
    zun: cloud.zun.url,
    websocket: cloud.zun.wsUrl,
    neutron: cloud.neutron.url,
    cinder: cloud.cinder.url,
    control: control.url,
    ...(kube && { kube: kube.url, kubeconfig: kube.kubeconfig() }),
    application_credential: { id: credential?.id, secret: credential?.secret },
    pid: process.pid,
  };
  process.stdout.write(`${JSON.stringify(line)}\n`);
  const stop = () => {
    void Promise.all([cloud.close(), control.close(), kube?.close()]).then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

await main();
