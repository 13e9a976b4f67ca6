import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { ownerLabel } from '../../../src/base/identity.ts';
import type { Capsule } from '../../../src/openstack/types.ts';
import type { CloudCalls } from './cloud-process.ts';

/** The calls of the other process, all of which take a moment. */
type Remote = {
  [K in keyof CloudCalls]: (...given: Parameters<CloudCalls[K]>) => Promise<Awaited<ReturnType<CloudCalls[K]>>>;
};

/** An emulated Keystone and Zun in a process of their own. */
export interface EmulatedCloud extends Remote {
  /** What zunlet logs in with. */
  env: Record<string, string>;
  /** Every capsule as Zun's API shows it to another client of the same project; counts as a list. */
  capsules(): Promise<Capsule[]>;
  capsulesOf(podUid: string): Promise<Capsule[]>;
  stop(): Promise<void>;
}

type Message =
  | { ready: { env: Record<string, string>; zunUrl: string } }
  | { id: number; value?: unknown; error?: string };

/**
 * Starts the emulated cloud. It ends with this process, whatever ends that. `podCidr`: where Pods get their addresses, else
 * in the loopback range, so that they can be dialled.
 */
export async function startEmulatedCloud(podCidr?: string): Promise<EmulatedCloud> {
  const given = podCidr === undefined ? [] : [podCidr];
  const child = fork(join(import.meta.dirname, 'cloud-process.ts'), given, {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const answers = new Map<number, (message: { value?: unknown; error?: string }) => void>();
  let calls = 0;
  const ready = new Promise<{ env: Record<string, string>; zunUrl: string }>((resolve, reject) => {
    child.once('exit', () => reject(new Error('the emulated cloud ended')));
    child.on('message', (message: Message) => {
      if ('ready' in message) resolve(message.ready);
      else answers.get(message.id)?.(message);
    });
  });
  const ask = <K extends keyof CloudCalls>(call: K): Remote[K] => {
    const remote = (...given: unknown[]) =>
      new Promise((resolve, reject) => {
        const id = ++calls;
        answers.set(id, ({ value, error }) => {
          answers.delete(id);
          if (error === undefined) resolve(value);
          else reject(new Error(`${call}: ${error}`));
        });
        child.send({ id, call, given });
      });
    // The other side runs the function of that very name.
    return remote as unknown as Remote[K];
  };
  const { env, zunUrl } = await ready;
  const capsules = () => listCapsules(env, zunUrl);
  return {
    env,
    capsules,
    capsulesOf: async (uid) => (await capsules()).filter(({ labels }) => labels?.[ownerLabel.uid] === uid),
    uuids: ask('uuids'),
    counts: ask('counts'),
    resetCounts: ask('resetCounts'),
    doubles: ask('doubles'),
    livePods: ask('livePods'),
    down: ask('down'),
    up: ask('up'),
    serve: ask('serve'),
    createVolume: ask('createVolume'),
    volumes: ask('volumes'),
    createSecurityGroup: ask('createSecurityGroup'),
    ports: ask('ports'),
    floatingIps: ask('floatingIps'),
    async stop() {
      const ended = once(child, 'exit');
      child.disconnect();
      await ended;
    },
  };
}

/** A clouds.yaml with the login of an emulated cloud under each of these names. */
export function cloudsYaml(env: Record<string, string>, ...names: string[]): string {
  const auth = {
    auth_url: env['OS_AUTH_URL'],
    username: env['OS_USERNAME'],
    password: env['OS_PASSWORD'],
    project_name: env['OS_PROJECT_NAME'],
    user_domain_name: 'Default',
    project_domain_name: 'Default',
  };
  const login = { auth, region_name: 'RegionOne' };
  return JSON.stringify({ clouds: Object.fromEntries(names.map((name) => [name, login])) });
}

/** Lists both kinds of object that a Pod may be. */
async function listCapsules(env: Record<string, string>, zunUrl: string): Promise<Capsule[]> {
  const headers = {
    'x-auth-token': await logIn(env),
    accept: 'application/json',
    'openstack-api-version': 'container 1.40',
  };
  const [capsules = [], containers = []] = await Promise.all(
    ['capsules', 'containers'].map(async (kind) => {
      const answer = await fetch(`${zunUrl}/${kind}?limit=1000`, { headers });
      if (!answer.ok) throw new Error(`GET /${kind}: zun answered ${answer.status}: ${await answer.text()}`);
      return ((await answer.json()) as Record<string, Capsule[]>)[kind];
    }),
  );
  return [...capsules, ...containers];
}

async function logIn(env: Record<string, string>): Promise<string> {
  const domain = { name: 'Default' };
  const user = { name: env['OS_USERNAME'], password: env['OS_PASSWORD'], domain };
  const auth = {
    identity: { methods: ['password'], password: { user } },
    scope: { project: { name: env['OS_PROJECT_NAME'], domain } },
  };
  const answer = await fetch(`${env['OS_AUTH_URL']}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth }),
  });
  const token = answer.headers.get('x-subject-token');
  if (!token) throw new Error(`logging in: keystone answered ${answer.status}`);
  return token;
}
