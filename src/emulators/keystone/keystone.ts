import { randomUUID } from 'node:crypto';
import type { Clock } from '../../base/clock.ts';
import { createCounters, type OperationCount } from '../counters.ts';
import { createFaultPlan, type FaultPlan } from '../faults.ts';
import { type Answer, type Call, type Service, startService } from '../service.ts';
import { defaultDomain, defaultIdentity, type Identity, identityId } from './identity.ts';
import { login } from './login.ts';
import { createTokenStore, type Token, type TokenInfo, type TokenStore } from './tokens.ts';

/** A service in the catalog; its URL is the same for every interface. `%(project_id)s` in it is replaced. */
interface CatalogService {
  type: string;
  name: string;
  url: string;
}

export interface KeystoneOptions {
  clock: Clock;
  /** Read at each login, so that services may start later. */
  catalog(): CatalogService[];
  identity?: Identity;
  /** Default one hour. */
  tokenLifeMs?: number;
  region?: string;
  host?: string;
  port?: number;
}

/** What tests and operators of the emulator can do to Keystone. */
export interface KeystoneControl {
  faults: FaultPlan;
  counters(): Record<string, OperationCount>;
  resetCounters(): void;
  /** Closes the port. Services that check tokens answer 503 meanwhile. */
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
  revokeTokens(): number;
  /** Makes every token in use expire at most `ms` from now. */
  shortenTokens(ms: number): void;
  /** Sets how long tokens issued from now on live. */
  setTokenLife(ms: number): void;
  enableUser(name: string, enabled: boolean): void;
  enableProject(name: string, enabled: boolean): void;
  setPassword(user: string, password: string): void;
  removeApplicationCredential(name: string): void;
  expireApplicationCredential(name: string, at: number): void;
}

export interface KeystoneEmulator {
  /** Ends in `/v3`. */
  url: string;
  identity: Identity;
  control: KeystoneControl;
  /** What a token stands for; `down` while Keystone is out of reach, undefined when it is not good. */
  check(token: string | undefined): TokenInfo | 'down' | undefined;
  close(): Promise<void>;
}

interface State {
  options: KeystoneOptions;
  identity: Identity;
  tokens: TokenStore;
  region: string;
}

/** Starts a Keystone v3 on loopback: password, application credential and token logins, catalog, expiry. */
export async function createKeystoneEmulator(options: KeystoneOptions): Promise<KeystoneEmulator> {
  const identity = options.identity ?? defaultIdentity();
  const tokens = createTokenStore(options.clock, options.tokenLifeMs ?? 3_600_000);
  const state: State = { options, identity, tokens, region: options.region ?? 'RegionOne' };
  const faults = createFaultPlan();
  const counters = createCounters();
  let isDown = false;
  const service: Service = await startService({
    clock: options.clock,
    faults,
    counters,
    operation: operationName,
    handle: (call) => handle(call, state),
    failure: (call, status, detail) => failure(call, status, detail),
    ...(options.host === undefined ? {} : { host: options.host }),
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  return {
    url: `${service.url}/v3`,
    identity,
    check: (id) => (isDown ? 'down' : tokenInfo(tokens.find(id))),
    close: service.close,
    control: {
      faults,
      counters: counters.read,
      resetCounters: counters.reset,
      async goDown() {
        isDown = true;
        await service.refuse();
      },
      async comeUp() {
        await service.accept();
        isDown = false;
      },
      revokeTokens: tokens.revokeAll,
      shortenTokens: tokens.shorten,
      setTokenLife: tokens.setLife,
      ...identityControl(identity),
    },
  };
}

function identityControl(identity: Identity) {
  return {
    enableUser(name: string, enabled: boolean) {
      for (const user of identity.users) if (user.name === name) user.enabled = enabled;
    },
    enableProject(name: string, enabled: boolean) {
      for (const project of identity.projects) if (project.name === name) project.enabled = enabled;
    },
    setPassword(name: string, password: string) {
      for (const user of identity.users) if (user.name === name) user.password = password;
    },
    removeApplicationCredential(name: string) {
      identity.applicationCredentials = identity.applicationCredentials.filter((item) => item.name !== name);
    },
    expireApplicationCredential(name: string, at: number) {
      for (const item of identity.applicationCredentials) if (item.name === name) item.expiresAt = at;
    },
  };
}

function operationName(method: string, path: string): string {
  const resource = path.replace(/\/+$/, '').replace(/^\/v3/, '');
  if (resource === '') return 'version.get';
  if (resource !== '/auth/tokens') return `${resource.slice(1).replaceAll('/', '.')}.${method.toLowerCase()}`;
  return { POST: 'token.create', DELETE: 'token.revoke' }[method] ?? 'token.get';
}

function handle(call: Call, state: State): Answer {
  const path = call.path.replace(/\/+$/, '');
  if (call.method === 'GET' && path === '') {
    return answer(300, { versions: { values: [versionDocument(call.root)] } });
  }
  if (call.method === 'GET' && path === '/v3') return answer(200, { version: versionDocument(call.root) });
  if (path === '/v3/auth/tokens') return tokenRequest(call, state);
  const token = state.tokens.find(header(call, 'x-auth-token'));
  if (!token) return failure(call, 401, 'The request you have made requires authentication.');
  if (path === '/v3/auth/catalog') return answer(200, { catalog: catalog(token, state) });
  if (path === '/v3/auth/projects') {
    const projects = state.identity.projects.filter((project) => token.user.roles[project.name]);
    return answer(200, { projects: projects.map((project) => ({ ...project, domain_id: defaultDomain.id })) });
  }
  return failure(call, 404, `Could not find: ${path}.`);
}

function tokenRequest(call: Call, state: State): Answer {
  if (call.method === 'POST') return loginRequest(call, state);
  const caller = state.tokens.find(header(call, 'x-auth-token'));
  if (!caller) return failure(call, 401, 'The request you have made requires authentication.');
  const subject = state.tokens.find(header(call, 'x-subject-token'));
  if (!subject) return failure(call, 404, 'Failed to validate token');
  if (call.method === 'DELETE') {
    state.tokens.revoke(subject.id);
    return { status: 204 };
  }
  return { ...answer(200, { token: tokenBody(subject, state) }), headers: { 'x-subject-token': subject.id } };
}

function loginRequest(call: Call, state: State): Answer {
  let body: unknown;
  try {
    body = JSON.parse(call.body);
  } catch {
    return failure(call, 400, 'Malformed json in request body');
  }
  const result = login(body, state.identity, state.tokens, state.options.clock);
  if ('status' in result) return failure(call, result.status, result.message);
  return {
    status: 201,
    json: { token: tokenBody(result, state) },
    headers: { 'x-subject-token': result.id, vary: 'X-Auth-Token', 'x-openstack-request-id': `req-${randomUUID()}` },
  };
}

function tokenBody(token: Token, state: State): Record<string, unknown> {
  const scope = token.project
    ? {
        project: { id: token.project.id, name: token.project.name, domain: defaultDomain },
        is_domain: false,
        roles: token.roles.map((name) => ({ id: identityId('role', name), name })),
        catalog: catalog(token, state),
      }
    : {};
  return {
    methods: token.methods,
    user: { id: token.user.id, name: token.user.name, domain: defaultDomain, password_expires_at: null },
    audit_ids: [token.auditId],
    expires_at: microsecondTime(token.expiresAt),
    issued_at: microsecondTime(token.issuedAt),
    ...scope,
    ...(token.applicationCredential
      ? { application_credential: { id: token.applicationCredential, restricted: true } }
      : {}),
  };
}

function catalog(token: Token, state: State): unknown[] {
  const project = token.project?.id ?? '';
  return state.options.catalog().map((service) => ({
    id: identityId('service', service.type),
    type: service.type,
    name: service.name,
    endpoints: ['public', 'internal', 'admin'].map((face) => ({
      id: identityId('endpoint', `${service.type}/${face}`),
      interface: face,
      region: state.region,
      region_id: state.region,
      url: service.url.replace('%(project_id)s', project),
    })),
  }));
}

function microsecondTime(at: number): string {
  return new Date(at).toISOString().replace('Z', '000Z');
}

function versionDocument(root: string): Record<string, unknown> {
  return {
    id: 'v3.14',
    status: 'stable',
    updated: '2020-04-07T00:00:00Z',
    links: [{ rel: 'self', href: `${root}/v3/` }],
    'media-types': [{ base: 'application/json', type: 'application/vnd.openstack.identity-v3+json' }],
  };
}

function tokenInfo(token: Token | undefined): TokenInfo | undefined {
  if (!token) return undefined;
  return { userId: token.user.id, projectId: token.project?.id, roles: token.roles, expiresAt: token.expiresAt };
}

function answer(status: number, json: unknown): Answer {
  return { status, json, headers: { vary: 'X-Auth-Token', 'x-openstack-request-id': `req-${randomUUID()}` } };
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  409: 'Conflict',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

function failure(call: Call, status: number, message: string): Answer {
  const made = answer(status, { error: { code: status, message, title: titles[status] ?? 'Error' } });
  if (status === 401)
    return { ...made, headers: { ...made.headers, 'www-authenticate': `Keystone uri="${call.root}/v3"` } };
  return made;
}

function header(call: Call, name: string): string | undefined {
  const value = call.headers[name];
  return Array.isArray(value) ? value[0] : value;
}
