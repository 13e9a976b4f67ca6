import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requestAttributes, requestPath } from '../../../src/server/request-attributes.ts';

for (const [method, path, verbs, subresources] of [
  ['GET', '/pods', ['get'], ['pods', 'proxy']],
  ['GET', '/pods/x', ['get'], ['pods', 'proxy']],
  ['GET', '/podsx', ['get'], ['proxy']],
  ['GET', '/runningpods/', ['get'], ['pods', 'proxy']],
  ['GET', '/healthz/syncloop', ['get'], ['healthz', 'proxy']],
  ['GET', '/configz', ['get'], ['configz', 'proxy']],
  ['GET', '/flagz', ['get'], ['configz']],
  ['POST', '/stats/summary', ['create'], ['stats']],
  ['GET', '/metrics/resource', ['get'], ['metrics']],
  ['GET', '/logs/', ['get'], ['log']],
  ['POST', '/checkpoint/a/b/c', ['create'], ['checkpoint']],
  ['GET', '/containerLogs/a/b/c', ['get'], ['proxy']],
  ['GET', '/exec/a/b/c', ['get', 'create'], ['proxy']],
  ['POST', '/exec/a/b/c', ['create'], ['proxy']],
  ['GET', '/attach/a/b/c', ['get', 'create'], ['proxy']],
  ['GET', '/portForward/a/b', ['get', 'create'], ['proxy']],
  ['PUT', '/run/a/b/c', ['update', 'create'], ['proxy']],
  ['OPTIONS', '/pods', [''], ['pods', 'proxy']],
  ['DELETE', '/', ['delete'], ['proxy']],
] as const) {
  test(`request attributes: ${method} ${path}: ${verbs.join('+')} on ${subresources.join(', ')}`, () => {
    assert.deepEqual(requestAttributes(method, path, true), { verbs, subresources });
  });
}

test('request attributes: without the hardening: upgrades are what their method says', () => {
  assert.deepEqual(requestAttributes('GET', '/exec/a/b/c', false).verbs, ['get']);
});

for (const [target, path] of [
  ['/pods?x=/../', '/pods'],
  ['/a%20b', '/a b'],
  ['/', '/'],
  ['/pods/%2e%2e/metrics', undefined],
  ['/pods/./x', undefined],
  ['/%ff', undefined],
  ['/a\\b', undefined],
  ['/a%5Cb', undefined],
  ['/a//b', undefined],
  ['http://other/pods', undefined],
  ['*', undefined],
] as const) {
  test(`request path: ${target}: ${path}`, () => assert.equal(requestPath(target), path));
}
