import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { isKind } from '../../../src/base/errors.ts';
import { createCinder } from '../../../src/openstack/cinder.ts';
import { createNeutron } from '../../../src/openstack/neutron.ts';
import { createZun } from '../../../src/openstack/zun.ts';
import { createZunProject } from '../../../src/openstack/zun-project.ts';
import { type Reply, type Seen, startStub, zunError } from './stub.ts';

const open: { close(): Promise<void> }[] = [];
after(() => Promise.all(open.map((stub) => stub.close())));

async function start(reply: (seen: Seen) => Reply | undefined, env: Record<string, string> = {}) {
  const stub = await startStub({ reply, env });
  open.push(stub);
  return {
    stub,
    cinder: createCinder(stub.session),
    neutron: createNeutron(stub.session),
    project: createZunProject(createZun(stub.session)),
  };
}

const id = '9ebb5c8c-ba03-402b-a611-f2629c1e45a8';
const other = '11111111-2222-4333-8444-555555555555';
const ok = (body: unknown): Reply => ({ status: 200, body });
const volume = {
  id,
  name: null,
  status: 'available',
  size: 2,
  attachments: [],
  created_at: '2026-01-01T00:00:00.000000',
  metadata: {},
};
const port = {
  id,
  name: 'p',
  network_id: 'n1',
  device_id: other,
  device_owner: 'compute:kuryr',
  status: 'ACTIVE',
  fixed_ips: [{ subnet_id: 's', ip_address: '10.0.0.5' }],
  security_groups: ['sg'],
};

test('cinder: a volume: read; gone is undefined', async () => {
  const { stub, cinder } = await start((seen) =>
    seen.url.endsWith(id)
      ? ok({ volume })
      : { status: 404, body: { itemNotFound: { code: 404, message: 'Volume x could not be found.' } } },
  );
  assert.deepEqual(await cinder.volume(id), {
    id,
    name: '',
    description: '',
    status: 'available',
    sizeGiB: 2,
    attached: false,
    multiattach: false,
    createdAt: '2026-01-01T00:00:00.000000',
    metadata: {},
  });
  assert.equal(await cinder.volume(other), undefined);
  await cinder.deleteVolume(other);
  assert.equal(stub.calls[0]?.url, `/volume/v3/p1/volumes/${id}`);
});

test('cinder: list: follows the marker of the next link', async () => {
  const { stub, cinder } = await start((seen) =>
    seen.url.includes('marker')
      ? ok({ volumes: [{ ...volume, id: other, attachments: [{}] }] })
      : ok({
          volumes: [volume],
          volumes_links: [{ rel: 'next', href: `https://elsewhere/v3/volumes/detail?limit=1&marker=${id}` }],
        }),
  );
  assert.deepEqual(
    (await cinder.volumes()).map((each) => each.attached),
    [false, true],
  );
  assert.equal(stub.calls[1]?.url, `/volume/v3/p1/volumes/detail?limit=200&marker=${id}`);
});

test('cinder: an endpoint override without the project: the project is added', async () => {
  const { stub } = await start(() => ok({ volumes: [] }));
  const second = await start(() => undefined, { OS_BLOCK_STORAGE_ENDPOINT_OVERRIDE: `${stub.origin}/other` });
  await second.cinder.volumes();
  assert.match(stub.calls[0]?.url ?? '', /^\/other\/v3\/p1\/volumes\/detail/);
});

test('cinder: an attached volume: not deleted', async () => {
  const { cinder } = await start(() => ({
    status: 400,
    body: { badRequest: { code: 400, message: 'Invalid volume: must be available' } },
  }));
  await assert.rejects(
    cinder.deleteVolume(id),
    (error) =>
      isKind(error, 'invalid') && /deleting volume .*: cinder answered 400: Invalid volume/.test(error.message),
  );
});

test('neutron: ports of a device', async () => {
  const { stub, neutron } = await start(() => ok({ ports: [port] }));
  const [found] = await neutron.ports({ deviceId: other });
  assert.deepEqual(
    [found?.deviceOwner, found?.addresses, found?.securityGroups],
    ['compute:kuryr', ['10.0.0.5'], ['sg']],
  );
  assert.equal(stub.calls[0]?.url, `/network/v2.0/ports?project_id=p1&device_id=${other}&limit=500`);
});

test('neutron: networks, security groups and floating addresses', async () => {
  const { neutron } = await start((seen) => {
    if (seen.url.includes('networks'))
      return ok({
        networks: [{ id: 'n', name: 'net', shared: true, 'router:external': false, tenant_id: 'p1', subnets: ['s'] }],
      });
    if (seen.url.includes('security-groups')) {
      const rule = {
        direction: 'ingress',
        protocol: 'tcp',
        port_range_min: 80,
        port_range_max: 80,
        remote_ip_prefix: null,
      };
      return ok({ security_groups: [{ id: 'g', name: 'default', project_id: 'p1', security_group_rules: [rule] }] });
    }
    return ok({
      floatingips: [
        { id: 'f', floating_ip_address: '1.2.3.4', fixed_ip_address: null, port_id: null, floating_network_id: 'n' },
      ],
    });
  });
  assert.deepEqual(
    (await neutron.networks()).map((each) => [each.name, each.shared, each.projectId]),
    [['net', true, 'p1']],
  );
  assert.equal((await neutron.securityGroups())[0]?.rules[0]?.portMin, 80);
  assert.equal((await neutron.floatingIps())[0]?.address, '1.2.3.4');
});

test('neutron: security groups of a port: sent; a port that is gone counts as deleted', async () => {
  const { stub, neutron } = await start((seen) =>
    seen.method === 'PUT'
      ? ok({ port })
      : {
          status: 404,
          body: { NeutronError: { type: 'PortNotFound', message: 'Port x could not be found.', detail: '' } },
        },
  );
  await neutron.setPortSecurityGroups(id, ['a', 'b']);
  await neutron.deletePort(id);
  assert.deepEqual(stub.calls[0]?.body, { port: { security_groups: ['a', 'b'] } });
});

test('registries: created, listed without their password, deleted', async () => {
  const registry = { uuid: id, name: 'r', domain: 'registry.example', username: 'u', password: '***', links: [] };
  const { stub, project } = await start((seen) => {
    if (seen.method === 'POST') return { status: 202, body: { registry } };
    if (seen.method === 'GET') return ok({ registries: [registry], next: null });
    return zunError(404, 'registry-not-found', 'Registry x could not be found.');
  });
  const asked = { name: 'r', domain: 'registry.example', username: 'u', password: 's3cr3t' };
  const made = await project.createRegistry(asked);
  assert.deepEqual(made, { uuid: id, name: 'r', domain: 'registry.example', username: 'u' });
  assert.deepEqual(stub.calls[0]?.body, { registry: asked });
  assert.deepEqual(await project.listRegistries(), [made]);
  await project.deleteRegistry(id);
});

test('quotas: with and without usage', async () => {
  const plain = await start(() => ok({ containers: 40, memory: 51200, disk: 100, cpu: 20 }));
  assert.deepEqual((await plain.project.quotas())['containers'], { limit: 40, inUse: undefined });
  assert.equal(plain.stub.calls[0]?.url, '/container/v1/quotas/p1?usages=true');
  const used = await start(() => ok({ containers: { limit: 40, in_use: 3 } }));
  assert.deepEqual((await used.project.quotas())['containers'], { limit: 40, inUse: 3 });
});

test('availability zones: their names', async () => {
  const { project } = await start(() => ok({ availability_zones: [{ availability_zone: 'nova' }], next: null }));
  assert.deepEqual(await project.availabilityZones(), ['nova']);
});
