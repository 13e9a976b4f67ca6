import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import type { z } from 'zod';
import { AppError } from '../../../src/base/errors.ts';
import { describeCapsule } from '../../../src/cli/capsule-show.ts';
import { ignoredFields, readTemplate } from '../../../src/cli/capsule-template.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { answerError } from '../../../src/openstack/errors.ts';
import { checkTemplate } from '../../../src/openstack/template-check.ts';
import { parseAnswer } from '../../../src/openstack/wire.ts';
import { capsulePageSchema, capsuleSchema, containerSchema } from '../../../src/openstack/zun-schema.ts';

const secret = 's3cr3t-value';
const oddText = fc.constantFrom(
  '',
  '\u0000',
  '😀',
  'x'.repeat(70_000),
  '../..',
  '__proto__',
  'a\nb',
  '\u001b[2J',
  '1e999',
  'null',
);
const oddValue = fc.oneof(
  oddText,
  fc.jsonValue({ maxDepth: 3 }),
  fc.constantFrom(null, [], {}, -1, 1e308, true, [[[[]]]], { a: { a: { a: 1 } } }),
);

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a document. */
function paths(value: unknown, at: (string | number)[] = []): (string | number)[][] {
  if (typeof value !== 'object' || value === null) return [at];
  return [
    at,
    ...Object.entries(value).flatMap(([key, inner]) => paths(inner, [...at, Array.isArray(value) ? Number(key) : key])),
  ];
}

/** The document with one place changed, or taken away when `to` is undefined. */
function changed(value: Json, [head, ...rest]: (string | number)[], to: unknown): unknown {
  if (head === undefined) return to;
  if (Array.isArray(value)) return value.map((inner, index) => (index === head ? changed(inner, rest, to) : inner));
  const copy: Record<string, unknown> = { ...(value as Record<string, Json>) }; // the path leads through it
  const inner = changed((copy[head] ?? null) as Json, rest, to);
  if (inner === undefined) delete copy[head];
  else copy[head] = inner;
  return copy;
}

/** A document with one to three places broken. */
function broken(document: Json): fc.Arbitrary<unknown> {
  const places = paths(document);
  const change = fc.tuple(fc.constantFrom(...places), fc.option(oddValue, { nil: undefined }));
  return fc
    .array(change, { minLength: 1, maxLength: 3 })
    .map((changes) =>
      changes.reduce<unknown>(
        (value, [path, to]) => (reaches(value, path) ? changed(value as Json, path, to) : value),
        document,
      ),
    );
}

function reaches(value: unknown, path: (string | number)[]): boolean {
  let current = value;
  for (const key of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, key)) return false;
    current = (current as Record<string | number, unknown>)[key];
  }
  return true;
}

/** A successful answer of the real Zun, or its first one. */
function recorded(id: string, status: number): Json {
  const text = readFileSync(new URL(`../../data/zun-vectors/${id}.json`, import.meta.url), 'utf8');
  const vector = JSON.parse(text) as { steps: { response?: { status: number; body: Json } }[] }; // recorded, of this shape
  return vector.steps.find((step) => step.response?.status === status)?.response?.body ?? null;
}

/** Runs something that may fail, but only as an `AppError` that says one harmless line. */
function harmless<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    assertHarmless(error);
    return undefined;
  }
}

function assertHarmless(error: unknown): void {
  assert.ok(error instanceof AppError, error instanceof Error ? (error.stack ?? '') : String(error));
  assert.notEqual(error.kind, 'bug');
  assert.ok(!error.message.includes(secret), error.message);
  assert.ok(error.message.length < 5000, error.message.slice(0, 200));
}

test('fuzz zun answers: a recorded capsule or container with broken places: read, or an error that names the field', () => {
  const said = { service: 'zun', attempt: 'reading', effect: 'none' as const };
  const capsule = recorded('create_full', 202);
  const container = recorded('container_lifecycle', 200);
  const page: Json = { capsules: [capsule], next: null };
  const read = (schema: z.ZodType, value: unknown) =>
    harmless(() => parseAnswer(schema, Buffer.from(JSON.stringify(value) ?? ''), said));
  const cases: [z.ZodType, Json][] = [
    [capsuleSchema, capsule],
    [capsulePageSchema, page],
    [containerSchema, container],
  ];
  for (const [schema, document] of cases) {
    assert.ok(read(schema, document));
    fc.assert(
      fc.property(broken(document), (value) => {
        read(schema, value);
      }),
      { numRuns: 300 },
    );
  }
  fc.assert(
    fc.property(broken(capsule), (value) => {
      const found = harmless(() => parseAnswer(capsuleSchema, Buffer.from(JSON.stringify(value) ?? ''), said));
      if (found) assert.doesNotMatch(describeCapsule(found, 0).replaceAll('\n', ''), /\p{Cc}/u);
    }),
    { numRuns: 300 },
  );
});

test('fuzz zun answers: any bytes: an error', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      harmless(() =>
        parseAnswer(capsuleSchema, Buffer.from(bytes), { service: 'zun', attempt: 'reading', effect: 'none' }),
      );
    }),
    { numRuns: 300 },
  );
});

test('fuzz error answers: envelopes with broken places, any bytes, any status: one cut line', () => {
  const zun = recorded('env_leak_in_400', 400);
  const bodies = fc.oneof(
    broken(zun).map((value) => JSON.stringify(value) ?? ''),
    broken({ error: { code: 401, title: 'Unauthorized', message: 'no' } }).map((value) => JSON.stringify(value) ?? ''),
    broken({ NeutronError: { type: 'OverQuota', message: 'no', detail: '' } }).map(
      (value) => JSON.stringify(value) ?? '',
    ),
    fc.string({ maxLength: 200 }),
  );
  fc.assert(
    fc.property(
      bodies,
      fc.integer({ min: 300, max: 599 }),
      fc.constantFrom('GET', 'POST', 'DELETE'),
      (body, status, method) => {
        const error = answerError({
          service: 'zun',
          attempt: 'calling',
          method,
          status,
          headers: {},
          body: Buffer.from(body),
          nowMs: 0,
        });
        assert.ok(error.message.length < 400, error.message);
        assert.doesNotMatch(error.message, /\p{Cc}/u);
        assert.doesNotMatch(error.message, /\['s3cr3t'\]/);
        assert.match(error.code, /^zun\.[a-z0-9-]+$/);
      },
    ),
    { numRuns: 800 },
  );
});

const clouds: Json = {
  clouds: {
    prod: {
      auth_type: 'password',
      auth: {
        auth_url: 'https://cloud',
        username: 'demo',
        password: secret,
        project_name: 'web',
        user_domain_name: 'Default',
      },
      region_name: 'RegionTwo',
      interface: 'public',
      verify: true,
      cacert: '/ca.pem',
      regions: ['RegionOne', { name: 'RegionTwo', values: { interface: 'internal' } }],
      container_endpoint_override: 'http://zun',
    },
  },
};

async function loadText(text: string): Promise<void> {
  const pem = '-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----';
  try {
    await loadCloud(
      { env: {}, cwd: '/w', readFile: async (path) => ({ '/w/clouds.yaml': text, '/ca.pem': pem })[path] },
      'prod',
    );
  } catch (error) {
    assertHarmless(error);
  }
}

test('fuzz clouds.yaml: broken places: a cloud, or an error without the password', async () => {
  await fc.assert(
    fc.asyncProperty(broken(clouds), (value) => loadText(stringify(value) ?? '')),
    { numRuns: 400 },
  );
});

test('fuzz clouds.yaml: letters that YAML likes: a cloud, or an error', async () => {
  const text = fc.string({
    unit: fc.constantFrom(
      'a',
      ':',
      ' ',
      '\n',
      '-',
      '{',
      '}',
      '[',
      ']',
      '"',
      "'",
      '&',
      '*',
      '!',
      '|',
      '>',
      '%',
      '@',
      '#',
      '\t',
      '?',
      ',',
      '<<',
      '\u0000',
      'clouds:',
    ),
    maxLength: 80,
  });
  await fc.assert(fc.asyncProperty(text, loadText), { numRuns: 600 });
});

test('fuzz OS_* variables: any values: a cloud, or an error', async () => {
  const name = fc.constantFrom(
    'OS_AUTH_URL',
    'OS_USERNAME',
    'OS_PASSWORD',
    'OS_PROJECT_NAME',
    'OS_AUTH_TYPE',
    'OS_INTERFACE',
    'OS_VERIFY',
    'OS_CACERT',
    'OS_REGIONS',
    'OS_AUTH',
    'OS_CONTAINER_ENDPOINT_OVERRIDE',
  );
  await fc.assert(
    fc.asyncProperty(fc.dictionary(name, fc.oneof(oddText, fc.webUrl(), fc.string())), async (env) => {
      try {
        await loadCloud({ env: { ...env, OS_PASSWORD: secret }, cwd: '/w', readFile: async () => undefined });
      } catch (error) {
        assertHarmless(error);
      }
    }),
    { numRuns: 400 },
  );
});

const template: Json = {
  capsuleVersion: 'beta',
  kind: 'capsule',
  metadata: { name: 'web', labels: { app: 'web' }, annotations: { a: 1 } },
  restartPolicy: 'Always',
  spec: {
    restartPolicy: 'Never',
    containers: [
      {
        image: 'nginx',
        command: ['sh'],
        args: ['-c', 'true'],
        env: { TOKEN: secret },
        resources: { requests: { cpu: 1, memory: 128 } },
        ports: [{ containerPort: 80, hostPort: 80 }],
        volumeMounts: [{ name: 'data', mountPath: '/data', readOnly: true }],
        stdin: true,
      },
    ],
    initContainers: [{ image: 'busybox' }],
    volumes: [{ name: 'data', cinder: { size: 1, autoRemove: true } }],
  },
};

test('fuzz capsule templates: broken places: taken, or an error without the values', () => {
  fc.assert(
    fc.property(broken(template), (value) => {
      const read = harmless(() => readTemplate('file', stringify(value) ?? ''));
      if (!read) return;
      for (const warning of ignoredFields(read)) assert.ok(warning.length > 0);
      harmless(() => checkTemplate(read, 'creating'));
    }),
    { numRuns: 600 },
  );
});
