import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ownerLabel } from '../../../src/base/identity.ts';
import { type Json, startCloud } from './lib.ts';

type Container = { status: string; status_detail: string | null; hostname: string | null };

test('zun emulator: a capsule is posted: Creating, then Running with an address of this machine', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({ command: ['sleep', '1d'] });
  const { json } = await cloud.call('GET', `/capsules/${uuid}`);
  assert.equal(json['status'], 'Running');
  assert.match(JSON.stringify(json['addresses']), /"addr":"127\.77\./);
});

test('zun emulator: a running capsule is deleted: nothing shows until it is gone, nothing is left', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({});
  assert.equal((await cloud.call('DELETE', `/capsules/${uuid}`)).status, 204);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status'], 'Running');
  await cloud.clock.advance(1000);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
  assert.deepEqual([cloud.zun.control.leftovers(), cloud.networks.ports()], [[], []]);
});

test('zun emulator: a process ends after the start: the API never tells, the control knows', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({ command: ['sh', '-c', 'sleep 30; exit 3'] }, { spec: { restartPolicy: 'Never' } });
  await cloud.clock.advance(60_000);
  const { containers } = (await cloud.call('GET', `/capsules/${uuid}`)).json as { containers: Container[] };
  assert.equal(containers[0]?.status, 'Running');
  const seen = cloud.zun.control.inventory().capsules[0]?.containers[0];
  assert.deepEqual([seen?.process, seen?.exitCode], ['exited', 3]);
});

test('zun emulator: bugs fixed: exits show in the status, members can be asked, deleting shows', async (context) => {
  const cloud = await startCloud(context, { zun: { bugs: 'fixed', initContainers: 'working' } });
  const uuid = await cloud.capsule(
    { command: ['sh', '-c', 'echo hello; exit 3'] },
    { spec: { restartPolicy: 'Never' } },
  );
  const { containers } = (await cloud.call('GET', `/capsules/${uuid}`)).json as {
    containers: (Container & { uuid: string })[];
  };
  assert.match(containers[0]?.status_detail ?? '', /^Exited\(3\) /);
  assert.equal((await cloud.call('GET', `/containers/${containers[0]?.uuid}/logs`)).text, '"hello\\n"');
  await cloud.call('DELETE', `/capsules/${uuid}`);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status'], 'Deleting');
});

test('zun emulator: a program that ends at once: the one look catches it', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({ command: ['false'] }, { spec: { restartPolicy: 'Never' } });
  const { containers, status } = (await cloud.call('GET', `/capsules/${uuid}`)).json as {
    status: string;
    containers: Container[];
  };
  assert.deepEqual(
    [status, containers[0]?.status, containers[0]?.status_detail],
    ['Running', 'Stopped', 'Exited(1) None ago '],
  );
});

test('zun emulator: cri driver: no host name, no detail, Running whatever happened', async (context) => {
  const cloud = await startCloud(context, { zun: { driver: 'cri' } });
  const uuid = await cloud.capsule({ command: ['false'] });
  const { containers } = (await cloud.call('GET', `/capsules/${uuid}`)).json as { containers: Container[] };
  assert.deepEqual(
    [containers[0]?.status, containers[0]?.status_detail, containers[0]?.hostname],
    ['Running', null, null],
  );
});

test('zun emulator: init containers working: the app starts when they are through', async (context) => {
  const cloud = await startCloud(context, { zun: { initContainers: 'working' } });
  const spec = { initContainers: [{ image: 'busybox', command: ['sleep', '10'] }] };
  const uuid = await cloud.capsule({}, { spec });
  const { status, init_containers } = (await cloud.call('GET', `/capsules/${uuid}`)).json as {
    status: string;
    init_containers: Container[];
  };
  assert.equal(status, 'Created');
  assert.equal(init_containers[0]?.status, 'Running');
  await cloud.clock.advance(12_000);
  const later = (await cloud.call('GET', `/capsules/${uuid}`)).json as { status: string; init_containers: Container[] };
  assert.deepEqual([later.status, later.init_containers[0]?.status], ['Running', 'Stopped']);
});

test('zun emulator: DELETE before the sandbox is known: Error, and the second DELETE works', async (context) => {
  const cloud = await startCloud(context);
  const body = { template: { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'busybox' }] } } };
  const uuid = String((await cloud.call('POST', '/capsules', body)).json['uuid']);
  await cloud.clock.advance(20);
  assert.equal((await cloud.call('DELETE', `/capsules/${uuid}`)).status, 204);
  await cloud.clock.advance(2000);
  const { json } = await cloud.call('GET', `/capsules/${uuid}`);
  assert.deepEqual([json['status'], json['status_reason']], ['Error', 'Resource ID was not provided']);
  await cloud.call('DELETE', `/capsules/${uuid}`);
  await cloud.clock.advance(2000);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
});

test('zun emulator: DELETE before the claim: gone at once, and nothing is made afterwards', async (context) => {
  const cloud = await startCloud(context);
  const body = { template: { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'busybox' }] } } };
  const uuid = String((await cloud.call('POST', '/capsules', body)).json['uuid']);
  await cloud.call('DELETE', `/capsules/${uuid}`);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
  await cloud.clock.advance(5000);
  assert.deepEqual([cloud.networks.ports(), cloud.zun.control.leftovers()], [[], []]);
});

test('zun emulator: DELETE while a later image is pulled: what starts afterwards is left running', async (context) => {
  const cloud = await startCloud(context);
  const spec = { containers: [{ image: 'busybox' }, { image: 'slow-pull-3' }] };
  const body = { template: { kind: 'capsule', metadata: {}, spec } };
  const uuid = String((await cloud.call('POST', '/capsules', body)).json['uuid']);
  await cloud.clock.advance(1000);
  await cloud.call('DELETE', `/capsules/${uuid}`);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status'], 'Created');
  await cloud.clock.advance(10_000);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
  assert.deepEqual(
    cloud.zun.control.leftovers().map((item) => item.kind),
    ['container'],
  );
});

test('zun emulator: an image cannot be pulled: Error, and DELETE leaves sandbox and port behind', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({ image: 'nope' });
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status_reason'], 'Image nope could not be found.');
  await cloud.call('DELETE', `/capsules/${uuid}`);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
  assert.deepEqual(
    cloud.zun.control.leftovers().map((item) => item.kind),
    ['sandbox', 'port'],
  );
  assert.equal(cloud.networks.ports().length, 1);
});

test('zun emulator: the sandbox image is missing: Error that DELETE never removes', async (context) => {
  const cloud = await startCloud(context);
  cloud.zun.control.setSandboxImage(false);
  const uuid = await cloud.capsule({});
  for (let attempt = 0; attempt < 2; attempt++) {
    assert.equal((await cloud.call('DELETE', `/capsules/${uuid}`)).status, 204);
    await cloud.clock.advance(2000);
  }
  const { json } = await cloud.call('GET', `/capsules/${uuid}`);
  assert.deepEqual([json['status'], json['status_reason']], ['Error', 'Resource ID was not provided']);
});

test('zun emulator: compute host away: DELETE answers 500, POST finds no host', async (context) => {
  const cloud = await startCloud(context);
  const uuid = await cloud.capsule({});
  cloud.zun.control.setComputeUp(false);
  assert.equal((await cloud.call('DELETE', `/capsules/${uuid}`)).status, 500);
  const other = await cloud.capsule({});
  assert.equal(
    (await cloud.call('GET', `/capsules/${other}`)).json['status_reason'],
    'There are not enough hosts available.',
  );
});

test('zun emulator: zun-compute restarts during a create: the capsule never comes further', async (context) => {
  const cloud = await startCloud(context);
  const body = { template: { kind: 'capsule', metadata: {}, spec: { containers: [{ image: 'slow-pull-5' }] } } };
  const uuid = String((await cloud.call('POST', '/capsules', body)).json['uuid']);
  await cloud.clock.advance(1000);
  cloud.zun.control.restartCompute();
  await cloud.clock.advance(1_800_000);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status'], 'Created');
});

test('monitor: two live capsules with one Pod UID: noted, even when one goes at once', async (context) => {
  const cloud = await startCloud(context);
  const labels: Json = { [ownerLabel.uid]: 'uid-1' };
  await cloud.capsule({}, { labels });
  assert.deepEqual(cloud.zun.control.doubles(), []);
  const second = await cloud.capsule({}, { labels });
  await cloud.call('DELETE', `/capsules/${second}`);
  await cloud.clock.advance(1000);
  assert.deepEqual(
    cloud.zun.control.doubles().map((item) => [item.podUid, item.uuids.length]),
    [['uid-1', 2]],
  );
});

test('monitor: litter of a failed POST beside a live capsule: not counted', async (context) => {
  const cloud = await startCloud(context);
  const labels: Json = { [ownerLabel.uid]: 'uid-1' };
  await cloud.capsule({}, { labels });
  const spec = { containers: [{ image: 'busybox', command: [null] }] };
  const failed = await cloud.call('POST', '/capsules', { template: { kind: 'capsule', metadata: { labels }, spec } });
  assert.equal(failed.status, 500);
  assert.equal(cloud.zun.control.inventory().capsules.length, 2);
  assert.deepEqual(cloud.zun.control.doubles(), []);
});

test('control: litter, status and vanishing: the API shows what was put there', async (context) => {
  const cloud = await startCloud(context);
  const { control } = cloud.zun;
  const uuid = control.putLitter({ name: 'foreign', labels: { a: 'b' }, status: 'Running', ageMs: 60_000 });
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['name'], 'foreign');
  control.setStatus(uuid, 'Error', 'made up');
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).json['status_reason'], 'made up');
  control.vanish(uuid);
  assert.equal((await cloud.call('GET', `/capsules/${uuid}`)).status, 404);
});
