import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { parseImage } from '../../../src/translate/image.ts';

const digest = `sha256:${'a'.repeat(64)}`;

test('parseImage: references that runtimes take: their parts', () => {
  const cases: [string, object][] = [
    ['nginx', { repository: 'nginx' }],
    ['nginx:1.27', { repository: 'nginx', tag: '1.27' }],
    ['library/nginx', { repository: 'library/nginx' }],
    ['ghcr.io/a/b-c__d/e.f:v1', { domain: 'ghcr.io', repository: 'a/b-c__d/e.f', tag: 'v1' }],
    ['localhost/x', { domain: 'localhost', repository: 'x' }],
    ['registry:5000/x:latest', { domain: 'registry:5000', repository: 'x', tag: 'latest' }],
    ['[2001:db8::1]:5000/x', { domain: '[2001:db8::1]:5000', repository: 'x' }],
    ['127.0.0.1:5000/x', { domain: '127.0.0.1:5000', repository: 'x' }],
    [`nginx@${digest}`, { repository: 'nginx', digest }],
    [`quay.io/a/b:t@${digest}`, { domain: 'quay.io', repository: 'a/b', tag: 't', digest }],
  ];
  for (const [image, expected] of cases) assert.deepEqual(parseImage(image), expected, image);
});

test('parseImage: what is no reference, or not for zun: undefined', () => {
  const wrong = [
    '',
    'a',
    'Nginx',
    'ng inx',
    'nginx:',
    'nginx:-a',
    '/nginx',
    'a//b',
    'nginx@',
    `nginx@${digest}@${digest}`,
  ];
  for (const image of [
    ...wrong,
    'a/',
    'nginx\n',
    'nginx@sha256:abc',
    'ghcr.io/',
    `n${'x'.repeat(255)}`,
    ':tag',
    'a_-b',
  ]) {
    assert.equal(parseImage(image), undefined, JSON.stringify(image));
  }
});

test('parseImage: any text: never throws and never slows down', () => {
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => void parseImage(text)));
  fc.assert(fc.property(fc.stringMatching(/^[a-z0-9._:/@-]{0,255}$/), (text) => void parseImage(text)));
  assert.equal(parseImage(`${'a-'.repeat(120)}!`), undefined);
});
