import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { KubeConfig } from '@kubernetes/client-node';
import { silentLog } from '../../../src/base/log.ts';
import { type KubeAuthOptions, loadKubeAuth } from '../../../src/kube/auth.ts';
import { createVirtualClock } from '../../simulation/virtual-clock.ts';

const pem = (name: string) => readFileSync(`test/data/tls/${name}`, 'utf8');
const base64 = (text: string) => Buffer.from(text).toString('base64');

/** A folder that goes with the test, and auth that looks nowhere else. */
function setup(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'zunlet-auth-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const clock = createVirtualClock();
  const write = (name: string, content: string | object) => {
    const file = join(folder, name);
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  const load = (options: Partial<KubeAuthOptions> = {}) =>
    loadKubeAuth({
      env: { HOME: folder, PATH: process.env['PATH'] },
      clock,
      log: silentLog,
      serviceAccountFolder: join(folder, 'sa'),
      ...options,
    });
  return { folder, clock, write, load };
}

interface Parts {
  cluster?: object;
  user?: object;
  context?: string;
  server?: string;
}
function config({ cluster = {}, user = {}, context = 'main', server = 'https://10.0.0.1:6443' }: Parts = {}) {
  return {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': context,
    clusters: [{ name: `${context}-cluster`, cluster: { server, ...cluster } }],
    users: [{ name: `${context}-user`, user }],
    contexts: [{ name: context, context: { cluster: `${context}-cluster`, user: `${context}-user` } }],
  };
}

const identity = {
  'client-certificate-data': base64(pem('client-1.crt')),
  'client-key-data': base64(pem('client-1.key')),
};

/** What client-node makes of the same file. */
async function asClientNode(file: string) {
  const kube = new KubeConfig();
  kube.loadFromFile(file);
  const filled: {
    ca?: Buffer;
    cert?: Buffer;
    key?: Buffer;
    servername?: string;
    rejectUnauthorized?: boolean;
    headers?: Record<string, string>;
  } = {};
  await kube.applyToHTTPSOptions(filled as Parameters<typeof kube.applyToHTTPSOptions>[0]);
  const text = (buffer: Buffer | undefined) => buffer?.toString('utf8');
  return {
    server: kube.getCurrentCluster()?.server,
    ca: text(filled.ca),
    cert: text(filled.cert),
    key: text(filled.key),
    servername: filled.servername,
    insecure: filled.rejectUnauthorized === false,
    authorization: filled.headers?.['Authorization'],
  };
}

const agreed: [string, (folder: string) => object][] = [
  [
    'certificates in the file',
    () => config({ user: identity, cluster: { 'certificate-authority-data': base64(pem('ca.crt')) } }),
  ],
  [
    'certificates in files beside it',
    () =>
      config({
        user: { 'client-certificate': 'client.crt', 'client-key': 'client.key' },
        cluster: { 'certificate-authority': 'ca.crt' },
      }),
  ],
  ['a token', () => config({ user: { token: 'abc' } })],
  ['a server name', () => config({ cluster: { 'tls-server-name': 'kube' }, user: { token: 'abc' } })],
  ['no verification', () => config({ cluster: { 'insecure-skip-tls-verify': true }, user: { token: 'abc' } })],
];
for (const [name, make] of agreed) {
  test(`kubeconfig: ${name}: read as client-node reads it`, async (t) => {
    const { write, load, folder } = setup(t);
    write('ca.crt', pem('ca.crt'));
    write('client.crt', pem('client-1.crt'));
    write('client.key', pem('client-1.key'));
    const file = write('config', make(folder));
    const auth = await load({ kubeconfig: file });
    const tls = auth.tls();
    assert.deepEqual(
      {
        server: auth.server,
        ca: tls.ca,
        cert: tls.cert,
        key: tls.key,
        servername: tls.servername,
        insecure: tls.insecure === true,
        authorization: await auth.authorization(),
      },
      await asClientNode(file),
    );
  });
}

test('kubeconfig: user name and password: Basic', async (t) => {
  const { write, load } = setup(t);
  const auth = await load({ kubeconfig: write('config', config({ user: { username: 'me', password: 'pw' } })) });
  assert.equal(await auth.authorization(), `Basic ${base64('me:pw')}`);
});

test('kubeconfig: another context: taken', async (t) => {
  const { write, load } = setup(t);
  const other = config({ context: 'other', server: 'https://10.0.0.2' });
  const both = config();
  const file = write('config', {
    ...both,
    clusters: [...both.clusters, ...other.clusters],
    users: [...both.users, ...other.users],
    contexts: [...both.contexts, ...other.contexts],
  });
  assert.equal((await load({ kubeconfig: file, context: 'other' })).server, 'https://10.0.0.2');
});

test('kubeconfig: impersonation: as headers', async (t) => {
  const { write, load } = setup(t);
  const auth = await load({
    kubeconfig: write('config', config({ user: { token: 'x', as: 'ann', 'as-groups': ['ops'] } })),
  });
  assert.deepEqual(auth.headers, { 'impersonate-user': 'ann', 'impersonate-group': 'ops' });
});

test('KUBECONFIG: several files, one missing, one name twice: the first counts', async (t) => {
  const { write, load, folder } = setup(t);
  const first = write('first', config({ user: { token: 'first' } }));
  const second = write('second', { ...config({ user: { token: 'second' } }), 'current-context': 'elsewhere' });
  const auth = await load({ env: { HOME: folder, KUBECONFIG: `${join(folder, 'none')}:${first}:${second}` } });
  assert.equal(await auth.authorization(), 'Bearer first');
});

test('credentials: nothing configured: the file in the home folder', async (t) => {
  const { write, load, folder } = setup(t);
  mkdirSync(join(folder, '.kube'));
  write('.kube/config', config({ user: { token: 'home' } }));
  assert.equal(await (await load()).authorization(), 'Bearer home');
});

function serviceAccount(folder: string) {
  mkdirSync(join(folder, 'sa'));
  writeFileSync(join(folder, 'sa', 'token'), 'pod-token\n');
  writeFileSync(join(folder, 'sa', 'ca.crt'), pem('ca.crt'));
}
const inPod = { KUBERNETES_SERVICE_HOST: 'fd00::1', KUBERNETES_SERVICE_PORT: '443' };

test('credentials: in a Pod: its service account before KUBECONFIG, the token trimmed', async (t) => {
  const { write, load, folder } = setup(t);
  serviceAccount(folder);
  const file = write('config', config({ user: { token: 'x' } }));
  const auth = await load({ env: { ...inPod, KUBECONFIG: file } });
  assert.deepEqual([auth.server, auth.source, auth.tls().ca], ['https://[fd00::1]:443', 'in-cluster', pem('ca.crt')]);
  assert.equal(await auth.authorization(), 'Bearer pod-token');
});

test('credentials: a path was given: it wins over the Pod', async (t) => {
  const { write, load, folder } = setup(t);
  serviceAccount(folder);
  const auth = await load({ env: inPod, kubeconfig: write('config', config({ user: { token: 'x' } })) });
  assert.equal(await auth.authorization(), 'Bearer x');
});

test('token file: renewed by somebody: read again after a minute, or at once when it was refused', async (t) => {
  const { write, load, folder, clock } = setup(t);
  serviceAccount(folder);
  const auth = await load({ env: inPod });
  write('sa/token', 'second');
  await clock.runUntil(59_000);
  assert.equal(await auth.authorization(), 'Bearer pod-token');
  await clock.runUntil(60_000);
  assert.equal(await auth.authorization(), 'Bearer second');
  write('sa/token', 'third');
  auth.forget();
  assert.equal(await auth.authorization(), 'Bearer third');
});

test('token file: gone or empty for a moment: the last token counts', async (t) => {
  const { write, load, folder, clock } = setup(t);
  serviceAccount(folder);
  const auth = await load({ env: inPod });
  write('sa/token', '');
  await clock.runUntil(60_000);
  assert.equal(await auth.authorization(), 'Bearer pod-token');
});

test('token file of a kubeconfig: found beside it', async (t) => {
  const { write, load } = setup(t);
  write('my-token', 'abc');
  const auth = await load({ kubeconfig: write('config', config({ user: { tokenFile: 'my-token' } })) });
  assert.equal(await auth.authorization(), 'Bearer abc');
});

test('certificate files: replaced: the transport hears of the new pair, never of half a pair', async (t) => {
  const { write, load, clock } = setup(t);
  write('client.crt', pem('client-1.crt'));
  write('client.key', pem('client-1.key'));
  const file = write('config', config({ user: { 'client-certificate': 'client.crt', 'client-key': 'client.key' } }));
  const auth = await load({ kubeconfig: file });
  const heard: (string | undefined)[] = [];
  auth.onTlsChange(({ cert }) => heard.push(cert));
  write('client.crt', pem('client-2.crt'));
  await clock.runUntil(60_000);
  await auth.authorization();
  assert.deepEqual(heard, []);
  write('client.key', pem('client-2.key'));
  await clock.runUntil(120_000);
  await auth.authorization();
  assert.deepEqual(heard, [pem('client-2.crt')]);
});

/** A plugin that counts its runs in a file beside it and prints what the test says. */
function plugin(t: TestContext, script: string) {
  const made = setup(t);
  const command = made.write('plugin.sh', `#!/bin/sh\necho run >> "${made.folder}/runs"\n${script}\n`);
  chmodSync(command, 0o755);
  const runs = () => {
    try {
      return readFileSync(join(made.folder, 'runs'), 'utf8').split('\n').length - 1;
    } catch {
      return 0;
    }
  };
  const exec = (parts: object = {}) => ({
    apiVersion: 'client.authentication.k8s.io/v1',
    command: './plugin.sh',
    ...parts,
  });
  const loadPlugin = (parts: object = {}) =>
    made.load({
      kubeconfig: made.write(
        'config',
        config({ user: { exec: exec(parts) }, cluster: { 'certificate-authority-data': base64(pem('ca.crt')) } }),
      ),
    });
  return { ...made, runs, loadPlugin };
}
const credential = (status: object) =>
  `cat <<'END'\n${JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status })}\nEND`;

test('exec plugin: token with an end: run once, and again shortly before the end', async (t) => {
  const { loadPlugin, runs, clock } = plugin(
    t,
    credential({ token: 'short', expirationTimestamp: '2026-01-01T01:00:00Z' }),
  );
  const auth = await loadPlugin();
  await clock.runUntil(3_580_000);
  assert.equal(await auth.authorization(), 'Bearer short');
  assert.equal(runs(), 1);
  await clock.runUntil(3_595_000);
  await Promise.all([auth.authorization(), auth.authorization()]);
  assert.equal(runs(), 2);
});

test('exec plugin: token was refused: run again, but not for every refusal', async (t) => {
  const { loadPlugin, runs, clock } = plugin(t, credential({ token: 'x' }));
  const auth = await loadPlugin();
  auth.forget();
  await auth.authorization();
  assert.equal(runs(), 1);
  await clock.runUntil(6_000);
  auth.forget();
  await auth.authorization();
  assert.equal(runs(), 2);
});

test('exec plugin: certificate instead of a token: used, and the next one when it ends', async (t) => {
  const status = (name: string) =>
    credential({
      clientCertificateData: pem(`${name}.crt`),
      clientKeyData: pem(`${name}.key`),
      expirationTimestamp: '2026-01-01T01:00:00Z',
    });
  const { loadPlugin, clock } = plugin(
    t,
    `if [ "$(wc -l < "$(dirname "$0")/runs")" -gt 1 ]; then ${status('client-2')}\nelse ${status('client-1')}\nfi`,
  );
  const auth = await loadPlugin();
  assert.equal(auth.tls().cert, pem('client-1.crt'));
  const heard: (string | undefined)[] = [];
  auth.onTlsChange(({ cert, ca }) => heard.push(cert, ca));
  await clock.runUntil(3_600_000);
  assert.equal(await auth.authorization(), undefined);
  assert.deepEqual(heard, [pem('client-2.crt'), pem('ca.crt')]);
});

test('exec plugin: arguments, variables and the cluster: as the kubeconfig says', async (t) => {
  const { loadPlugin, folder } = plugin(
    t,
    `echo "$1 $STAGE" > "$(dirname "$0")/args"; echo "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/info"\n${credential({ token: 'x' })}`,
  );
  await loadPlugin({ args: ['login'], env: [{ name: 'STAGE', value: 'prod' }], provideClusterInfo: true });
  assert.equal(readFileSync(join(folder, 'args'), 'utf8'), 'login prod\n');
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'info'), 'utf8')), {
    apiVersion: 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': base64(pem('ca.crt')) },
    },
  });
});

const badPlugins: [string, string, string, RegExp][] = [
  ['ends with an error', 'echo "not logged in" >&2; exit 3', 'auth.plugin-failed', /ended with 3: not logged in/],
  ['prints no JSON', 'echo secret-token', 'auth.plugin-answer', /is not JSON$/],
  [
    'answers another version',
    'echo \'{"kind":"ExecCredential","apiVersion":"v9"}\'',
    'auth.plugin-answer',
    /not an ExecCredential of/,
  ],
  ['answers nothing useful', credential({}), 'auth.plugin-answer', /neither token nor certificate/],
  ['answers half a certificate', credential({ clientKeyData: 'k' }), 'auth.plugin-answer', /go together/],
];
for (const [name, script, code, message] of badPlugins) {
  test(`exec plugin: ${name}: ${code}, no secret in the message`, async (t) => {
    const { loadPlugin } = plugin(t, script);
    await assert.rejects(loadPlugin(), (error: Error & { code: string; kind: string }) => {
      assert.deepEqual([error.kind, error.code], ['unauthorized', code]);
      assert.match(error.message, message);
      assert.doesNotMatch(error.message, /secret-token/);
      return true;
    });
  });
}

test('exec plugin: not installed: says so, with the hint of the kubeconfig', async (t) => {
  const { loadPlugin } = plugin(t, '');
  await assert.rejects(loadPlugin({ command: 'no-such-plugin', installHint: 'get it from example.com' }), {
    kind: 'invalid',
    code: 'auth.plugin-missing',
    message: 'running credential plugin no-such-plugin: it is not installed or may not be run: get it from example.com',
  });
});

test('exec plugin: needs a terminal: refused', async (t) => {
  const { loadPlugin } = plugin(t, '');
  await assert.rejects(loadPlugin({ interactiveMode: 'Always' }), { code: 'auth.bad-data' });
});

const jwt = (expires: number) =>
  ['{"alg":"none"}', JSON.stringify({ exp: expires }), 'x']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const oidc = (config: object) => ({ 'auth-provider': { name: 'oidc', config } });

test('auth provider: OIDC token that is good: taken from client-node', async (t) => {
  const { write, load } = setup(t);
  const token = jwt(Date.now() / 1000 + 3600);
  const auth = await load({ kubeconfig: write('config', config({ user: oidc({ 'id-token': token }) })) });
  assert.equal(await auth.authorization(), `Bearer ${token}`);
});

test('auth provider: OIDC token that ended and cannot be renewed: log in again', async (t) => {
  const { write, load } = setup(t);
  const file = write('config', config({ user: oidc({ 'id-token': jwt(1000) }) }));
  await assert.rejects(load({ kubeconfig: file }), {
    kind: 'unauthorized',
    code: 'auth.provider-failed',
    message: /log in again/,
  });
});

const broken: [string, string | object, string, RegExp][] = [
  ['not YAML', 'a: [', 'auth.bad-yaml', /not valid YAML/],
  ['not a kubeconfig', '- 1', 'auth.bad-yaml', /not a kubeconfig/],
  ['empty', '', 'auth.bad-yaml', /not a kubeconfig/],
  ['no current context', { ...config(), 'current-context': '' }, 'auth.no-context', /choose a context/],
  [
    'current context that is not there',
    { ...config(), 'current-context': 'x' },
    'auth.unknown-context',
    /no context x; there are: main/,
  ],
  ['cluster that is not there', { ...config(), clusters: [] }, 'auth.unknown-cluster', /names cluster main-cluster/],
  ['user that is not there', { ...config(), users: [] }, 'auth.unknown-user', /names user main-user/],
  ['server that is no URL', config({ server: 'kube' }), 'auth.bad-server', /not an http or https URL/],
  [
    'proxy of another kind',
    config({ cluster: { 'proxy-url': 'socks5://x' } }),
    'auth.bad-server',
    /proxies are not supported/,
  ],
  ['certificate that is no PEM', config({ user: { 'client-certificate-data': base64('x') } }), 'auth.bad-data', /PEM/],
  [
    'certificate without its key',
    config({ user: { 'client-certificate-data': base64(pem('client-1.crt')) } }),
    'auth.bad-certificate',
    /go together/,
  ],
  [
    'key of another certificate',
    config({ user: { ...identity, 'client-key-data': base64(pem('client-2.key')) } }),
    'auth.bad-certificate',
    /does not belong/,
  ],
  [
    'authority file that is not there',
    config({ cluster: { 'certificate-authority': 'none.crt' } }),
    'auth.bad-certificate',
    /no such file/,
  ],
  ['token file that is not there', config({ user: { tokenFile: 'none' } }), 'auth.bad-token', /empty or not a token/],
  ['token with a line break', config({ user: { token: 'a\nb' } }), 'auth.bad-token', /not a token/],
  ['endless', `# ${'x'.repeat(9 * 1024 * 1024)}`, 'auth.too-large', /larger than/],
];
for (const [name, content, code, message] of broken) {
  test(`kubeconfig: ${name}: ${code}`, async (t) => {
    const { write, load } = setup(t);
    const file = write('config', content);
    await assert.rejects(load({ kubeconfig: file }), { code, message });
  });
}

test('kubeconfig: aliases that multiply: refused', async (t) => {
  const { write, load } = setup(t);
  let bomb = 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n';
  for (let level = 1; level < 9; level++) {
    bomb += `a${level}: &a${level} [${Array.from({ length: 10 }, () => `*a${level - 1}`).join(', ')}]\n`;
  }
  await assert.rejects(load({ kubeconfig: write('config', bomb) }), { code: 'auth.bad-yaml' });
});

test('kubeconfig: given path is not there: says so', async (t) => {
  const { load, folder } = setup(t);
  await assert.rejects(load({ kubeconfig: join(folder, 'none') }), { kind: 'invalid', code: 'auth.no-file' });
});

test('credentials: none anywhere: names the places it looked at', async (t) => {
  const { load, folder } = setup(t);
  await assert.rejects(load(), {
    code: 'auth.no-config',
    message: `finding Kubernetes credentials: this is no Pod with a service account, KUBECONFIG is not set, and there is no ${join(folder, '.kube', 'config')}`,
  });
});
