import { z } from 'zod';
import { isKind } from '../base/errors.ts';
import { nextLink, readAllPages } from './paging.ts';
import type { ServiceCall, Session } from './session.ts';
import { parseAnswer, uuidPath } from './wire.ts';

/** A Neutron port. `deviceId` is the capsule's or container's uuid where Zun made it. */
export interface Port {
  id: string;
  name: string;
  networkId: string;
  deviceId: string;
  /** `compute:kuryr` (Docker driver), `compute:zun` (CRI driver), … */
  deviceOwner: string;
  status: string;
  addresses: string[];
  securityGroups: string[];
  createdAt: string;
}

interface Network {
  id: string;
  name: string;
  shared: boolean;
  external: boolean;
  projectId: string;
  subnets: string[];
  createdAt: string;
}

interface SecurityGroup {
  id: string;
  name: string;
  projectId: string;
  rules: {
    direction: string;
    protocol: string | null;
    portMin: number | null;
    portMax: number | null;
    remoteIp: string | null;
  }[];
}

/** A floating IP address. */
export interface FloatingIp {
  id: string;
  description: string;
  address: string;
  fixedAddress: string | null;
  portId: string | null;
  networkId: string;
}

/** The calls on Neutron that are needed. */
export interface Neutron {
  /** Ports of the project; those of one device where it is named. */
  ports(filter: { deviceId?: string }, signal?: AbortSignal): Promise<Port[]>;
  setPortSecurityGroups(portId: string, securityGroups: string[], signal?: AbortSignal): Promise<void>;
  /** Gone counts as success. */
  deletePort(portId: string, signal?: AbortSignal): Promise<void>;
  networks(signal?: AbortSignal): Promise<Network[]>;
  securityGroups(signal?: AbortSignal): Promise<SecurityGroup[]>;
  floatingIps(signal?: AbortSignal): Promise<FloatingIp[]>;
  /** Errors: `conflict` where the port cannot be reached from the network, or no address is left; `quota`. */
  createFloatingIp(
    wanted: { networkId: string; portId: string; description: string },
    signal?: AbortSignal,
  ): Promise<FloatingIp>;
  moveFloatingIp(id: string, portId: string, signal?: AbortSignal): Promise<void>;
  /** Gone counts as success. */
  deleteFloatingIp(id: string, signal?: AbortSignal): Promise<void>;
}

const text = z.string().max(4096);
const optional = text.nullish().transform((value) => value ?? '');
const nullable = text.nullish().transform((value) => value ?? null);
const list = <T extends z.ZodType>(element: T) =>
  z
    .array(element)
    .max(10_000)
    .nullish()
    .transform((value) => value ?? []);
const flag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? false);
const number = z
  .number()
  .nullish()
  .transform((value) => value ?? null);

const port = z
  .looseObject({
    id: text,
    name: optional,
    network_id: text,
    device_id: optional,
    device_owner: optional,
    status: optional,
    fixed_ips: list(z.looseObject({ ip_address: optional })),
    security_groups: list(text),
    created_at: optional,
  })
  .transform(
    (value): Port => ({
      id: value.id,
      name: value.name,
      networkId: value.network_id,
      deviceId: value.device_id,
      deviceOwner: value.device_owner,
      status: value.status,
      addresses: value.fixed_ips.map((each) => each.ip_address),
      securityGroups: value.security_groups,
      createdAt: value.created_at,
    }),
  );
const network = z
  .looseObject({
    id: text,
    name: optional,
    shared: flag,
    'router:external': flag,
    project_id: optional,
    tenant_id: optional,
    subnets: list(text),
    created_at: optional,
  })
  .transform(
    (value): Network => ({
      id: value.id,
      name: value.name,
      shared: value.shared,
      external: value['router:external'],
      projectId: value.project_id || value.tenant_id,
      subnets: value.subnets,
      createdAt: value.created_at,
    }),
  );
const rule = z
  .looseObject({
    direction: text,
    protocol: z.union([text, z.number().transform(String)]).nullish(),
    port_range_min: number,
    port_range_max: number,
    remote_ip_prefix: nullable,
  })
  .transform((value) => ({
    direction: value.direction,
    protocol: value.protocol ?? null,
    portMin: value.port_range_min,
    portMax: value.port_range_max,
    remoteIp: value.remote_ip_prefix,
  }));
const securityGroup = z
  .looseObject({
    id: text,
    name: optional,
    project_id: optional,
    tenant_id: optional,
    security_group_rules: list(rule),
  })
  .transform(
    (value): SecurityGroup => ({
      id: value.id,
      name: value.name,
      projectId: value.project_id || value.tenant_id,
      rules: value.security_group_rules,
    }),
  );
const floatingIp = z
  .looseObject({
    id: text,
    description: optional,
    floating_ip_address: text,
    fixed_ip_address: nullable,
    port_id: nullable,
    floating_network_id: text,
  })
  .transform(
    (value): FloatingIp => ({
      id: value.id,
      description: value.description,
      address: value.floating_ip_address,
      fixedAddress: value.fixed_ip_address,
      portId: value.port_id,
      networkId: value.floating_network_id,
    }),
  );
const floatingItem = z.looseObject({ floatingip: floatingIp });
const links = list(z.looseObject({ rel: z.string(), href: z.string().max(8192) }));

const pageSize = 500;

/** Makes a Neutron client. Source: the Networking API v2.0 reference. */
export function createNeutron(session: Session): Neutron {
  const call = (call: Omit<ServiceCall, 'service'>) => session.call({ service: 'neutron', ...call });

  /** Lists `/v2.0/<path>`; the key of the answer is the path with `_`. */
  function all<T extends { id: string }>(
    path: string,
    element: z.ZodType<T>,
    query: ServiceCall['query'],
    signal: AbortSignal | undefined,
  ) {
    const attempt = `listing ${path.replaceAll('-', ' ')}`;
    const key = path.replaceAll('-', '_');
    const page = z.looseObject({ [key]: z.array(element).max(100_000), [`${key}_links`]: links });
    return readAllPages('neutron', attempt, async (marker) => {
      const answer = await call({
        operation: `${path}.list`,
        attempt,
        method: 'GET',
        path: `/${path}`,
        query: { ...query, limit: pageSize, marker },
        signal,
      });
      const found = parseAnswer(page, answer.body, { service: 'neutron', attempt, effect: 'none' });
      const items = found[key] as T[]; // the schema has a computed key
      return { items, next: nextLink(found[`${key}_links`] as z.infer<typeof links>) };
    });
  }

  /** Deletes; gone counts as success. */
  async function remove(collection: string, id: string, attempt: string, signal: AbortSignal | undefined) {
    const path = `/${collection}/${uuidPath(id, attempt)}`;
    try {
      await call({ operation: `${collection}.delete`, attempt, method: 'DELETE', path, signal });
    } catch (error) {
      if (!isKind(error, 'not-found') || error.code !== 'neutron.not-found') throw error;
    }
  }

  return {
    async ports({ deviceId }, signal) {
      // An administrator would see the ports of every project.
      const { projectId } = await session.token(signal);
      return await all('ports', port, { project_id: projectId, device_id: deviceId }, signal);
    },
    networks: (signal) => all('networks', network, {}, signal),
    securityGroups: (signal) => all('security-groups', securityGroup, {}, signal),
    floatingIps: (signal) => all('floatingips', floatingIp, {}, signal),
    async setPortSecurityGroups(portId, securityGroups, signal) {
      const attempt = `setting the security groups of port ${portId}`;
      const path = `/ports/${uuidPath(portId, attempt)}`;
      const body = { port: { security_groups: securityGroups } };
      await call({ operation: 'ports.update', attempt, method: 'PUT', path, body, signal });
    },
    deletePort: (portId, signal) => remove('ports', portId, `deleting port ${portId}`, signal),
    async createFloatingIp({ networkId, portId, description }, signal) {
      const attempt = `allocating a floating ip on network ${networkId}`;
      const body = { floatingip: { floating_network_id: networkId, port_id: portId, description } };
      const operation = 'floatingips.create';
      const answer = await call({ operation, attempt, method: 'POST', path: '/floatingips', body, signal });
      return parseAnswer(floatingItem, answer.body, { service: 'neutron', attempt, effect: 'unknown' }).floatingip;
    },
    async moveFloatingIp(id, portId, signal) {
      const attempt = `associating floating ip ${id} with port ${portId}`;
      const path = `/floatingips/${uuidPath(id, attempt)}`;
      const body = { floatingip: { port_id: portId } };
      await call({ operation: 'floatingips.update', attempt, method: 'PUT', path, body, signal });
    },
    deleteFloatingIp: (id, signal) => remove('floatingips', id, `releasing floating ip ${id}`, signal),
  };
}
