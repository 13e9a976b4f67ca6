import { systemClock } from '../base/clock.ts';
import { createMovableClock, type MovableClock } from './clock.ts';
import { createFaultPlan, type FaultPlan } from './faults.ts';
import { createKeystoneEmulator, type KeystoneEmulator } from './keystone/keystone.ts';
import { createNetworkState, type NetworkState } from './networks.ts';
import { createVolumeState, type VolumeState } from './volumes.ts';
import { createZunEmulator, type ZunEmulator } from './zun/emulator.ts';
import type { ZunOptions } from './zun/options.ts';

export interface CloudOptions {
  /** Default: real time that `clock.advance` can add to. */
  clock?: MovableClock;
  zun?: Omit<ZunOptions, 'clock' | 'identity' | 'keystoneUrl' | 'networks' | 'volumes'>;
  keystonePort?: number;
  /** Types under which Zun stands in the catalog. Default both that are in use. */
  zunServiceTypes?: string[];
  tokenLifeMs?: number;
  region?: string;
  /** IPv4 range of Pods. Default `127.77.0.0/16`. */
  cidr?: string;
  ipv6?: boolean;
}

/** A small OpenStack on loopback. */
export interface CloudEmulator {
  clock: MovableClock;
  keystone: KeystoneEmulator;
  zun: ZunEmulator;
  networks: NetworkState;
  volumes: VolumeState;
  /** Faults of Neutron, for Zun's own calls, too: operation `port.create`. */
  neutronFaults: FaultPlan;
  cinderFaults: FaultPlan;
  /** The `OS_*` variables of the member `demo`. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts Keystone and Zun, wired: Zun takes Keystone's tokens, Keystone's catalog names Zun. */
export async function createCloudEmulator(options: CloudOptions = {}): Promise<CloudEmulator> {
  const clock = options.clock ?? createMovableClock({ base: systemClock });
  const neutronFaults = createFaultPlan();
  const cinderFaults = createFaultPlan();
  const networks = createNetworkState({
    clock,
    faults: neutronFaults,
    ...(options.cidr === undefined ? {} : { cidr: options.cidr }),
    ...(options.ipv6 === undefined ? {} : { ipv6: options.ipv6 }),
  });
  const volumes = createVolumeState(clock, cinderFaults);
  const region = options.region ?? 'RegionOne';
  let zunUrl = '';
  const keystone = await createKeystoneEmulator({
    clock,
    region,
    catalog: () =>
      (options.zunServiceTypes ?? ['container', 'application-container']).map((type) => ({
        type,
        name: 'zun',
        url: zunUrl,
      })),
    ...(options.tokenLifeMs === undefined ? {} : { tokenLifeMs: options.tokenLifeMs }),
    ...(options.keystonePort === undefined ? {} : { port: options.keystonePort }),
  });
  const zun = await createZunEmulator({
    ...options.zun,
    clock,
    networks,
    volumes,
    identity: keystone.check,
    keystoneUrl: () => keystone.url.replace(/\/v3$/, ''),
  });
  zunUrl = zun.url;
  return {
    clock,
    keystone,
    zun,
    networks,
    volumes,
    neutronFaults,
    cinderFaults,
    env: {
      OS_AUTH_URL: keystone.url,
      OS_USERNAME: 'demo',
      OS_PASSWORD: 'demopw',
      OS_PROJECT_NAME: 'demo',
      OS_USER_DOMAIN_NAME: 'Default',
      OS_PROJECT_DOMAIN_NAME: 'Default',
      OS_REGION_NAME: region,
      OS_IDENTITY_API_VERSION: '3',
    },
    async close() {
      await Promise.all([zun.close(), keystone.close()]);
      clock.stop();
    },
  };
}
