import { systemClock } from '../base/clock.ts';
import { type CinderEmulator, createCinderEmulator } from './cinder.ts';
import { createMovableClock, type MovableClock } from './clock.ts';
import { createFaultPlan, type FaultPlan } from './faults.ts';
import { createKeystoneEmulator, type KeystoneControl, type KeystoneEmulator } from './keystone/keystone.ts';
import { createNetworkState, type FloatingIp, type NetworkState, type Port } from './networks.ts';
import { createNeutronEmulator, type NeutronEmulator } from './neutron.ts';
import { createVolumeState, type NewVolume, type Volume, type VolumeState } from './volumes.ts';
import type { ZunControl } from './zun/control.ts';
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

/** The controls of all services; over HTTP by `startControlServer`. */
export interface CloudControl {
  zun: ZunControl;
  keystone: KeystoneControl;
  /** Faults of Neutron, for Zun's own calls, too: operation `port.create`. */
  neutron: {
    faults: FaultPlan;
    ports(): Port[];
    floatingIps(): FloatingIp[];
    /** In the project of the member `demo` unless another is given. Answers its id. */
    createSecurityGroup(name: string, projectId?: string): string;
  };
  /** Faults of Cinder, for Zun's own calls, too: operation `volume.create`. */
  cinder: {
    faults: FaultPlan;
    volumes(): Volume[];
    /** In the project of the member `demo` unless another is given. */
    createVolume(wanted: Omit<NewVolume, 'projectId'> & { projectId?: string }): Volume;
  };
}

/** A small OpenStack on loopback. */
export interface CloudEmulator {
  clock: MovableClock;
  keystone: KeystoneEmulator;
  zun: ZunEmulator;
  neutron: NeutronEmulator;
  cinder: CinderEmulator;
  networks: NetworkState;
  volumes: VolumeState;
  control: CloudControl;
  /** The `OS_*` variables of the member `demo`. */
  env: Record<string, string>;
  close(): Promise<void>;
}

/** Starts Keystone, Zun, Neutron and Cinder, wired: they take Keystone's tokens, Keystone's catalog names them. */
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
  const urls = { zun: '', neutron: '', cinder: '' };
  const keystone = await createKeystoneEmulator({
    clock,
    region,
    catalog: () => [
      ...zunTypes(options).map((type) => ({ type, name: 'zun', url: urls.zun })),
      { type: 'network', name: 'neutron', url: urls.neutron },
      { type: 'volumev3', name: 'cinderv3', url: `${urls.cinder}/%(project_id)s` },
    ],
    ...(options.tokenLifeMs === undefined ? {} : { tokenLifeMs: options.tokenLifeMs }),
    ...(options.keystonePort === undefined ? {} : { port: options.keystonePort }),
  });
  const identity = keystone.check;
  const memberProject = keystone.identity.projects[0]?.id ?? '';
  const [zun, neutron, cinder] = await Promise.all([
    createZunEmulator({
      memberProject,
      ...options.zun,
      clock,
      networks,
      volumes,
      identity,
      keystoneUrl: () => keystone.url.replace(/\/v3$/, ''),
    }),
    createNeutronEmulator({ clock, faults: neutronFaults, networks, identity }),
    createCinderEmulator({ clock, faults: cinderFaults, volumes, identity }),
  ]);
  Object.assign(urls, { zun: zun.url, neutron: neutron.url, cinder: cinder.url });
  return {
    clock,
    keystone,
    zun,
    neutron,
    cinder,
    networks,
    volumes,
    control: {
      zun: zun.control,
      keystone: keystone.control,
      neutron: {
        faults: neutronFaults,
        ports: networks.ports,
        floatingIps: () => [...networks.floatingIps.values()],
        createSecurityGroup: (name, projectId = memberProject) => networks.createSecurityGroup(name, projectId),
      },
      cinder: {
        faults: cinderFaults,
        volumes: volumes.all,
        createVolume: (wanted) => volumes.create({ projectId: memberProject, ...wanted }),
      },
    },
    env: memberEnvironment(keystone.url, region),
    async close() {
      await Promise.all([zun.close(), keystone.close(), neutron.close(), cinder.close()]);
      clock.stop();
    },
  };
}

function zunTypes(options: CloudOptions): string[] {
  return options.zunServiceTypes ?? ['container', 'application-container'];
}

function memberEnvironment(authUrl: string, region: string): Record<string, string> {
  return {
    OS_AUTH_URL: authUrl,
    OS_USERNAME: 'demo',
    OS_PASSWORD: 'demopw',
    OS_PROJECT_NAME: 'demo',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
    OS_IDENTITY_API_VERSION: '3',
  };
}
