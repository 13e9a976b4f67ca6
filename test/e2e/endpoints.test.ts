import assert from 'node:assert/strict';
import { test } from 'node:test';
import { path, startBed } from './lib/bed.ts';
import { asContainer, pod } from './lib/manifests.ts';
import { isReady } from './lib/observe.ts';
import { until } from './lib/processes.ts';

interface EndpointSlices {
  items: { endpoints: { addresses: string[]; conditions: { ready?: boolean } }[] | null }[];
}

// The API server takes no loopback address for an endpoint; nobody dials these.
const { api, kubectl, pods } = await startBed({ podCidr: '10.77.0.0/16' });

test('service: its EndpointSlice follows the readiness probe of the Pod', async () => {
  await api.post('/api/v1/namespaces/default/services', {
    metadata: { name: 'front' },
    spec: { selector: { app: 'front' }, ports: [{ port: 80 }] },
  });
  const readinessProbe = { exec: { command: ['cat', '/ready'] }, periodSeconds: 1, failureThreshold: 1 };
  const resources = { requests: { cpu: '100m', memory: '32Mi' } };
  const containers = [{ name: 'main', image: 'nginx:1.27', resources, readinessProbe }];
  await api.post(path.pods, pod('front', { annotations: asContainer, spec: { containers } }));
  await pods.until('its Pod runs', () => pods.get('front')?.status?.phase === 'Running');

  const endpoint = async (ready: boolean) => {
    const slices = await api.get<EndpointSlices>(
      '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=front',
    );
    return slices.items
      .flatMap(({ endpoints }) => endpoints ?? [])
      .find(({ conditions }) => conditions.ready === ready);
  };
  await until('the endpoint is there and not ready', () => endpoint(false));
  assert.equal(isReady(pods.get('front')), false);
  await kubectl('exec', 'front', '--', 'touch', '/ready');
  const ready = await until('the endpoint is ready', () => endpoint(true));
  assert.deepEqual(ready.addresses, [pods.get('front')?.status?.podIP]);
  await kubectl('exec', 'front', '--', 'rm', '/ready');
  await until('the endpoint is not ready again', () => endpoint(false));
});
