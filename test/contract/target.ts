import { systemClock } from '../../src/base/clock.ts';
import { createMovableClock } from '../../src/emulators/clock.ts';
import { createCloudEmulator } from '../../src/emulators/cloud.ts';
import type { NetworkScene } from '../../src/emulators/networks.ts';
import type { Names } from './compare.ts';

/** A cloud that the suite talks to. */
export interface Target {
  isReal: boolean;
  names: Names;
  /** Token by role: `demo`, `other`, `admin`. */
  tokens: Record<string, string>;
  /** What the cloud has beside Zun: `admin`, `other`, `bed`, `peer`. */
  has: string[];
  /** Lets time pass. */
  pass(ms: number): Promise<void>;
  /** Scripts Neutron and Cinder. */
  script(ctl: Record<string, unknown>): Promise<void>;
  close(): Promise<void>;
}

const passwords: Record<string, string> = { demo: 'demopw', other: 'otherpw', admin: 'adminpw' };

/**
 * Starts the emulator, or goes to the cloud that the environment names: `ZUN_URL` (with or without `/v1`), `OS_AUTH_URL`,
 * and `ZUN_CONTROL` for the scripted backend. That cloud has the users and passwords of test/data/zun-vectors.
 */
export async function openTarget(): Promise<Target> {
  const { ZUN_URL: zunUrl, OS_AUTH_URL: keystoneUrl, ZUN_CONTROL: controlUrl } = process.env;
  if (zunUrl && keystoneUrl) return realTarget(zunUrl, keystoneUrl, controlUrl);
  const clock = createMovableClock({ base: systemClock, manual: true });
  const cloud = await createCloudEmulator({
    clock,
    ipv6: true,
    zun: {
      listeners: false,
      host: { cpus: 15.9, memoryMiB: 24_105 },
      // About as fast as the recorded service, so that its GETs fell into the same states.
      latency: { claimMs: 80, sandboxMs: 70, pullMs: 5, startMs: 10, removeMs: 30 },
    },
  });
  return {
    isReal: false,
    has: ['admin', 'other', 'bed', 'peer'],
    ...(await logins(cloud.zun.url, cloud.keystone.url)),
    pass: (ms) => clock.advance(ms),
    script(ctl) {
      if (typeof ctl['networks'] === 'string') cloud.networks.setScene(ctl['networks'] as NetworkScene);
      if (ctl['fail'] === null) cloud.control.neutron.faults.clear();
      else if (ctl['fail'])
        cloud.control.neutron.faults.add({ operation: 'port.create', fault: { kind: 'status', status: 500 } });
      return Promise.resolve();
    },
    close: cloud.close,
  };
}

async function realTarget(zunUrl: string, keystoneUrl: string, controlUrl: string | undefined): Promise<Target> {
  return {
    isReal: true,
    has: controlUrl ? ['admin', 'other', 'bed', 'peer'] : ['admin', 'other'],
    ...(await logins(zunUrl, keystoneUrl)),
    pass: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    async script(ctl) {
      await fetch(`${controlUrl}/set`, { method: 'POST', body: JSON.stringify(ctl) });
    },
    close: () => Promise.resolve(),
  };
}

async function logins(zunUrl: string, keystoneUrl: string): Promise<Pick<Target, 'names' | 'tokens'>> {
  const root = zunUrl.replace(/\/+$/, '').replace(/\/v1$/, '');
  const names: Names = { root, keystone: keystoneUrl.replace(/\/v3\/?$/, ''), projects: {}, users: {} };
  const tokens: Record<string, string> = {};
  for (const [name, password] of Object.entries(passwords)) {
    const domain = { id: 'default' };
    const identity = { methods: ['password'], password: { user: { name, password, domain } } };
    const response = await fetch(`${names.keystone}/v3/auth/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ auth: { identity, scope: { project: { name, domain } } } }),
    });
    if (response.status !== 201) throw new Error(`logging in as ${name}: keystone answered ${response.status}`);
    const { token } = (await response.json()) as { token: { user: { id: string }; project: { id: string } } };
    tokens[name] = response.headers.get('x-subject-token') ?? '';
    names.projects[name] = token.project.id;
    names.users[name] = token.user.id;
  }
  return { names, tokens };
}
