import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { isKind } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { loadCloud } from '../../../src/openstack/cloud-config.ts';
import { createNeutron } from '../../../src/openstack/neutron.ts';
import { createSession } from '../../../src/openstack/session.ts';
import { startCloud } from './lib.ts';

async function startNeutron(context: Parameters<typeof startCloud>[0]) {
  const cloud = await startCloud(context);
  const loaded = await loadCloud({ env: cloud.env, cwd: '/', readFile: async () => undefined });
  const session = createSession({ cloud: loaded, clock: systemClock, log: silentLog, userAgent: 'zunlet/test' });
  context.after(() => session.close());
  const uuid = await cloud.capsule({ command: ['sleep', '1d'] });
  const neutron = createNeutron(session);
  const [port] = await neutron.ports({ deviceId: uuid });
  assert.ok(port);
  return { cloud, neutron, port, uuid };
}

test('neutron: the port of a capsule: takes groups that exist, no others', async (context) => {
  const { cloud, neutron, port, uuid } = await startNeutron(context);
  const project = cloud.networks.ports()[0]?.projectId ?? '';
  const web = cloud.networks.createSecurityGroup('web', project);
  await neutron.setPortSecurityGroups(port.id, [web]);
  assert.deepEqual((await neutron.ports({ deviceId: uuid }))[0]?.securityGroups, [web]);
  await assert.rejects(neutron.setPortSecurityGroups(port.id, [uuid]), (error) => isKind(error, 'not-found'));
});

test('neutron: a floating ip: allocated on the external network, moved, free when its port goes, released', async (context) => {
  const { cloud, neutron, port, uuid } = await startNeutron(context);
  const outside = (await neutron.networks()).find(({ external }) => external);
  assert.equal(outside?.name, 'public');
  const wanted = { networkId: outside.id, portId: port.id, description: 'zunlet test' };
  const made = await neutron.createFloatingIp(wanted);
  assert.equal(made.fixedAddress, port.addresses[0]);
  assert.deepEqual(await neutron.floatingIps(), [made]);
  await cloud.call('DELETE', `/capsules/${uuid}`);
  await cloud.clock.advance(30_000);
  assert.equal((await neutron.floatingIps())[0]?.portId, null);
  await neutron.deleteFloatingIp(made.id);
  await neutron.deleteFloatingIp(made.id);
  assert.deepEqual(await neutron.floatingIps(), []);
});
