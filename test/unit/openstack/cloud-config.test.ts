import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { type Cloud, loadCloud } from '../../../src/openstack/cloud-config.ts';

const home = '/home/me/.config/openstack';

function load(files: Record<string, string>, env: Record<string, string> = {}, cloud?: string): Promise<Cloud> {
  return loadCloud({ env: { HOME: '/home/me', ...env }, cwd: '/srv', readFile: async (path) => files[path] }, cloud);
}

async function failure(
  files: Record<string, string>,
  env: Record<string, string> = {},
  cloud?: string,
): Promise<AppError> {
  try {
    await load(files, env, cloud);
  } catch (error) {
    assert.ok(error instanceof AppError, String(error));
    return error;
  }
  throw new assert.AssertionError({ message: 'expected an error' });
}

const one = `clouds:
  prod:
    auth:
      auth_url: https://cloud.example:5000
      username: demo
      password: secret-1
      project_name: web
      user_domain_name: Default
      project_domain_id: d1
    region_name: RegionOne
`;

const variables = {
  OS_AUTH_URL: 'https://cloud.example/identity/v3',
  OS_USERNAME: 'demo',
  OS_PASSWORD: 'secret-1',
  OS_PROJECT_ID: 'p1',
};

test('cloud: one cloud in clouds.yaml: is taken without a name', async () => {
  const cloud = await load({ [`${home}/clouds.yaml`]: one });
  assert.equal(cloud.name, 'prod');
  assert.equal(cloud.region, 'RegionOne');
  assert.equal(cloud.interface, 'public');
  assert.deepEqual(cloud.tls, {});
  assert.deepEqual(cloud.auth, {
    method: 'password',
    url: 'https://cloud.example:5000/v3',
    user: { name: 'demo', domain: { name: 'Default' } },
    password: 'secret-1',
    project: { name: 'web', domain: { id: 'd1' } },
  });
});

test('cloud: several files: working folder before home before /etc, OS_CLIENT_CONFIG_FILE before all', async () => {
  const named = (name: string) => one.replace('prod:', `${name}:`);
  const files: Record<string, string> = {
    '/named.yaml': named('a'),
    '/srv/clouds.yaml': named('b'),
    [`${home}/clouds.yaml`]: named('c'),
    '/etc/openstack/clouds.yaml': named('d'),
  };
  assert.equal((await load(files, { OS_CLIENT_CONFIG_FILE: '/named.yaml' })).name, 'a');
  for (const [path, name] of [
    ['/srv/clouds.yaml', 'b'],
    [`${home}/clouds.yaml`, 'c'],
    ['/etc/openstack/clouds.yaml', 'd'],
  ] as const) {
    assert.equal((await load(files)).name, name);
    delete files[path];
  }
  assert.equal((await failure(files)).code, 'cloud.missing');
});

test('cloud: several clouds: OS_CLOUD or the argument must name one', async () => {
  const files = { '/srv/clouds.yaml': `${one}  test: {auth: {auth_url: 'http://t/v3', token: t, project_id: p}}\n` };
  assert.equal((await failure(files)).code, 'cloud.ambiguous');
  assert.equal((await load(files, { OS_CLOUD: 'test' })).auth.method, 'token');
  assert.equal((await load(files, { OS_CLOUD: 'test' }, 'prod')).name, 'prod');
});

test('cloud: unknown name: says the nearest', async () => {
  const error = await failure({ '/srv/clouds.yaml': one }, { OS_CLOUD: 'prd' });
  assert.equal(error.code, 'cloud.unknown');
  assert.match(error.message, /no cloud prd in \/srv\/clouds\.yaml, did you mean prod/);
});

test('cloud: secure.yaml: is merged over clouds.yaml, deep', async () => {
  const open = one.replace('      password: secret-1\n', '');
  const cloud = await load({
    '/srv/clouds.yaml': open,
    '/etc/openstack/secure.yaml': 'clouds: {prod: {auth: {password: from-secure}}}',
  });
  assert.ok(cloud.auth.method === 'password');
  assert.equal(cloud.auth.password, 'from-secure');
  assert.deepEqual(cloud.auth.user, { name: 'demo', domain: { name: 'Default' } });
});

test('cloud: a mistake in secure.yaml: its line is named, not that of clouds.yaml', async () => {
  const error = await failure({
    '/srv/clouds.yaml': one,
    '/srv/secure.yaml': 'clouds:\n  prod:\n    auth: {password: [secret-1]}\n',
  });
  assert.match(error.message, /\/srv\/secure\.yaml line 3, cloud prod, auth\.password: must be a text/);
});

test('cloud: a profile of clouds-public.yaml: lies under the cloud', async () => {
  const cloud = await load({
    '/srv/clouds.yaml':
      'clouds: {mine: {profile: acme, auth: {username: u, password: p, project_id: x}, region_name: R2}}',
    '/srv/clouds-public.yaml':
      'public-clouds: {acme: {auth: {auth_url: "https://acme/v3"}, region_name: R1, interface: internal}}',
  });
  assert.equal(cloud.auth.url, 'https://acme/v3');
  assert.equal(cloud.region, 'R2');
  assert.equal(cloud.interface, 'internal');
});

test('cloud: an unknown profile: is an error', async () => {
  const error = await failure({ '/srv/clouds.yaml': 'clouds: {mine: {profile: vexxhost, auth: {}}}' });
  assert.match(error.message, /profile vexxhost needs a clouds-public\.yaml/);
});

test('cloud: OS_* variables: are a cloud of their own and win over a file', async () => {
  const cloud = await load(
    { '/srv/clouds.yaml': one },
    { ...variables, OS_REGION_NAME: 'R9', OS_INTERFACE: 'internalURL' },
  );
  assert.equal(cloud.name, 'envvars');
  assert.equal(cloud.region, 'R9');
  assert.equal(cloud.interface, 'internal');
  assert.deepEqual(cloud.auth, {
    method: 'password',
    url: 'https://cloud.example/identity/v3',
    user: { name: 'demo', domain: { id: 'default' } },
    password: 'secret-1',
    project: { id: 'p1' },
  });
});

test('cloud: OS_CLOUD and login variables together: the file is used and the ignored ones are named', async () => {
  const cloud = await load({ '/srv/clouds.yaml': one }, { ...variables, OS_CLOUD: 'prod', OS_REGION_NAME: 'R9' });
  assert.equal(cloud.name, 'prod');
  assert.equal(cloud.region, 'R9');
  assert.match(cloud.warnings.join(), /OS_AUTH_URL, OS_USERNAME, OS_PASSWORD, OS_PROJECT_ID ignored/);
});

test('cloud: application credentials: by id, by name with the user, and guessed without auth_type', async () => {
  const byId = await load(
    {},
    {
      OS_AUTH_URL: 'http://k',
      OS_AUTH_TYPE: 'v3applicationcredential',
      OS_APPLICATION_CREDENTIAL_ID: 'ac',
      OS_APPLICATION_CREDENTIAL_SECRET: 's',
    },
  );
  assert.deepEqual(byId.auth, {
    method: 'application_credential',
    url: 'http://k/v3',
    secret: 's',
    credential: { id: 'ac' },
  });
  const byName = await load(
    {},
    {
      OS_AUTH_URL: 'http://k',
      OS_APPLICATION_CREDENTIAL_NAME: 'node',
      OS_APPLICATION_CREDENTIAL_SECRET: 's',
      OS_USER_ID: 'u',
    },
  );
  assert.deepEqual(byName.auth, {
    method: 'application_credential',
    url: 'http://k/v3',
    secret: 's',
    credential: { name: 'node', user: { id: 'u' } },
  });
});

test('cloud: keys with dashes and keys beside auth: count as well', async () => {
  const cloud = await load({
    '/srv/clouds.yaml':
      'clouds: {a: {auth: {auth-url: "http://k/v3/", project-id: p}, username: u, password: "007", region-name: R}}',
  });
  assert.ok(cloud.auth.method === 'password');
  assert.equal(cloud.auth.url, 'http://k/v3');
  assert.equal(cloud.region, 'R');
});

test('cloud: numbers without quotes: keep every digit', async () => {
  const cloud = await load({ '/srv/clouds.yaml': one.replace('secret-1', '00123').replace('demo', '1e3') });
  assert.ok(cloud.auth.method === 'password' && 'name' in cloud.auth.user);
  assert.equal(cloud.auth.password, '00123');
  assert.equal(cloud.auth.user.name, '1e3');
});

test('cloud: anchors and merge keys: are followed', async () => {
  const cloud = await load({
    '/srv/clouds.yaml': `base: &base {auth_url: http://k, username: u, password: p}\nclouds: {a: {auth: {<<: *base, project_id: x}}}`,
  });
  assert.equal(cloud.auth.url, 'http://k/v3');
});

test('cloud: endpoint overrides: are kept by service type', async () => {
  const cloud = await load({
    '/srv/clouds.yaml': `${one}    container_endpoint_override: http://zun:9517/v1\n    block_storage_endpoint_override: http://c/v3\n`,
  });
  assert.deepEqual(cloud.endpointOverrides, { container: 'http://zun:9517/v1', 'block-storage': 'http://c/v3' });
});

test('cloud: endpoint_type: the older name of interface', async () => {
  assert.equal((await load({ '/srv/clouds.yaml': `${one}    endpoint_type: internalURL\n` })).interface, 'internal');
  const both = await load({ '/srv/clouds.yaml': `${one}    endpoint_type: internalURL\n    interface: admin\n` });
  assert.equal(both.interface, 'admin');
});

test('cloud: variables that name maps: are not taken for parts of a cloud', async () => {
  const cloud = await load({}, { ...variables, OS_AUTH: 'x', OS_REGIONS: 'y', OS_PROFILE: 'z', OS_CLOUD_NAME: 'w' });
  assert.equal(cloud.name, 'envvars');
});

test('cloud: verify false: switches verification off; insecure alone does not and warns', async () => {
  assert.deepEqual((await load({ '/srv/clouds.yaml': `${one}    verify: no\n` })).tls, { insecure: true });
  const cloud = await load({ '/srv/clouds.yaml': `${one}    insecure: true\n` });
  assert.deepEqual(cloud.tls, {});
  assert.match(cloud.warnings.join(), /verify: false/);
});

test('cloud: cacert: is read; a missing or foreign file is an error with its line', async () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const text = `${one}    cacert: ~/ca.pem\n`;
  assert.deepEqual((await load({ '/srv/clouds.yaml': text, '/home/me/ca.pem': pem })).tls, { ca: pem });
  assert.match(
    (await failure({ '/srv/clouds.yaml': text })).message,
    /clouds\.yaml line 11, cloud prod, cacert: the file ~\/ca\.pem does not exist/,
  );
  assert.match((await failure({ '/srv/clouds.yaml': text, '/home/me/ca.pem': 'hello' })).message, /holds no PEM/);
});

test('cloud: regions with values: the named one is applied', async () => {
  const text = `${one.replace('    region_name: RegionOne\n', '')}    regions:\n      - name: A\n        values: {interface: admin}\n      - B\n`;
  assert.deepEqual(await load({ '/srv/clouds.yaml': text }).then((c) => [c.region, c.interface]), ['A', 'admin']);
  assert.deepEqual(
    await load({ '/srv/clouds.yaml': `${text}    region_name: B\n` }).then((c) => [c.region, c.interface]),
    ['B', 'public'],
  );
});

test('cloud: regions with values that are wrong: an error that names the key', async () => {
  const text = `${one}    regions:\n      - {name: RegionOne, values: {interface: outside}}\n`;
  assert.match(
    (await failure({ '/srv/clouds.yaml': text })).message,
    /cloud prod, interface: must be public, internal or admin/,
  );
});

test('cloud: unknown keys: named with file, line, cloud and the nearest', async () => {
  const inAuth = await failure({ '/srv/clouds.yaml': one.replace('password:', 'pasword:') });
  assert.match(
    inAuth.message,
    /\/srv\/clouds\.yaml line 6, cloud prod, auth\.pasword: unknown key, did you mean password$/,
  );
  const beside = await failure({ '/srv/clouds.yaml': one.replace('region_name', 'regon_name') });
  assert.match(beside.message, /line 10, cloud prod, regon_name: unknown key, did you mean region_name$/);
});

test('cloud: keys of other tools: are no error', async () => {
  const cloud = await load({
    '/srv/clouds.yaml': `${one}    image_format: raw\n    volume_api_version: 3\n    floating_ip_source: neutron\n    compute_api_version: 2\n`,
  });
  assert.equal(cloud.name, 'prod');
});

for (const [what, from, to, message] of [
  [
    'password missing',
    '      password: secret-1\n',
    '',
    /line 2, cloud prod, auth\.password: is missing|line \d+, cloud prod, auth\.password: is missing/,
  ],
  ['password empty', 'secret-1', '', /line 6, cloud prod, auth\.password: is missing/],
  ['no project', '      project_name: web\n', '', /auth\.project_name: is missing: Zun needs a token for a project/],
  [
    'auth_url without scheme',
    'https://cloud.example:5000',
    'cloud.example',
    /line 4, cloud prod, auth\.auth_url: is not a URL/,
  ],
  ['auth_url of another scheme', 'https://cloud', 'ftp://cloud', /must begin with http/],
  ['a list for a text', 'demo', '[a, b]', /line 5, cloud prod, auth\.username: must be a text/],
  ['a map for a text', 'secret-1', '{a: secret-2}', /line 6, cloud prod, auth\.password: must be a text/],
  [
    'unknown auth_type',
    '    region_name: RegionOne\n',
    '    auth_type: v3passwrd\n',
    /line 10, cloud prod, auth_type: v3passwrd is not supported/,
  ],
  ['wrong interface', 'region_name: RegionOne', 'interface: outside', /interface: must be public, internal or admin/],
  ['verify neither true nor false', 'region_name: RegionOne', 'verify: perhaps', /verify: must be true or false/],
  [
    'override that is no URL',
    'region_name: RegionOne',
    'container_endpoint_override: zun',
    /must be an http or https URL/,
  ],
  ['system scope', 'region_name: RegionOne', 'system_scope: all', /name a project/],
] as const) {
  test(`cloud: ${what}: an error that names the place and no secret`, async () => {
    const error = await failure({ '/srv/clouds.yaml': one.replace(from, to) });
    assert.equal(error.kind, 'invalid');
    assert.match(error.message, message);
    assert.doesNotMatch(error.message, /secret-/);
  });
}

for (const [what, text] of [
  ['not YAML', 'clouds: {prod: {auth: {password: secret-1'],
  ['a tab', 'clouds:\n\tprod: secret-1'],
  ['the same key twice', 'clouds: {a: {password: secret-1}, a: {}}'],
  ['a list', '- secret-1'],
  ['a word', 'secret-1'],
  ['nothing', ''],
  ['clouds that is a list', 'clouds: [secret-1]'],
  ['a cloud that is a word', 'clouds: {prod: secret-1}'],
  ['NUL and emoji', 'clouds: {"\u0000😀": secret-1}'],
  ['deep flow nesting', `clouds: ${'['.repeat(100_000)}`],
  ['deep dashes', '- '.repeat(100_000)],
  ['deep indentation', Array.from({ length: 1200 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n')],
  [
    'an alias bomb',
    `a: &a [${'x,'.repeat(50)}]\nb: &b [${'*a,'.repeat(50)}]\nc: &c [${'*b,'.repeat(50)}]\nclouds: [${'*c,'.repeat(50)}]`,
  ],
  ['too large', 'x'.repeat(2_000_000)],
  ['a prototype key', 'clouds: {__proto__: {auth: {auth_url: http://k}}}'],
] as const) {
  test(`cloud: a file with ${what}: an error that names the file and no content`, async () => {
    const error = await failure({ '/srv/clouds.yaml': text });
    assert.equal(error.kind, 'invalid');
    assert.match(error.message, /\/srv\/clouds\.yaml/);
    assert.doesNotMatch(error.message, /secret-1|xx/);
  });
}

test('cloud: nothing anywhere: says where it looked', async () => {
  const error = await failure({});
  assert.equal(error.code, 'cloud.missing');
  assert.match(error.message, /OS_AUTH_URL.*\/srv, \/home\/me\/\.config\/openstack, \/etc\/openstack/);
});

test('cloud: a named file that does not exist: is an error', async () => {
  assert.match(
    (await failure({}, { OS_CLIENT_CONFIG_FILE: '/nowhere.yaml' })).message,
    /\/nowhere\.yaml does not exist/,
  );
});
