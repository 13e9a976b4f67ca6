import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Service } from '../../../src/kube/types.ts';
import { serviceVariables } from '../../../src/translate/service-variables.ts';

function service(name: string, namespace: string, clusterIP: string, ports: object[]): Service {
  return { metadata: { name, namespace, uid: name }, spec: { clusterIP, ports: ports as never } };
}

const kubernetes = service('kubernetes', 'default', '10.0.0.1', [{ name: 'https', port: 443, protocol: 'TCP' }]);
const redis = service('redis-master', 'shop', '10.0.0.11', [
  { name: 'db', port: 6379, protocol: 'TCP' },
  { name: 'gossip-in', port: 7000, protocol: 'UDP' },
]);

test('serviceVariables: two ports with names: the variables of the kubelet', () => {
  assert.deepEqual(serviceVariables([redis], { namespace: 'shop', links: true }), {
    REDIS_MASTER_SERVICE_HOST: '10.0.0.11',
    REDIS_MASTER_SERVICE_PORT: '6379',
    REDIS_MASTER_SERVICE_PORT_DB: '6379',
    REDIS_MASTER_SERVICE_PORT_GOSSIP_IN: '7000',
    REDIS_MASTER_PORT: 'tcp://10.0.0.11:6379',
    REDIS_MASTER_PORT_6379_TCP: 'tcp://10.0.0.11:6379',
    REDIS_MASTER_PORT_6379_TCP_PROTO: 'tcp',
    REDIS_MASTER_PORT_6379_TCP_PORT: '6379',
    REDIS_MASTER_PORT_6379_TCP_ADDR: '10.0.0.11',
    REDIS_MASTER_PORT_7000_UDP: 'udp://10.0.0.11:7000',
    REDIS_MASTER_PORT_7000_UDP_PROTO: 'udp',
    REDIS_MASTER_PORT_7000_UDP_PORT: '7000',
    REDIS_MASTER_PORT_7000_UDP_ADDR: '10.0.0.11',
  });
});

test('serviceVariables: an IPv6 address: brackets in URLs only', () => {
  const six = service('six', 'shop', '2001:db8::7', [{ port: 80 }]);
  const made = serviceVariables([six], { namespace: 'shop', links: true });
  assert.equal(made['SIX_PORT'], 'tcp://[2001:db8::7]:80');
  assert.equal(made['SIX_SERVICE_HOST'], '2001:db8::7');
});

test('serviceVariables: links off: only the API server of namespace default', () => {
  const names = Object.keys(serviceVariables([redis, kubernetes], { namespace: 'shop', links: false }));
  assert.ok(names.length > 0 && names.every((name) => name.startsWith('KUBERNETES_')));
});

test('serviceVariables: headless, external and foreign services: none', () => {
  const others = [
    service('headless', 'shop', 'None', [{ port: 80 }]),
    service('external', 'shop', '', [{ port: 80 }]),
    service('elsewhere', 'other', '10.0.0.9', [{ port: 80 }]),
  ];
  assert.deepEqual(serviceVariables(others, { namespace: 'shop', links: true }), {});
});

test('serviceVariables: a service named kubernetes in the namespace of the pod: wins over the API server', () => {
  const mine = service('kubernetes', 'shop', '10.0.0.99', [{ port: 1 }]);
  const made = serviceVariables([kubernetes, mine], { namespace: 'shop', links: true });
  assert.equal(made['KUBERNETES_SERVICE_HOST'], '10.0.0.99');
});

test('serviceVariables: an address for the API server: replaces host and port everywhere', () => {
  const made = serviceVariables([kubernetes], { namespace: 'shop', links: true }, { host: 'api.example', port: 6443 });
  assert.equal(made['KUBERNETES_SERVICE_HOST'], 'api.example');
  assert.equal(made['KUBERNETES_SERVICE_PORT'], '6443');
  assert.equal(made['KUBERNETES_SERVICE_PORT_HTTPS'], '6443');
  assert.equal(made['KUBERNETES_PORT'], 'tcp://api.example:6443');
  assert.equal(made['KUBERNETES_PORT_443_TCP'], undefined);
});

test('serviceVariables: only a host for the API server, whose service is not known: port 443', () => {
  const made = serviceVariables([], { namespace: 'shop', links: false }, { host: '203.0.113.5' });
  assert.equal(made['KUBERNETES_SERVICE_PORT'], '443');
});

test('serviceVariables: the order of the list: does not matter', () => {
  const pod = { namespace: 'shop', links: true };
  const one = JSON.stringify(serviceVariables([redis, kubernetes], pod));
  assert.equal(one, JSON.stringify(serviceVariables([kubernetes, redis], pod)));
});
