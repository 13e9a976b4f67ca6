import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createPodNetwork } from '../../../src/agent/pod-network.ts';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Pod } from '../../../src/kube/types.ts';
import type { FloatingIp, Neutron, Port } from '../../../src/openstack/neutron.ts';
import type { Capsule } from '../../../src/openstack/types.ts';
import { capsule, pod, uuid } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const port = (id: number, device: string): Port => ({
  id: uuid(id),
  name: '',
  networkId: 'net',
  deviceId: device,
  deviceOwner: 'compute:kuryr',
  status: 'ACTIVE',
  addresses: ['10.0.0.5'],
  securityGroups: ['default'],
  createdAt: '',
});
const group = (id: string, name: string) => ({ id, name, projectId: 'p', rules: [] });
const network = (id: string, name: string, external: boolean) => {
  return { id, name, shared: false, external, projectId: 'p', subnets: [], createdAt: '' };
};

/** A Neutron in memory, and the stores of a node. */
function bed() {
  const clock = createManualClock();
  const ports = [port(900, uuid(100))];
  const groups = [group('g-web', 'web'), group('g-db', 'db')];
  const ips: FloatingIp[] = [];
  const state = { createFailure: undefined as AppError | undefined, isCreateLost: false, puts: 0 };
  const neutron: Neutron = {
    async ports({ deviceId }) {
      return ports.filter((each) => each.deviceId === deviceId);
    },
    async setPortSecurityGroups(id, wanted) {
      state.puts += 1;
      for (const each of ports) if (each.id === id) each.securityGroups = wanted;
    },
    async deletePort() {},
    networks: async () => [network('n-in', 'inside', false), network('n-out', 'public', true)],
    securityGroups: async () => groups,
    floatingIps: async () => [...ips],
    async createFloatingIp({ networkId, portId, description }) {
      if (state.createFailure && !state.isCreateLost) throw state.createFailure;
      const address = `203.0.113.${ips.length + 1}`;
      const made = { id: uuid(800 + ips.length), description, address, fixedAddress: null, portId, networkId };
      ips.push(made);
      if (state.createFailure) throw state.createFailure;
      return made;
    },
    async moveFloatingIp(id, portId) {
      for (const ip of ips) if (ip.id === id) ip.portId = portId;
    },
    async deleteFloatingIp(id) {
      ips.splice(
        ips.findIndex((ip) => ip.id === id),
        1,
      );
    },
  };
  const pods = new Map<string, Pod>();
  const capsules: Capsule[] = [];
  const events: string[] = [];
  const make = () =>
    createPodNetwork({
      neutron,
      cluster: 'c1',
      node: 'n1',
      clock,
      random: () => 1,
      log: silentLog,
      events: { record: (_subject, _type, reason, message) => void events.push(`${reason}: ${message}`) },
      pods: { get: (uid) => pods.get(uid), isComplete: () => true },
      capsules: { ofPod: () => capsules },
      settleMs: 60_000,
    });
  const loop = make();
  async function set(annotations: Record<string, string>, seen: Capsule[] = [capsule()]) {
    const made = pod({ annotations });
    pods.set(made.metadata.uid, made);
    capsules.splice(0, capsules.length, ...seen);
    loop.onChange(made.metadata.uid);
    await clock.advance(0);
  }
  return { clock, ports, groups, ips, state, pods, capsules, events, loop, make, set };
}

const groupsOf = (names: string) => ({ 'zunlet.io/security-groups': names });
const floating = { 'zunlet.io/floating-ip': 'public' };
const lost = new AppError({ kind: 'retryable', code: 'neutron.timeout', message: 'no answer', effect: 'unknown' });

test('pod network: groups by name and id: set on the port of the capsule, once', async () => {
  const b = bed();
  await b.set(groupsOf('web, g-db'));
  assert.deepEqual(b.ports[0]?.securityGroups, ['g-web', 'g-db']);
  assert.deepEqual(b.events, ['SecurityGroupsSet: security groups of the Neutron port: web, g-db']);
  await b.set(groupsOf('web, g-db'));
  assert.equal(b.state.puts, 1);
  await b.set(groupsOf('db'));
  assert.deepEqual(b.ports[0]?.securityGroups, ['g-db']);
});

test('pod network: the capsule is made anew: its new port gets the groups, too', async () => {
  const b = bed();
  await b.set(groupsOf('web'));
  b.ports.push(port(901, uuid(101)));
  await b.set(groupsOf('web'), [capsule({ uuid: uuid(101) })]);
  assert.deepEqual(b.ports[1]?.securityGroups, ['g-web']);
});

test('pod network: a standalone container: Zun set the groups, and a change is followed', async () => {
  const b = bed();
  b.ports[0]?.securityGroups.splice(0, 1, 'g-web');
  const seen = [capsule({ backend: 'container' })];
  await b.set(groupsOf('web'), seen);
  assert.equal(b.state.puts, 0);
  await b.set(groupsOf('db'), seen);
  assert.deepEqual(b.ports[0]?.securityGroups, ['g-db']);
});

test('pod network: the annotation is removed: the port goes back to the default group, once', async () => {
  const b = bed();
  b.groups.push(group('g-default', 'default'));
  await b.set({});
  assert.equal(b.state.puts, 0, 'a Pod that never asked is left alone');
  await b.set(groupsOf('web'));
  await b.set({});
  await b.set({});
  assert.deepEqual(b.ports[0]?.securityGroups, ['g-default']);
  assert.equal(b.state.puts, 2);
});

test('pod network: an unknown group: an Event, and again after the back-off', async () => {
  const b = bed();
  await b.set(groupsOf('late'));
  assert.match(b.events[0] ?? '', /FailedPodNetwork: .*there is no security group late/);
  b.groups.push(group('g-late', 'late'));
  b.loop.onChange(uuid(1));
  await b.clock.advance(9000);
  assert.equal(b.state.puts, 0);
  await b.clock.advance(1000);
  assert.deepEqual(b.ports[0]?.securityGroups, ['g-late']);
});

test('pod network: no port yet: waits without a second call in between', async () => {
  const b = bed();
  await b.set(groupsOf('web'), [capsule({ addresses: {} })]);
  assert.deepEqual(b.events, []);
  await b.set(groupsOf('web'));
  assert.equal(b.state.puts, 1);
});

test('floating ip: allocated for the Pod, named in an Event, moved to the port of a new capsule', async () => {
  const b = bed();
  await b.set(floating);
  assert.deepEqual(b.ips[0]?.portId, uuid(900));
  assert.equal(b.ips[0]?.description, `zunlet c1 n1 ${uuid(1)} default/web`);
  assert.match(b.events[0] ?? '', /^FloatingIPAssociated: floating IP 203\.0\.113\.1 of public/);
  b.ports.push(port(901, uuid(101)));
  await b.set(floating, [capsule({ uuid: uuid(101) })]);
  assert.deepEqual(
    b.ips.map(({ portId }) => portId),
    [uuid(901)],
  );
});

test('floating ip: the answer is lost: found by its description, no second one', async () => {
  const b = bed();
  b.state.createFailure = lost;
  b.state.isCreateLost = true;
  await b.set(floating);
  b.state.createFailure = undefined;
  await b.clock.advance(10_000);
  assert.equal(b.ips.length, 1);
  assert.equal(b.events.length, 1);
});

test('floating ip: no answer and nothing seen: asks again only when the call can take effect no more', async () => {
  const b = bed();
  b.state.createFailure = lost;
  await b.set(floating);
  b.state.createFailure = undefined;
  await b.clock.advance(59_000);
  assert.equal(b.ips.length, 0);
  await b.clock.advance(11_000);
  assert.equal(b.ips.length, 1);
});

test('floating ip: a network that is not external: an Event that names those that are', async () => {
  const b = bed();
  await b.set({ 'zunlet.io/floating-ip': 'inside' });
  assert.match(b.events[0] ?? '', /there is no external network inside; there are: public/);
});

test('floating ip: Pod gone, ended, or the annotation removed: released', async () => {
  const leave: ((pods: Map<string, Pod>, whole: Pod) => void)[] = [
    (pods, whole) => pods.delete(whole.metadata.uid),
    (pods, whole) => pods.set(whole.metadata.uid, { ...whole, status: { phase: 'Succeeded' } }),
    (pods) => pods.set(uuid(1), pod()),
  ];
  for (const change of leave) {
    const b = bed();
    b.loop.start();
    await b.set(floating);
    change(b.pods, pod({ annotations: floating }));
    b.loop.onChange(uuid(1));
    await b.clock.advance(1000);
    assert.deepEqual(b.ips, []);
    await b.loop.stop();
  }
});

test('floating ip: the Pod went while no process was there: released after the start, those of others stay', async () => {
  const b = bed();
  await b.set(floating);
  b.ips.push({ ...(b.ips[0] as FloatingIp), id: uuid(850), description: `zunlet c1 n2 ${uuid(1)} default/web` });
  b.pods.clear();
  const next = b.make();
  next.start();
  await b.clock.advance(60_000);
  assert.deepEqual(
    b.ips.map(({ id }) => id),
    [uuid(850)],
  );
  await next.stop();
});
