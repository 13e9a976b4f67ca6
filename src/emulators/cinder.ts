import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { createCounters } from './counters.ts';
import type { FaultPlan } from './faults.ts';
import type { TokenInfo } from './keystone/tokens.ts';
import { type Answer, type Call, startService } from './service.ts';
import { type Volume, VolumeError, type VolumeState } from './volumes.ts';

export interface CinderOptions {
  clock: Clock;
  faults: FaultPlan;
  volumes: VolumeState;
  identity(token: string | undefined): TokenInfo | 'down' | undefined;
}

export interface CinderEmulator {
  /** Ends in `/v3`; the catalog adds the project. */
  url: string;
  close(): Promise<void>;
}

type Json = Record<string, unknown>;

/** Starts a small Cinder: volumes to create, list, read and delete. */
export async function createCinderEmulator(options: CinderOptions): Promise<CinderEmulator> {
  const service = await startService({
    clock: options.clock,
    faults: options.faults,
    counters: createCounters(),
    operation: (method, path) => (path.split('/')[3] === 'volumes' ? `volume.${method.toLowerCase()}` : 'version.get'),
    handle: (call) => handle(call, options),
    failure: (_call, status, detail) => failure(status, detail),
  });
  return { url: `${service.url}/v3`, close: service.close };
}

function handle(call: Call, options: CinderOptions): Answer {
  const [, version, project = '', kind, id] = call.path.replace(/\/+$/, '').split('/');
  if (version === undefined || project === '') return ok(200, { versions: [versionJson(call.root)] });
  const info = options.identity(String(call.headers['x-auth-token'] ?? ''));
  if (!info || info === 'down') return failure(401, 'The request you have made requires authentication.');
  if (project !== info.projectId && !info.roles.includes('admin')) return failure(400, 'Malformed request url');
  if (kind !== 'volumes') return failure(404, 'The resource could not be found.');
  try {
    return volumeRequest(call, options.volumes, project, id);
  } catch (error) {
    if (error instanceof VolumeError) return failure(error.status, error.message);
    throw error;
  }
}

function volumeRequest(call: Call, volumes: VolumeState, project: string, id: string | undefined): Answer {
  if (call.method === 'POST' && id === undefined) {
    const wanted = readVolume(call.body);
    const name = typeof wanted['name'] === 'string' ? { name: wanted['name'] } : {};
    const volume = volumes.create({ projectId: project, sizeGiB: wanted['size'], ...name });
    return ok(202, { volume: volumeJson(volume) });
  }
  if (call.method === 'GET' && (id === undefined || id === 'detail')) {
    const name = call.query.get('name');
    const own = volumes
      .all()
      .filter((volume) => volume.projectId === project && (name === null || volume.name === name));
    return ok(200, { volumes: own.map(volumeJson) });
  }
  const volume = volumes.all().find((item) => item.id === id && item.projectId === project);
  if (!volume) return failure(404, `Volume ${id} could not be found.`);
  if (call.method === 'GET') return ok(200, { volume: volumeJson(volume) });
  if (call.method !== 'DELETE') return failure(404, 'The resource could not be found.');
  volumes.remove(volume.id);
  return ok(202, undefined);
}

function readVolume(body: string): Json {
  try {
    const parsed = JSON.parse(body) as { volume?: Json };
    return parsed.volume ?? {};
  } catch {
    throw new VolumeError(400, 'Malformed request body');
  }
}

function volumeJson(volume: Volume): Json {
  return {
    id: volume.id,
    name: volume.name,
    description: null,
    size: volume.sizeGiB,
    status: volume.status,
    multiattach: volume.multiattach,
    attachments: volume.attachedTo.map((server) => ({
      attachment_id: server,
      id: volume.id,
      volume_id: volume.id,
      server_id: server,
      host_name: 'compute-1',
      device: '/',
    })),
    metadata: {},
    bootable: 'false',
    encrypted: false,
    volume_type: 'emulated',
    availability_zone: 'nova',
    created_at: new Date(volume.createdAt).toISOString().replace('Z', '000'),
    'os-vol-tenant-attr:tenant_id': volume.projectId,
    links: [],
  };
}

function versionJson(root: string): Json {
  return {
    id: 'v3.0',
    status: 'CURRENT',
    version: '3.71',
    min_version: '3.0',
    updated: '2023-08-31T00:00:00Z',
    links: [{ rel: 'self', href: `${root}/v3/` }],
  };
}

function ok(status: number, json: unknown): Answer {
  return { status, json, headers: { 'x-openstack-request-id': `req-${randomUUID()}` } };
}

const envelopes: Record<number, string> = {
  400: 'badRequest',
  401: 'error',
  404: 'itemNotFound',
  409: 'conflictingRequest',
};

function failure(status: number, message: string): Answer {
  return ok(status, { [envelopes[status] ?? 'computeFault']: { code: status, message } });
}
