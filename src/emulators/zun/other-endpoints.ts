import type { Answer, Call } from '../service.ts';
import { forbidden } from './errors.ts';
import { registryResource } from './registries.ts';
import type { Caller } from './request.ts';
import type { Resource } from './router.ts';
import type { ZunState } from './state.ts';
import { requireMinor } from './versions.ts';
import { links } from './view.ts';

/** The endpoints beside capsules and containers, as far as a node may want them (docs/zun.md §6). */
export const otherResources: Record<string, Resource> = {
  hosts: (zun, call, caller, rest) =>
    rest.length === 0 && call.method === 'GET' ? hosts(zun, call, caller) : undefined,
  services: (zun, call, caller) => (call.method === 'GET' ? services(zun, caller) : undefined),
  images: (_zun, _call, caller) => {
    requireAdmin(caller, 'image:get_all');
    return { status: 200, json: { next: null, images: [] } };
  },
  networks: (_zun, call, caller) => {
    if (call.method !== 'GET') return undefined;
    requireAdmin(caller, 'network:get_all');
    return { status: 200, json: { next: null, networks: [] } };
  },
  availability_zones: () => ({
    status: 200,
    json: { availability_zones: [{ availability_zone: 'nova' }], next: null },
  }),
  quotas,
  registries: registryResource,
};

function requireAdmin(caller: Caller, rule: string): void {
  if (!caller.isAdmin) throw forbidden(rule);
}

function hosts(zun: ZunState, call: Call, caller: Caller): Answer {
  requireMinor(caller.minor, 4);
  requireAdmin(caller, 'host:get_all');
  const uuid = '71b0968f-dcac-4a10-80b3-6022650a0b1e';
  const running = zun.store.capsules.all().filter((row) => row.host !== null);
  const host = {
    uuid,
    links: links(call.root, 'hosts', uuid),
    hostname: zun.compute.hostname,
    mem_total: zun.options.host.memoryMiB,
    mem_used: running.reduce((sum, row) => sum + Number(row.memory ?? 0), 0),
    total_containers: running.length + zun.store.containers.all().length,
    cpus: zun.options.host.cpus,
    cpu_used: running.reduce((sum, row) => sum + (row.cpu ?? 0), 0),
    architecture: 'x86_64',
    os_type: 'linux',
    os: 'Emulated Linux',
    kernel_version: '6.0-emulated',
    labels: {},
    disk_total: 201,
    disk_used: 0,
    disk_quota_supported: false,
    runtimes: ['runc'],
    enable_cpu_pinning: false,
  };
  return { status: 200, json: { next: null, hosts: [host] } };
}

function services(zun: ZunState, caller: Caller): Answer {
  requireAdmin(caller, 'zun-service:get_all');
  const seen = new Date(zun.clock.now()).toISOString().replace('Z', '000');
  const service = {
    id: 1,
    host: zun.compute.hostname,
    binary: 'zun-compute',
    disabled: false,
    disabled_reason: null,
    last_seen_up: seen,
    forced_down: false,
    report_count: 1,
    availability_zone: 'nova',
    created_at: seen,
    updated_at: seen,
    state: zun.compute.isUp ? 'up' : 'down',
  };
  return { status: 200, json: { services: [service] } };
}

function quotas(zun: ZunState, call: Call, caller: Caller, rest: string[]): Answer | undefined {
  const [project, more] = rest;
  if (call.method !== 'GET' || project === undefined) return undefined;
  if (project !== caller.projectId && !caller.isAdmin) throw forbidden('quota:get');
  if (more !== undefined && more !== 'defaults') return undefined;
  return { status: 200, json: zun.options.quota };
}
