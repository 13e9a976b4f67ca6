import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { AppError } from '../../../src/base/errors.ts';
import { readKubeconfig } from '../../../src/kube/kubeconfig.ts';

const folder = mkdtempSync(join(tmpdir(), 'zunlet-fuzz-'));
after(() => rmSync(folder, { recursive: true }));
const path = join(folder, 'kubeconfig');
const secret = 's3cr3t-value';

/** Reads it, and holds that a refusal is one of ours, is short and has no secret in it. */
async function read(text: string): Promise<void> {
  writeFileSync(path, text);
  try {
    const { server } = await readKubeconfig([path], undefined);
    assert.match(server, /^https?:\/\//);
  } catch (thrown) {
    assert.ok(thrown instanceof AppError, String(thrown));
    assert.match(thrown.code, /^auth\./);
    assert.equal(thrown.kind, 'invalid');
    assert.ok(!thrown.message.includes(secret), thrown.message);
    assert.ok(thrown.message.length < 1500, `${thrown.message.length} characters`);
  }
}

const odd = fc.oneof(
  fc.constantFrom('', '\u0000', '😀', 'x'.repeat(70_000), 'http://', 'https://[::1', 'ftp://a', 'https://a:99999', '@'),
  fc.constantFrom(null, [], {}, -1, true, [[]], { a: {} }),
  fc.jsonValue({ maxDepth: 2 }),
);
const entry = (key: string, fields: Record<string, unknown>) =>
  fc.record({
    name: fc.oneof(fc.constant('a'), odd),
    [key]: fc.oneof(
      fc.record(
        Object.fromEntries(
          Object.entries(fields).map(([name, value]) => [
            name,
            fc.oneof({ weight: 3, arbitrary: fc.constant(value) }, odd),
          ]),
        ),
        { requiredKeys: [] },
      ),
      odd,
    ),
  });
const list = (item: fc.Arbitrary<unknown>) => fc.oneof(fc.array(item, { minLength: 1, maxLength: 2 }), odd);
const config = fc.record(
  {
    'current-context': fc.oneof({ weight: 5, arbitrary: fc.constant('a') }, odd),
    contexts: list(entry('context', { cluster: 'a', user: 'a', namespace: 'web' })),
    clusters: list(
      entry('cluster', { server: 'https://a:6443', 'certificate-authority-data': 'YQ==', 'proxy-url': 'http://p' }),
    ),
    users: list(
      entry('user', {
        token: secret,
        password: secret,
        'client-certificate-data': 'YQ==',
        'client-key-data': Buffer.from(secret).toString('base64'),
        exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'a', args: [secret], env: [] },
        'auth-provider': { name: 'oidc', config: { 'id-token': secret } },
        'as-groups': ['a'],
      }),
    ),
  },
  { requiredKeys: [] },
);

test('fuzz kubeconfig: any value anywhere: credentials, or an error without a secret', async () => {
  await fc.assert(
    fc.asyncProperty(config, (value) => read(stringify(value))),
    { numRuns: 400 },
  );
});

test('fuzz kubeconfig: any letters: an error', async () => {
  const letters = [...'a: \n-{}[]"\'&*!|>%@#\t?,'.split(''), '\u0000', 'clusters:', 'users:', '😀'];
  const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 80 });
  await fc.assert(fc.asyncProperty(text, read), { numRuns: 200 });
});

for (const [name, text] of [
  ['deep lists', `clusters: ${'['.repeat(20_000)}`],
  ['deep maps', `clusters: ${'{a: '.repeat(5000)}`],
  ['an alias bomb', `a: &a [x,x,x]\nb: &b [*a,*a,*a]\nc: &c [*b,*b,*b]\nd: &d [*c,*c,*c]\nclusters: [*d,*d]`],
] as const) {
  test(`kubeconfig: ${name}: an error at once`, async () => {
    const began = performance.now();
    await read(text);
    assert.ok(performance.now() - began < 2000);
  });
}
