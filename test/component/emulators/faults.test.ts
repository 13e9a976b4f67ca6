import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Fault } from '../../../src/emulators/faults.ts';
import { startCloud, type TestCloud } from './lib.ts';

const body = { template: { kind: 'capsule', metadata: { name: 'web' }, spec: { containers: [{ image: 'busybox' }] } } };

/** Posts a capsule and says in a word what came back, and how many capsules there are then. */
async function post(cloud: TestCloud): Promise<[string | number, number]> {
  const outcome = await cloud.call('POST', '/capsules', body).then(
    (reply) => (Object.keys(reply.json).length > 0 || reply.status === 500 ? reply.status : 'not JSON'),
    (error: Error) =>
      error instanceof SyntaxError ? 'not JSON' : String((error.cause as { code?: string })?.code ?? error.name),
  );
  return [outcome, cloud.zun.control.inventory().capsules.length];
}

const cases: [string, Fault, string | number, number][] = [
  ['reset before the effect', { kind: 'reset-before' }, 'ECONNRESET', 0],
  ['reset after the effect', { kind: 'reset-after' }, 'ECONNRESET', 1],
  ['body cut in the middle', { kind: 'cut' }, 'ECONNRESET', 1],
  ['status 503', { kind: 'status', status: 503 }, 503, 0],
  ['status 500 with the effect kept', { kind: 'status', status: 500, effect: true }, 500, 1],
  ['body that is not JSON', { kind: 'garbage' }, 'not JSON', 1],
];
for (const [name, fault, outcome, capsules] of cases) {
  test(`fault: ${name}: the client sees ${outcome}, ${capsules} capsules are there`, async (context) => {
    const cloud = await startCloud(context);
    cloud.zun.control.faults.add({ operation: 'capsule.create', fault, times: 1 });
    const [seen, count] = await post(cloud);
    assert.match(String(seen), new RegExp(`^${outcome}$|UND_ERR_SOCKET|terminated`));
    assert.equal(count, capsules);
    assert.deepEqual(cloud.zun.control.faults.injected(), { [fault.kind]: 1 });
    assert.equal((await post(cloud))[0], 202);
  });
}

test('fault: status 429 with Retry-After: both arrive', async (context) => {
  const cloud = await startCloud(context);
  cloud.zun.control.faults.add({ fault: { kind: 'status', status: 429, retryAfterSeconds: 7 } });
  const reply = await cloud.call('GET', '/capsules');
  assert.deepEqual([reply.status, reply.headers.get('retry-after')], [429, '7']);
});

test('fault: the effect comes late: no answer, no capsule, then one', async (context) => {
  const cloud = await startCloud(context);
  cloud.zun.control.faults.add({ operation: 'capsule.*', fault: { kind: 'late', ms: 3000 }, nth: 1 });
  assert.equal((await post(cloud))[1], 0);
  await cloud.clock.advance(2900);
  assert.equal(cloud.zun.control.inventory().capsules.length, 0);
  await cloud.clock.advance(200);
  assert.equal(cloud.zun.control.inventory().capsules.length, 1);
});

test('fault: the answer is lost: the capsule is there, the client waits for ever', async (context) => {
  const cloud = await startCloud(context);
  cloud.zun.control.faults.add({ operation: 'capsule.create', fault: { kind: 'lose-answer' } });
  const waiting = fetch(`${cloud.zun.url}/capsules`, {
    method: 'POST',
    headers: { 'x-auth-token': cloud.token, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(100),
  });
  await assert.rejects(waiting, { name: 'TimeoutError' });
  assert.equal(cloud.zun.control.inventory().capsules.length, 1);
});

test('fault: connections refused for a while: refused, then served again', async (context) => {
  const cloud = await startCloud(context);
  cloud.zun.control.faults.add({ fault: { kind: 'refuse', forMs: 1000 }, times: 1 });
  await assert.rejects(cloud.call('GET', '/capsules'));
  await assert.rejects(cloud.call('GET', '/capsules'), (error: Error) =>
    /ECONNREFUSED/.test(String((error.cause as Error)?.message)),
  );
  await cloud.clock.advance(1500);
  assert.equal((await cloud.call('GET', '/capsules')).status, 200);
});

test('fault: stale lists: what was created since is missing, what went is there', async (context) => {
  const cloud = await startCloud(context, { zun: { rememberMs: 60_000 } });
  const gone = await cloud.capsule({});
  await cloud.call('DELETE', `/capsules/${gone}`);
  await cloud.clock.advance(2000);
  const fresh = await cloud.capsule({});
  cloud.zun.control.faults.add({ operation: 'capsule.list', fault: { kind: 'stale', ms: 8000 } });
  const { capsules } = (await cloud.call('GET', '/capsules')).json as { capsules: { uuid: string }[] };
  assert.deepEqual(
    capsules.map((capsule) => capsule.uuid),
    [gone],
  );
  cloud.zun.control.faults.clear();
  const now = (await cloud.call('GET', '/capsules')).json as { capsules: { uuid: string }[] };
  assert.deepEqual(
    now.capsules.map((capsule) => capsule.uuid),
    [fresh],
  );
});

test('fault: a probability with a seed: the same calls fail in each run', async (context) => {
  const runs: number[][] = [];
  for (let run = 0; run < 2; run++) {
    const cloud = await startCloud(context);
    cloud.zun.control.faults.add({ fault: { kind: 'status', status: 503 }, probability: 0.4, seed: 7 });
    const statuses: number[] = [];
    for (let call = 0; call < 20; call++) statuses.push((await cloud.call('GET', '/capsules')).status);
    runs.push(statuses);
  }
  assert.deepEqual(runs[0], runs[1]);
  assert.deepEqual(new Set(runs[0]), new Set([200, 503]));
});

test('counters: calls and answers: by operation and status', async (context) => {
  const cloud = await startCloud(context);
  await cloud.call('GET', '/capsules');
  await cloud.call('GET', '/capsules/unknown');
  await cloud.call('GET', '/containers/unknown/logs');
  const counts = cloud.zun.control.counters();
  assert.deepEqual(counts['capsule.list'], { calls: 1, answers: { 200: 1 } });
  assert.deepEqual(counts['capsule.get'], { calls: 1, answers: { 404: 1 } });
  assert.deepEqual(counts['container.logs'], { calls: 1, answers: { 404: 1 } });
  assert.equal(cloud.keystone.control.counters()['token.create']?.calls, 1);
});
