import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { createMovableClock } from '../../../src/emulators/clock.ts';
import { type CloudEmulator, type CloudOptions, createCloudEmulator } from '../../../src/emulators/cloud.ts';

export type Json = Record<string, unknown>;

interface Reply {
  status: number;
  headers: Headers;
  json: Json;
  text: string;
}

/** A cloud whose time stands still until it is moved, and a member who talks to its Zun. */
export interface TestCloud extends CloudEmulator {
  token: string;
  call(method: string, path: string, body?: unknown): Promise<Reply>;
  /** Posts a capsule and lets it come to rest; returns its uuid. */
  capsule(container: Json, over?: { labels?: Json; spec?: Json; name?: string }): Promise<string>;
  /** Posts a standalone container and lets it come to rest; returns its uuid. */
  container(over: Json): Promise<string>;
  login(identity: Json, scope?: Json | string): Promise<Reply>;
}

/** Starts a cloud in standing time; it ends with the test. */
export async function startCloud(context: TestContext, options: CloudOptions = {}): Promise<TestCloud> {
  const clock = createMovableClock({ base: systemClock, manual: true });
  const cloud = await createCloudEmulator({ ...options, clock });
  context.after(() => cloud.close());
  async function ask(url: string, method: string, headers: Record<string, string>, body?: unknown): Promise<Reply> {
    const response = await fetch(url, {
      method,
      headers: { accept: 'application/json', 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.includes('json') && text !== '';
    return {
      status: response.status,
      headers: response.headers,
      json: isJson ? (JSON.parse(text) as Json) : {},
      text,
    };
  }
  const login = (identity: Json, scope?: Json | string) =>
    ask(`${cloud.keystone.url}/auth/tokens`, 'POST', {}, { auth: { identity, ...(scope ? { scope } : {}) } });
  const first = await login(passwordIdentity('demo', 'demopw'), projectScope('demo'));
  const token = first.headers.get('x-subject-token') ?? '';
  const call = (method: string, path: string, body?: unknown) =>
    ask(`${cloud.zun.url}${path}`, method, { 'x-auth-token': token, 'openstack-api-version': 'container 1.40' }, body);
  return {
    ...cloud,
    token,
    call,
    login,
    async capsule(container, over = {}) {
      const metadata = { name: over.name ?? 'web', labels: over.labels ?? {} };
      const spec = { containers: [{ image: 'busybox', ...container }], ...over.spec };
      const made = await call('POST', '/capsules', { template: { kind: 'capsule', metadata, spec } });
      assert.equal(made.status, 202, made.text);
      await clock.advance(5000);
      return String(made.json['uuid']);
    },
    async container(over) {
      const made = await call('POST', '/containers?run=true', { image: 'busybox', ...over });
      assert.equal(made.status, 202, made.text);
      await clock.advance(500);
      return String(made.json['uuid']);
    },
  };
}

/** The identity part of a login by password. */
export function passwordIdentity(name: string, password: string): Json {
  return { methods: ['password'], password: { user: { name, password, domain: { id: 'default' } } } };
}

/** The scope part of a login. */
export function projectScope(name: string): Json {
  return { project: { name, domain: { name: 'Default' } } };
}
