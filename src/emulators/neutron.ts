import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { createCounters } from './counters.ts';
import type { FaultPlan } from './faults.ts';
import type { TokenInfo } from './keystone/tokens.ts';
import { type Network, type NetworkState, type Port, subnetId } from './networks.ts';
import { type Answer, type Call, startService } from './service.ts';

export interface NeutronOptions {
  clock: Clock;
  faults: FaultPlan;
  networks: NetworkState;
  identity(token: string | undefined): TokenInfo | 'down' | undefined;
}

export interface NeutronEmulator {
  url: string;
  close(): Promise<void>;
}

type Json = Record<string, unknown>;

/** Starts a small Neutron: networks, subnets and ports to read, ports to delete, security groups by name. */
export async function createNeutronEmulator(options: NeutronOptions): Promise<NeutronEmulator> {
  const service = await startService({
    clock: options.clock,
    faults: options.faults,
    counters: createCounters(),
    operation: (method, path) => `${(path.split('/')[2] ?? 'version').replace(/s$/, '')}.${method.toLowerCase()}`,
    handle: (call) => handle(call, options),
    failure: (_call, status, detail) => failure(status, 'Scripted', detail),
  });
  return { url: service.url, close: service.close };
}

function handle(call: Call, options: NeutronOptions): Answer {
  const [, version, kind, id] = call.path.replace(/\/+$/, '').split('/');
  if (kind === undefined) {
    const links = [{ rel: 'self', href: `${call.root}/v2.0/` }];
    return ok({ versions: [{ id: 'v2.0', status: 'CURRENT', links }] });
  }
  const info = options.identity(String(call.headers['x-auth-token'] ?? ''));
  if (!info || info === 'down')
    return failure(401, 'Unauthorized', 'The request you have made requires authentication.');
  if (version !== 'v2.0') return failure(404, 'HTTPNotFound', 'The resource could not be found.');
  const { networks } = options;
  const visible = networks.networks(info.projectId ?? '');
  switch (kind) {
    case 'networks':
      return collection(
        call,
        id,
        'network',
        visible.map((item) => networkJson(item, networks)),
      );
    case 'subnets':
      return collection(
        call,
        id,
        'subnet',
        visible.flatMap((item) => subnetsJson(item, networks)),
      );
    case 'ports':
      if (call.method === 'DELETE') return deletePort(networks, id ?? '', info);
      return collection(call, id, 'port', portsOf(networks, info).map(portJson));
    case 'security-groups':
      return collection(call, id, 'security_group', groupsJson(networks, info));
    case 'extensions':
      return ok({ extensions: [] });
    default:
      return failure(404, 'HTTPNotFound', 'The resource could not be found.');
  }
}

function collection(call: Call, id: string | undefined, noun: string, items: Json[]): Answer {
  if (call.method !== 'GET') return failure(405, 'HTTPMethodNotAllowed', 'The method is not allowed.');
  if (id !== undefined) {
    const found = items.find((item) => item['id'] === id);
    return found ? ok({ [noun]: found }) : failure(404, `${noun}NotFound`, `${noun} ${id} could not be found.`);
  }
  const wanted = [...call.query].filter(([key]) => !['fields', 'limit', 'marker', 'sort_key'].includes(key));
  return ok({
    [`${noun}s`]: items.filter((item) => wanted.every(([key, value]) => String(item[key] ?? '') === value)),
  });
}

function portsOf(networks: NetworkState, info: TokenInfo): Port[] {
  return networks.ports().filter((port) => info.roles.includes('admin') || port.projectId === info.projectId);
}

function deletePort(networks: NetworkState, id: string, info: TokenInfo): Answer {
  const isOurs = portsOf(networks, info).some((port) => port.id === id);
  if (!isOurs || !networks.deletePort(id)) return failure(404, 'PortNotFound', `Port ${id} could not be found.`);
  return { status: 204 };
}

function networkJson(network: Network, state: NetworkState): Json {
  return {
    id: network.id,
    name: network.name,
    shared: network.shared,
    'router:external': network.isExternal,
    tenant_id: network.projectId,
    project_id: network.projectId,
    status: 'ACTIVE',
    admin_state_up: true,
    mtu: 1450,
    created_at: network.createdAt,
    updated_at: network.createdAt,
    subnets: subnetsJson(network, state).map((subnet) => subnet['id']),
  };
}

function subnetsJson(network: Network, state: NetworkState): Json[] {
  const subnet = (version: 4 | 6, cidr: string) => ({
    id: subnetId(network.id, version),
    network_id: network.id,
    ip_version: version,
    cidr,
    gateway_ip: null,
    enable_dhcp: true,
    dns_nameservers: [],
    host_routes: [],
    name: `v${version}`,
    tenant_id: network.projectId,
    project_id: network.projectId,
  });
  return [subnet(4, state.cidr), ...(state.hasIpv6 ? [subnet(6, 'fd00:77::/64')] : [])];
}

function portJson(port: Port): Json {
  return {
    id: port.id,
    network_id: port.networkId,
    tenant_id: port.projectId,
    project_id: port.projectId,
    name: '',
    status: 'ACTIVE',
    admin_state_up: true,
    device_id: port.deviceId,
    device_owner: port.deviceOwner,
    mac_address: port.macAddress,
    fixed_ips: port.addresses.map((address) => ({ subnet_id: address.subnetId, ip_address: address.addr })),
    security_groups: ['default-sg'],
    created_at: new Date(port.createdAt).toISOString(),
  };
}

function groupsJson(networks: NetworkState, info: TokenInfo): Json[] {
  const project = info.projectId ?? '';
  const rule = (direction: string, ethertype: string) => ({
    id: `${direction}-${ethertype}`,
    direction,
    ethertype,
    protocol: null,
    remote_ip_prefix: null,
    remote_group_id: direction === 'ingress' ? 'default-sg' : null,
    security_group_id: 'default-sg',
  });
  const rules = ['IPv4', 'IPv6'].flatMap((family) => [rule('egress', family), rule('ingress', family)]);
  const group = (id: string, name: string, own: Json[]) => ({
    id,
    name,
    description: '',
    tenant_id: project,
    project_id: project,
    security_group_rules: own,
  });
  const made = networks.securityGroups().filter((item) => item.projectId === project);
  return [group('default-sg', 'default', rules), ...made.map((item) => group(item.id, item.name, []))];
}

function ok(json: unknown): Answer {
  return { status: 200, json, headers: { 'x-openstack-request-id': `req-${randomUUID()}` } };
}

function failure(status: number, type: string, message: string): Answer {
  const json =
    status === 401 ? { error: { code: 401, title: type, message } } : { NeutronError: { type, message, detail: '' } };
  return { status, json, headers: { 'x-openstack-request-id': `req-${randomUUID()}` } };
}
