import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { AccessReviewSpec, ReviewApi } from '../../../src/server/auth.ts';
import { type Identity, type KubeletBed, noRuntime, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { createTestAuthority } from '../../lib/kubelet-certificates.ts';

const hourMs = 3_600_000;

/** Who may what: `user verb subresource`. */
const rights = new Set([
  'prometheus get metrics',
  'metrics-server get stats',
  'auditor get pods',
  'old-auditor get proxy',
  'operator get proxy',
  'operator create proxy',
  'tokenuser get healthz',
  'kube-apiserver-kubelet-client get proxy',
  'kube-apiserver-kubelet-client create proxy',
  'kube-apiserver-kubelet-client get healthz',
]);
const asked: AccessReviewSpec[] = [];
const reviews: ReviewApi = {
  tokenReview: (token) =>
    token === 'broken'
      ? Promise.reject(new Error('no answer'))
      : Promise.resolve(token === 'good' ? { username: 'tokenuser', groups: ['g'], uid: 'u-1' } : undefined),
  subjectAccessReview(spec) {
    asked.push(spec);
    const { verb, subresource } = spec.resourceAttributes;
    if (spec.user === 'unlucky') return Promise.reject(new Error('no answer'));
    return Promise.resolve(rights.has(`${spec.user} ${verb} ${subresource}`));
  },
};

let bed: KubeletBed;
const identities: Record<string, Identity> = {};

before(async () => {
  bed = await startKubeletBed({ runtime: noRuntime, reviews });
  const other = createTestAuthority('other-ca');
  for (const user of ['prometheus', 'metrics-server', 'auditor', 'old-auditor', 'operator', 'nobody', 'unlucky']) {
    identities[user] = bed.authority.issue('client', { commonName: user, organizations: ['team'] });
  }
  const past = { notBeforeMs: Date.now() - 2 * hourMs, notAfterMs: Date.now() - hourMs };
  Object.assign(identities, {
    none: {},
    'api server': bed.admin,
    'wrong ca': other.issue('client', { commonName: 'operator' }),
    expired: bed.authority.issue('client', { commonName: 'operator' }, past),
    'server certificate': bed.authority.issue('server', { commonName: 'operator' }),
    'good token': { token: 'good' },
    'bad token': { token: 'bad' },
    'broken review': { token: 'broken' },
    'wrong ca, good token': { ...other.issue('client', { commonName: 'operator' }), token: 'good' },
  });
});

after(() => bed.close());

const exec = '/exec/default/web/app?command=id&output=1';

/** who, method, path, status. 404 and 400 mean: let in. */
const table: [who: string, method: string, path: string, status: number][] = [
  ['none', 'GET', '/healthz', 401],
  ['none', 'GET', '/no/such/path', 401],
  ['none', 'POST', exec, 401],
  ['wrong ca', 'GET', '/healthz', 401],
  ['expired', 'GET', '/pods', 401],
  ['server certificate', 'GET', '/pods', 401],
  ['bad token', 'GET', '/healthz', 401],
  ['broken review', 'GET', '/healthz', 401],
  ['good token', 'GET', '/healthz', 200],
  ['good token', 'GET', '/pods', 403],
  ['wrong ca, good token', 'GET', '/healthz', 200],
  ['nobody', 'GET', '/healthz', 403],
  ['nobody', 'GET', '/no/such/path', 403],
  ['unlucky', 'GET', '/healthz', 500],
  ['prometheus', 'GET', '/metrics', 200],
  ['prometheus', 'GET', '/metrics/cadvisor', 200],
  ['prometheus', 'GET', '/metrics/resource', 200],
  ['prometheus', 'GET', '/metrics/probes', 200],
  ['prometheus', 'GET', '/metricsx', 403],
  ['prometheus', 'GET', '/pods', 403],
  ['prometheus', 'GET', '/stats/summary', 403],
  ['prometheus', 'POST', '/metrics', 403],
  ['metrics-server', 'GET', '/stats/summary', 200],
  ['metrics-server', 'GET', '/metrics/resource', 403],
  ['metrics-server', 'POST', '/stats/summary', 403],
  ['auditor', 'GET', '/pods', 200],
  ['auditor', 'GET', '/runningpods/', 200],
  ['auditor', 'GET', '/containerLogs/default/web/app', 403],
  ['auditor', 'GET', '/configz', 403],
  ['old-auditor', 'GET', '/pods', 200],
  ['old-auditor', 'GET', '/configz', 200],
  ['old-auditor', 'GET', '/healthz', 200],
  ['old-auditor', 'GET', '/metrics', 403],
  ['old-auditor', 'GET', '/containerLogs/default/gone/app', 404],
  ['old-auditor', 'GET', exec, 403],
  ['old-auditor', 'GET', '/attach/default/web/app?output=1', 403],
  ['old-auditor', 'GET', '/portForward/default/web', 403],
  ['old-auditor', 'POST', '/run/default/web/app?cmd=id', 403],
  ['operator', 'GET', exec, 400],
  ['operator', 'POST', exec, 400],
  ['operator', 'GET', '/containerLogs/default/gone/app', 404],
  ['operator', 'GET', '/no/such/path', 404],
  ['operator', 'GET', '/metrics', 403],
  ['operator', 'PUT', '/pods', 403],
  ['operator', 'DELETE', exec, 403],
  ['operator', 'PATCH', '/healthz', 403],
  ['operator', 'OPTIONS', '/healthz', 403],
  ['api server', 'GET', '/healthz', 200],
  ['api server', 'POST', '/configz', 405],
  ['api server', 'GET', '/pods/../metrics', 400],
  ['api server', 'GET', '//metrics', 400],
  ['api server', 'GET', '/pods%2f..%2fmetrics', 400],
  ['api server', 'GET', '/pods%00', 400],
];

for (const [who, method, path, status] of table) {
  test(`authorization: ${who}: ${method} ${path}: ${status}`, async () => {
    const answer = await bed.get(path, identities[who] ?? {}, method);
    assert.equal(answer.status, status, answer.body);
    if (status === 401) assert.equal(answer.body, 'Unauthorized');
  });
}

for (const [who, method, path, status] of [
  ['none', 'POST', exec, 401],
  ['wrong ca', 'POST', exec, 401],
  ['nobody', 'POST', exec, 403],
  ['old-auditor', 'GET', exec, 403],
  ['old-auditor', 'GET', '/portForward/default/web', 403],
  ['operator', 'GET', '/exec/default/gone/app?command=id&output=1', 404],
] as [string, string, string, number][]) {
  test(`authorization of upgrades: ${who}: ${method} ${path}: ${status}`, async () => {
    const headers = { Upgrade: 'SPDY/3.1', 'X-Stream-Protocol-Version': 'v4.channel.k8s.io' };
    const answer = await bed.upgrade(path, headers, method, identities[who] ?? {});
    assert.equal(answer.status, status, answer.body);
  });
}

test('authorization: refused: the text names user, verb and subresources', async () => {
  const answer = await bed.get('/pods', identities['nobody']);
  assert.equal(answer.body, 'Forbidden (user=nobody, verb=get, resource=nodes, subresource(s)=[pods proxy])');
});

test('authorization: by certificate: name, groups and node are asked about', async () => {
  await bed.get('/pods', identities['auditor']);
  const spec = asked.find(({ user }) => user === 'auditor');
  assert.deepEqual(spec, {
    user: 'auditor',
    groups: ['team', 'system:authenticated'],
    resourceAttributes: {
      group: '',
      version: 'v1',
      resource: 'nodes',
      subresource: 'pods',
      name: 'zun-1',
      verb: 'get',
    },
  });
});

test('authorization: the same question within its lifetime: asked once', async () => {
  await bed.get('/metrics', identities['prometheus']);
  const count = asked.length;
  await Promise.all(Array.from({ length: 5 }, () => bed.get('/metrics', identities['prometheus'])));
  assert.equal(asked.length, count);
});
