import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { FaultPlan } from './faults.ts';

/** What networks a project sees: `two` is its own, younger one beside the shared one. */
export type NetworkScene = 'none' | 'shared' | 'own' | 'external' | 'two';

export interface Network {
  id: string;
  name: string;
  shared: boolean;
  isExternal: boolean;
  projectId: string;
  createdAt: string;
}

export interface Port {
  id: string;
  networkId: string;
  projectId: string;
  deviceId: string;
  deviceOwner: string;
  macAddress: string;
  addresses: { addr: string; version: 4 | 6; subnetId: string }[];
  createdAt: number;
  securityGroups: string[];
}

export interface FloatingIp {
  id: string;
  projectId: string;
  networkId: string;
  address: string;
  portId: string | null;
  description: string;
}

interface SecurityGroup {
  id: string;
  name: string;
  projectId: string;
}

export interface NetworkOptions {
  clock: Clock;
  faults: FaultPlan;
  /** IPv4 range of every subnet. Default `127.77.0.0/16`: any address in it can be dialled on this machine. */
  cidr?: string;
  /** Give each port an IPv6 address, too. They lead nowhere. Default false. */
  ipv6?: boolean;
}

/** Networks and ports, as Neutron keeps them; Zun uses them from inside, the Neutron emulator shows them. */
export interface NetworkState {
  setScene(scene: NetworkScene): void;
  networks(projectId: string): Network[];
  /** Errors: an `Error` with Neutron's text when a fault says so. */
  createPort(port: Pick<Port, 'networkId' | 'projectId' | 'deviceId' | 'deviceOwner'>): Port;
  deletePort(id: string): boolean;
  ports(): Port[];
  createSecurityGroup(name: string, projectId: string): string;
  deleteSecurityGroup(id: string): boolean;
  securityGroups(): SecurityGroup[];
  /** Where floating IPs come from; seen by every project. */
  outside: Network;
  floatingIps: Map<string, FloatingIp>;
  takeFloatingAddress(): string;
  cidr: string;
  hasIpv6: boolean;
}

const sharedNetwork = '86f0b398-0000-4000-8000-00000000aaaa';
const ownNetwork = '86f0b398-0000-4000-8000-00000000bbbb';
const externalNetwork = '86f0b398-0000-4000-8000-00000000eeee';

/** The group that every port begins with. */
export const defaultGroup = 'default-sg';

const outside: Network = {
  id: '86f0b398-0000-4000-8000-00000000ffff',
  name: 'public',
  shared: false,
  isExternal: true,
  projectId: 'cloud',
  createdAt: '2026-01-01T00:00:00Z',
};

/** Names the subnet of a network. */
export function subnetId(networkId: string, version: 4 | 6): string {
  return `48bdf0e5-0000-4000-8000-${networkId.slice(-8)}000${version}`;
}

/** Makes the networks of an emulated cloud, with one shared network and no ports. */
export function createNetworkState(options: NetworkOptions): NetworkState {
  const cidr = options.cidr ?? '127.77.0.0/16';
  const addresses = createAddressPool(cidr);
  const ports = new Map<string, Port>();
  const groups = new Map<string, SecurityGroup>();
  const floating = new Map<string, FloatingIp>();
  let floatingCount = 0;
  let scene: NetworkScene = 'shared';

  function addressesFor(networkId: string): Port['addresses'] {
    const addr = addresses.take();
    const v4 = { addr, version: 4 as const, subnetId: subnetId(networkId, 4) };
    if (!options.ipv6) return [v4];
    const digits = addr.split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
    const last = `fd00:77::${digits[0]}${digits[1]}:${digits[2]}${digits[3]}`;
    return [v4, { addr: last, version: 6, subnetId: subnetId(networkId, 6) }];
  }

  return {
    cidr,
    hasIpv6: options.ipv6 ?? false,
    setScene(next) {
      scene = next;
    },
    networks: (projectId) => networksOf(scene, projectId),
    createPort(wanted) {
      const fault = options.faults.pick('port.create', '/v2.0/ports');
      if (fault) throw new Error(`scripted failure\nNeutron server returns request_ids: ['req-${randomUUID()}']`);
      const id = randomUUID();
      const given = addressesFor(wanted.networkId);
      const parts = (given[0]?.addr ?? '').split('.').map((part) => Number(part).toString(16).padStart(2, '0'));
      const macAddress = `fa:16:3e:${parts[1]}:${parts[2]}:${parts[3]}`;
      const port: Port = {
        ...wanted,
        id,
        macAddress,
        addresses: given,
        createdAt: options.clock.now(),
        securityGroups: [defaultGroup],
      };
      ports.set(id, port);
      return port;
    },
    deletePort(id) {
      const port = ports.get(id);
      if (!port) return false;
      ports.delete(id);
      for (const ip of floating.values()) if (ip.portId === id) ip.portId = null;
      for (const { addr, version } of port.addresses) if (version === 4) addresses.giveBack(addr);
      return true;
    },
    ports: () => [...ports.values()],
    createSecurityGroup(name, projectId) {
      const id = randomUUID();
      groups.set(id, { id, name, projectId });
      return id;
    },
    deleteSecurityGroup: (id) => groups.delete(id),
    securityGroups: () => [...groups.values()],
    outside,
    floatingIps: floating,
    takeFloatingAddress: () => `198.51.100.${1 + (floatingCount++ % 254)}`,
  };
}

function networksOf(scene: NetworkScene, projectId: string): Network[] {
  const network = (id: string, over: Partial<Network>): Network => ({
    id,
    name: `net-${id.slice(-4)}`,
    shared: false,
    isExternal: false,
    projectId: 'cloud',
    createdAt: '2026-01-01T00:00:00Z',
    ...over,
  });
  const shared = network(sharedNetwork, { shared: true });
  switch (scene) {
    case 'none':
      return [];
    case 'shared':
      return [shared];
    case 'own':
      return [network(ownNetwork, { projectId }), shared];
    case 'external':
      return [network(externalNetwork, { isExternal: true, projectId })];
    case 'two':
      return [network(ownNetwork, { projectId, createdAt: '2026-02-01T00:00:00Z' }), shared];
    default:
      return scene satisfies never;
  }
}

/** Hands out addresses of a range, the longest unused first, so that a Pod's address is not soon another's. */
function createAddressPool(cidr: string): { take(): string; giveBack(addr: string): void } {
  const [base = '', bits = '16'] = cidr.split('/');
  const first = base.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  const size = 2 ** (32 - Number(bits));
  const used = new Set<number>();
  let next = 9;
  return {
    take() {
      for (let tried = 0; tried < size; tried++) {
        next = next + 1 >= size - 1 ? 2 : next + 1;
        if (next % 256 === 0 || next % 256 === 255 || used.has(next)) continue;
        used.add(next);
        return dotted(first + next);
      }
      throw new Error('No more IP addresses available on network');
    },
    giveBack(addr) {
      used.delete(addr.split('.').reduce((sum, part) => sum * 256 + Number(part), 0) - first);
    },
  };
}

function dotted(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
