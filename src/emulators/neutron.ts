import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { createCounters } from './counters.ts';
import type { FaultPlan } from './faults.ts';
import type { TokenInfo } from './keystone/tokens.ts';
import { defaultGroup, type FloatingIp, type Network, type NetworkState, type Port, subnetId } from './networks.ts';
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

/** Starts a small Neutron: networks, subnets, ports and their security groups, floating IPs. */
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
        [...visible, networks.outside].map((item) => networkJson(item, networks)),
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
      if (call.method === 'PUT') return updatePort(call, networks, id ?? '', info);
      return collection(call, id, 'port', portsOf(networks, info).map(portJson));
    case 'security-groups':
      return collection(call, id, 'security_group', groupsJson(networks, info));
    case 'floatingips':
      return floatingIps(call, id, networks, info);
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

function updatePort(call: Call, networks: NetworkState, id: string, info: TokenInfo): Answer {
  const port = portsOf(networks, info).find((item) => item.id === id);
  if (!port) return failure(404, 'PortNotFound', `Port ${id} could not be found.`);
  const wanted = bodyOf(call, 'port')['security_groups'];
  if (!Array.isArray(wanted)) return failure(400, 'HTTPBadRequest', 'Invalid input for security_groups.');
  const known = groupsJson(networks, info).map((group) => group['id']);
  const missing = wanted.find((group) => !known.includes(group));
  if (missing !== undefined) {
    return failure(404, 'SecurityGroupNotFound', `Security group ${String(missing)} does not exist`);
  }
  port.securityGroups = wanted.map(String);
  return ok({ port: portJson(port) });
}

function bodyOf(call: Call, noun: string): Json {
  try {
    const body = JSON.parse(call.body) as Record<string, Json | undefined>;
    return body[noun] ?? {};
  } catch {
    return {};
  }
}

/** Floating IPs: their addresses are those for documentation and lead nowhere. */
function floatingIps(call: Call, id: string | undefined, networks: NetworkState, info: TokenInfo): Answer {
  const own = [...networks.floatingIps.values()].filter((ip) => ip.projectId === info.projectId);
  if (call.method === 'GET') {
    const items = own.map((ip) => floatingIpJson(ip, networks));
    return collection(call, id, 'floatingip', items);
  }
  const wish = bodyOf(call, 'floatingip');
  const portId = typeof wish['port_id'] === 'string' ? wish['port_id'] : null;
  if (portId !== null && !portsOf(networks, info).some((port) => port.id === portId)) {
    return failure(404, 'PortNotFound', `Port ${portId} could not be found.`);
  }
  if (call.method === 'POST' && id === undefined) return createFloatingIp(wish, portId, networks, info);
  const found = own.find((ip) => ip.id === id);
  if (!found) return failure(404, 'FloatingIPNotFound', `Floating IP ${id} could not be found.`);
  if (call.method === 'DELETE') {
    networks.floatingIps.delete(found.id);
    return { status: 204 };
  }
  found.portId = portId;
  return ok({ floatingip: floatingIpJson(found, networks) });
}

function createFloatingIp(wish: Json, portId: string | null, networks: NetworkState, info: TokenInfo): Answer {
  const network = String(wish['floating_network_id']);
  if (network !== networks.outside.id) {
    const text = `Bad floatingip request: Network ${network} is not a valid external network.`;
    return failure(400, 'BadRequest', text);
  }
  const made: FloatingIp = {
    id: randomUUID(),
    projectId: info.projectId ?? '',
    networkId: network,
    address: networks.takeFloatingAddress(),
    portId,
    description: String(wish['description'] ?? ''),
  };
  networks.floatingIps.set(made.id, made);
  return { ...ok({ floatingip: floatingIpJson(made, networks) }), status: 201 };
}

function floatingIpJson(ip: FloatingIp, networks: NetworkState): Json {
  const port = networks.ports().find((item) => item.id === ip.portId);
  return {
    id: ip.id,
    tenant_id: ip.projectId,
    project_id: ip.projectId,
    floating_network_id: ip.networkId,
    floating_ip_address: ip.address,
    fixed_ip_address: port?.addresses[0]?.addr ?? null,
    port_id: ip.portId,
    router_id: null,
    status: ip.portId === null ? 'DOWN' : 'ACTIVE',
    description: ip.description,
    tags: [],
  };
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
    security_groups: port.securityGroups,
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
    remote_group_id: direction === 'ingress' ? defaultGroup : null,
    security_group_id: defaultGroup,
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
  return [group(defaultGroup, 'default', rules), ...made.map((item) => group(item.id, item.name, []))];
}

function ok(json: unknown): Answer {
  return { status: 200, json, headers: { 'x-openstack-request-id': `req-${randomUUID()}` } };
}

function failure(status: number, type: string, message: string): Answer {
  const json =
    status === 401 ? { error: { code: 401, title: type, message } } : { NeutronError: { type, message, detail: '' } };
  return { status, json, headers: { 'x-openstack-request-id': `req-${randomUUID()}` } };
}
