import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Secret } from '../../../src/kube/types.ts';
import { imageCredentials } from '../../../src/translate/registries.ts';
import { secret } from '../../lib/translation.ts';

function pullSecret(name: string, auths: Record<string, object>): Secret {
  return secret(name, { '.dockerconfigjson': JSON.stringify({ auths }) });
}

const login = (username: string) => ({ username, password: `${username}-password` });

function users(image: string, ...secrets: Secret[]): string[] {
  const byName = Object.fromEntries(secrets.map((one) => [one.metadata.name, one]));
  return imageCredentials(image, Object.keys(byName), byName).map(({ username }) => username);
}

test('imageCredentials: hosts, ports, paths and globs: match as for the kubelet', () => {
  const cases: [key: string, image: string, matches: boolean][] = [
    ['ghcr.io', 'ghcr.io/a/b:1', true],
    ['https://ghcr.io/', 'ghcr.io/a/b', true],
    ['http://ghcr.io/v2/', 'ghcr.io/a/b', true],
    ['ghcr.io/a', 'ghcr.io/a/b', true],
    ['ghcr.io/c', 'ghcr.io/a/b', false],
    ['ghcr.io', 'quay.io/a/b', false],
    ['*.example.com', 'r.example.com/x', true],
    ['*.example.com', 'a.r.example.com/x', false],
    ['*.example.com', 'example.com/x', false],
    ['r*.example.com', 'r1.example.com/x', true],
    ['r.example.com:5000', 'r.example.com:5000/x', true],
    ['r.example.com', 'r.example.com:5000/x', false],
    ['https://index.docker.io/v1/', 'nginx', true],
    ['https://index.docker.io/v1/', 'team/app:2', true],
    ['docker.io', 'nginx', true],
    ['docker.io/library', 'nginx', true],
    ['docker.io/team', 'nginx', false],
    ['https://index.docker.io/v1/', 'ghcr.io/a/b', false],
    ['r+example.com', 'rrexample.com/x', false],
  ];
  for (const [key, image, matches] of cases) {
    assert.deepEqual(users(image, pullSecret('s', { [key]: login('me') })), matches ? ['me'] : [], `${key} ${image}`);
  }
});

test('imageCredentials: several that match: the most specific first, then the order of the pod', () => {
  const one = pullSecret('one', { 'ghcr.io': login('general'), 'ghcr.io/team': login('special') });
  const two = pullSecret('two', { 'ghcr.io/team/app': login('exact'), 'ghcr.io': login('other') });
  assert.deepEqual(users('ghcr.io/team/app:1', one, two), ['exact', 'special', 'general', 'other']);
});

test('imageCredentials: the field auth: wins over user name and password', () => {
  const auth = Buffer.from('robot:pa:ss').toString('base64');
  const found = imageCredentials('ghcr.io/a', ['s'], {
    s: pullSecret('s', { 'ghcr.io': { auth, username: 'x', password: 'y' } }),
  });
  assert.deepEqual(found, [{ secret: 's', domain: 'ghcr.io', username: 'robot', password: 'pa:ss' }]);
});

test('imageCredentials: the old format, and docker hub: found under the names that people use', () => {
  const old = secret('old', { '.dockercfg': JSON.stringify({ 'https://index.docker.io/v1/': login('me') }) });
  assert.deepEqual(imageCredentials('nginx', ['old'], { old }), [
    { secret: 'old', domain: 'docker.io', username: 'me', password: 'me-password' },
  ]);
});

test('imageCredentials: secrets that are missing or broken: none, and no error', () => {
  const broken = [
    secret('a', { '.dockerconfigjson': '{' }),
    secret('b', { '.dockerconfigjson': '{"auths":[]}' }),
    secret('c', { '.dockerconfigjson': '{"auths":{"ghcr.io":7}}' }),
    secret('d', { '.dockerconfigjson': '{"auths":{"ghcr.io":{"auth":"***"}}}' }),
    secret('e', { other: 'x' }),
  ];
  assert.deepEqual(users('ghcr.io/a', ...broken), []);
  assert.deepEqual(imageCredentials('ghcr.io/a', ['gone'], { gone: null }), []);
  assert.deepEqual(imageCredentials('NOT AN IMAGE', ['a'], {}), []);
});
