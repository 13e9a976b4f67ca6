import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, Probe } from '../../../src/kube/types.ts';
import { httpGetRequest, redirected, requestUrl, resolvePort } from '../../../src/probes/target.ts';
import { pod } from '../../lib/builders.ts';

const container: Container = {
  name: 'app',
  image: 'a',
  ports: [
    { name: 'web', containerPort: 8080 },
    { name: '9000', containerPort: 9 },
  ],
};
type HttpGet = NonNullable<Probe['httpGet']>;

function request(httpGet: HttpGet, podIP = '10.0.0.5') {
  return httpGetRequest(pod({ status: { podIP } }), container, httpGet, 'kube-probe/1.37', 1_000);
}

const ports: [HttpGet['port'], number | RegExp][] = [
  [80, 80],
  ['web', 8080],
  ['81', 81],
  ['9000', 9],
  ['other', /couldn't find port: other/],
  [0, /invalid port number: 0/],
  [70_000, /invalid port number/],
];
for (const [port, expected] of ports) {
  test(`probe port: ${JSON.stringify(port)}: ${expected}`, () => {
    if (typeof expected === 'number') assert.equal(resolvePort(port, container), expected);
    else assert.throws(() => resolvePort(port, container), expected);
  });
}

test('http probe: nothing but a port is given: the Pod’s address and the kubelet’s headers', () => {
  const { headers, ...rest } = request({ port: 'web' });
  assert.deepEqual(rest, {
    scheme: 'http',
    host: '10.0.0.5',
    port: 8080,
    path: '/',
    timeoutMs: 1_000,
    maxBodyBytes: 10_240,
  });
  assert.deepEqual(headers, [
    ['Host', '10.0.0.5:8080'],
    ['User-Agent', 'kube-probe/1.37'],
    ['Accept', '*/*'],
    ['Connection', 'close'],
  ]);
});

test('http probe: headers are given: they stand, doubles too, and empty ones keep the default out', () => {
  const httpHeaders = [
    { name: 'host', value: 'shop.example' },
    { name: 'X-A', value: '1' },
    { name: 'X-A', value: '2' },
    { name: 'accept', value: '' },
    { name: 'User-Agent', value: '' },
  ];
  assert.deepEqual(request({ port: 80, httpHeaders }).headers, [
    ['host', 'shop.example'],
    ['X-A', '1'],
    ['X-A', '2'],
    ['Connection', 'close'],
  ]);
});

test('http probe: IPv6, HTTPS, a path with a query and odd characters: one URL', () => {
  const made = request({ port: 8443, scheme: 'HTTPS', path: 'a b/ü%2F?x=1&y=ä#part' }, 'fd00::5');
  assert.equal(requestUrl(made), 'https://[fd00::5]:8443/a%20b/%C3%BC%2F?x=1&y=%C3%A4');
  assert.deepEqual(made.headers[0], ['Host', '[fd00::5]:8443']);
  assert.deepEqual(request({ port: 443, scheme: 'HTTPS' }).headers[0], ['Host', '10.0.0.5']);
});

test('http probe: the Pod has no address and the probe no host: an error, not a failure', () => {
  assert.throws(() => request({ port: 80 }, ''), /no address/);
  assert.equal(request({ port: 80, host: 'db.example' }, '').host, 'db.example');
});

const redirects: [string, string | undefined][] = [
  ['/login', 'http://10.0.0.5:8080/login'],
  ['login?x=1', 'http://10.0.0.5:8080/login?x=1'],
  ['http://10.0.0.5/x', 'http://10.0.0.5:80/x'],
  ['https://10.0.0.5/x', 'https://10.0.0.5:443/x'],
  ['//10.0.0.5:81/x', 'http://10.0.0.5:81/x'],
  ['http://10.0.0.6:8080/x', undefined],
  ['http://example.com/', undefined],
  ['ftp://10.0.0.5/', undefined],
  ['http://[', undefined],
];
for (const [location, expected] of redirects) {
  test(`http probe: redirected to ${location}: ${expected ?? 'not followed'}`, () => {
    const next = redirected(request({ port: 8080 }), location);
    assert.equal(next && requestUrl(next), expected);
  });
}

test('http probe: redirected with a Host header of its own: kept for a relative place, else that of the place', () => {
  const first = request({ port: 8080, httpHeaders: [{ name: 'Host', value: 'shop.example' }] });
  const host = (location: string) => redirected(first, location)?.headers.find(([name]) => name === 'Host')?.[1];
  assert.equal(host('/x'), 'shop.example');
  assert.equal(host('http://10.0.0.5:8080/x'), '10.0.0.5:8080');
});
