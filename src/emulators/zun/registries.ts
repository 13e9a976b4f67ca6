import { randomUUID } from 'node:crypto';
import type { Answer, Call } from '../service.ts';
import { ZunError } from './errors.ts';
import { isUuidLike } from './names.ts';
import { readParameters } from './parameters.ts';
import { type Caller, pageOf } from './request.ts';
import type { Resource } from './router.ts';
import type { ZunState } from './state.ts';
import { type Schema, validate } from './validate.ts';
import { links } from './view.ts';

/** Credentials of an image registry (docs/zun.md §6). */
export interface RegistryRow {
  id: number;
  uuid: string;
  name: string | null;
  projectId: string;
  userId: string;
  domain: string;
  username: string | null;
  password: string | null;
}

const text: Schema = { type: ['string'], minLength: 1 };
const createSchema: Schema = {
  type: 'object',
  properties: {
    registry: {
      type: 'object',
      properties: {
        name: { type: ['string'], minLength: 2, maxLength: 255, pattern: '^[a-zA-Z0-9][a-zA-Z0-9_.-]+$' },
        domain: text,
        username: text,
        password: text,
      },
      additionalProperties: false,
      required: ['domain'],
    },
  },
  required: ['registry'],
  additionalProperties: false,
};

/** `/v1/registries…`: create, list, read, delete. Source: zun/api/controllers/v1/registries.py. */
export const registryResource: Resource = (zun, call, caller, rest) => {
  const [ident, ...more] = rest;
  if (more.length > 0) return undefined;
  if (ident === undefined) {
    if (call.method === 'GET') return listRegistries(zun, call, caller);
    return call.method === 'POST' ? createRegistry(zun, call, caller) : undefined;
  }
  const row = findRegistry(zun, ident, caller);
  if (call.method === 'GET') return { status: 200, json: { registry: registryJson(row, call) } };
  if (call.method !== 'DELETE') return undefined;
  // The database refuses to drop what a container refers to; nothing catches that.
  if (zun.store.containers.all().some((container) => container.registryId === row.uuid)) {
    throw new ZunError(500, '', 'a container refers to the registry');
  }
  zun.registries.splice(zun.registries.indexOf(row), 1);
  return { status: 204 };
};

/** Finds a registry by uuid or name within the caller's project. Errors: 404. */
export function findRegistry(zun: ZunState, ident: string, caller: Caller): RegistryRow {
  const own = zun.registries.filter(({ projectId }) => caller.isAdmin || projectId === caller.projectId);
  const found = own.find(({ uuid, name }) => (isUuidLike(ident) ? uuid === ident.toLowerCase() : name === ident));
  if (!found) throw new ZunError(404, 'registry-not-found', `Registry ${ident} could not be found.`);
  return found;
}

function createRegistry(zun: ZunState, call: Call, caller: Caller): Answer {
  const body = readParameters(zun, call);
  validate(body, createSchema);
  const wish = body['registry'] as Record<string, string | undefined>; // the schema has said so
  const row: RegistryRow = {
    id: zun.store.nextId(),
    uuid: randomUUID(),
    name: wish['name'] ?? null,
    projectId: caller.projectId,
    userId: caller.userId,
    domain: wish['domain'] ?? '',
    username: wish['username'] ?? null,
    password: wish['password'] ?? null,
  };
  zun.registries.push(row);
  return { status: 201, json: { registry: registryJson(row, call) } };
}

function listRegistries(zun: ZunState, call: Call, caller: Caller): Answer {
  const own = zun.registries.filter(({ projectId }) => projectId === caller.projectId);
  const find = (uuid: string) => own.find((row) => row.uuid === uuid);
  const { rows, next } = pageOf(call, own, find, 1000, 'registries');
  return { status: 200, json: { registries: rows.map((row) => registryJson(row, call)), next } };
}

function registryJson(row: RegistryRow, call: Call): object {
  const { uuid, name, projectId, userId, domain, username } = row;
  return {
    uuid,
    links: links(call.root, 'registries', uuid),
    name,
    project_id: projectId,
    user_id: userId,
    domain,
    username,
    password: '***',
  };
}
