import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistryKeeper, type RegistryKeeperOptions } from '../../../src/agent/registries.ts';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Pod, Secret } from '../../../src/kube/types.ts';
import type { Capsule } from '../../../src/openstack/types.ts';
import type { ZunRegistry } from '../../../src/openstack/zun-project.ts';
import { capsule, pod, uuid, zunContainer } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';
import { secret } from '../../lib/translation.ts';

type Asked = Parameters<RegistryKeeperOptions['project']['createRegistry']>[0];

function login(password = 'pw', host = 'registry.example'): Secret {
  const auths = { [host]: { username: 'u', password } };
  return secret('pull', { '.dockerconfigjson': JSON.stringify({ auths }) });
}

function puller(uid: number, namespace = 'default'): Pod {
  return pod({
    uid: uuid(uid),
    namespace,
    containers: [{ name: 'app', image: 'registry.example/team/app:1' }],
    spec: { imagePullSecrets: [{ name: 'pull' }] },
  });
}

/** A project of Zun with its registries, and the stores of a node. */
function bed(stored: ZunRegistry[] = []) {
  const clock = createManualClock();
  const asked: Asked[] = [];
  const lists = { count: 0 };
  const pods = new Map<string, Pod>();
  const seen = {
    capsules: [] as Capsule[],
    listedAt: Number.NEGATIVE_INFINITY,
    failure: undefined as AppError | undefined,
  };
  const logged: string[] = [];
  const make = () =>
    createRegistryKeeper({
      project: {
        async createRegistry(wish) {
          asked.push(wish);
          const made = {
            uuid: uuid(700 + asked.length),
            name: wish.name,
            domain: wish.domain,
            username: wish.username,
          };
          stored.push(made);
          if (seen.failure) throw seen.failure;
          return made;
        },
        async listRegistries() {
          lists.count += 1;
          return [...stored];
        },
        async deleteRegistry(id) {
          stored.splice(
            stored.findIndex((each) => each.uuid === id),
            1,
          );
        },
      },
      cluster: 'c1',
      node: 'n1',
      clock,
      log: { ...silentLog, info: (message, fields) => void logged.push(message + JSON.stringify(fields)) },
      pods: { get: (uid) => pods.get(uid), isComplete: () => true },
      capsules: { all: () => seen.capsules },
      listedAt: () => seen.listedAt,
      settleMs: 60_000,
    });
  const keeper = make();
  async function start(who: Pod, given = login()) {
    pods.set(who.metadata.uid, who);
    return (await keeper.registriesOf(who, { pull: given }))['pull'];
  }
  /** Lets one sweep happen; scrypt runs on other threads, so real turns pass. */
  async function sweep() {
    seen.listedAt = clock.monotonic() + 200_000;
    await clock.advance(300_000);
  }
  return { clock, keeper, make, asked, lists, pods, seen, stored, logged, start, sweep };
}

test('registries: two Pods of a namespace with one login: share one registry', async () => {
  const { start, asked, lists, logged } = bed();
  const [first, second] = await Promise.all([start(puller(1)), start(puller(2))]);
  assert.equal(first, second);
  assert.equal(asked.length, 1);
  assert.equal(lists.count, 1);
  const { domain, username, password } = asked[0] ?? {};
  assert.deepEqual([domain, username, password], ['registry.example', 'u', 'pw']);
  assert.doesNotMatch(logged.join(), /"pw"/);
});

test('registries: another namespace, another password: registries of their own', async () => {
  const { start, asked } = bed();
  await start(puller(1));
  await start(puller(2, 'other'));
  await start(puller(3), login('new'));
  assert.equal(new Set(asked.map(({ name }) => name)).size, 3);
  for (const { name } of asked) assert.match(name, /^zunlet-[0-9a-f]{16}-(default|other)-[0-9a-f]{24}$/);
});

test('registries: a Secret for another host: none is made', async () => {
  const { start, asked } = bed();
  assert.equal(await start(puller(1), login('pw', 'elsewhere.example')), undefined);
  assert.equal(asked.length, 0);
});

test('registries: a new process: finds the registry by its name', async () => {
  const { start, make, asked } = bed();
  const first = await start(puller(1));
  const found = await make().registriesOf(puller(2), { pull: login() });
  assert.deepEqual(found, { pull: first });
  assert.equal(asked.length, 1);
});

test('registries: the answer to the POST is lost: the next try finds what it made', async () => {
  const { start, seen, asked } = bed();
  seen.failure = new AppError({ kind: 'retryable', code: 'zun.timeout', message: 'no answer', effect: 'unknown' });
  await assert.rejects(start(puller(1)), /no answer/);
  seen.failure = undefined;
  assert.equal(await start(puller(1)), uuid(701));
  assert.equal(asked.length, 1);
});

test('registries: deleted by hand: made anew once the list is a minute old', async () => {
  const { start, clock, stored } = bed();
  await start(puller(1));
  stored.length = 0;
  assert.equal(await start(puller(1)), uuid(701));
  await clock.advance(60_000);
  assert.equal(await start(puller(1)), uuid(702));
});

test('registries: sweep: what a starting Pod or a container uses stays, the rest of ours goes, foreign ones stay', async () => {
  const foreign = { uuid: uuid(1), name: 'zunlet-0000000000000000-default-x', domain: 'd', username: 'u' };
  const b = bed([foreign]);
  const used = await b.start(puller(1));
  const starting = await b.start(puller(2), login('second'));
  await b.start(puller(3), login('third'));
  const holder = capsule({ backend: 'container', containers: [zunContainer({ registry_id: used ?? null })] });
  b.seen.capsules = [holder];
  b.pods.delete(uuid(1));
  b.pods.delete(uuid(3));
  b.keeper.start();
  await b.sweep();
  assert.deepEqual(
    b.stored.map((each) => each.uuid),
    [foreign.uuid, used, starting],
  );
  b.seen.capsules = [];
  b.pods.clear();
  await b.sweep();
  assert.deepEqual(b.stored, [foreign]);
});

test('registries: sweep after a restart: waits for a list that shows all, then clears', async () => {
  const b = bed();
  await b.start(puller(1));
  b.pods.clear();
  const next = b.make();
  next.start();
  await b.clock.advance(300_000);
  assert.equal(b.stored.length, 1, 'no list yet');
  await b.sweep();
  assert.equal(b.stored.length, 0);
});
