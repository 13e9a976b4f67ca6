import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLog } from '../../../src/base/log.ts';
import type { OneShotAnswer, OneShotRequest } from '../../../src/base/one-shot.ts';
import type { Container, Pod } from '../../../src/kube/types.ts';
import { createPodHealth } from '../../../src/probes/pod-health.ts';
import type { ExecPort, KillDemand } from '../../../src/probes/ports.ts';
import { pod, uuid } from '../../lib/builders.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const epoch = Date.parse('2026-01-01T00:00:00Z');
const uid = uuid(1);
const httpGet = { port: 80, path: '/hook' };

function withContainers(containers: Partial<Container>[], since: number | undefined): Pod {
  const names = containers.map((_, index) => `c${index}`);
  const startedAt = `${new Date(epoch + (since ?? 0) * 1000).toISOString().slice(0, 19)}Z`;
  const state = since === undefined ? { waiting: { reason: 'ContainerCreating' } } : { running: { startedAt } };
  return pod({
    containers: containers.map((parts, index) => ({ name: names[index] ?? '', image: 'a', ...parts })),
    status: {
      phase: since === undefined ? 'Pending' : 'Running',
      podIP: '10.0.0.5',
      containerStatuses: names.map((name) => ({
        ...{ name, image: 'a', imageID: '', ready: false, restartCount: 0, state },
        ...(since === undefined ? {} : { containerID: `zun://${name}` }),
      })),
    },
  });
}

function bench(exec?: ExecPort) {
  const clock = createManualClock(epoch);
  const events: string[] = [];
  const kills: KillDemand[] = [];
  const requests: OneShotRequest[] = [];
  const world: { answer: OneShotAnswer; afterMs: number; changes: number } = {
    answer: { kind: 'answer', status: 500, location: undefined, body: '' },
    afterMs: 0,
    changes: 0,
  };
  const health = createPodHealth({
    clock,
    random: () => 0,
    log: silentLog,
    maxInFlight: 10,
    ports: {
      get(request) {
        requests.push(request);
        return new Promise((resolve) => clock.after(world.afterMs, () => resolve(world.answer)));
      },
      dial: () => Promise.resolve(undefined),
      health: () => Promise.resolve({ kind: 'timeout' }),
      ...(exec ? { exec } : {}),
    },
    event: (_, container, type, reason, message) => events.push(`${container} ${type} ${reason}: ${message}`),
    onChange: () => {
      world.changes += 1;
    },
    onKill: (demand) => kills.push(demand),
  });
  return { clock, events, kills, requests, world, health };
}

test('postStart: the container starts: it is neither ready nor probed until the hook was answered, by any status', async () => {
  const { clock, health, requests, world } = bench();
  world.afterMs = 2_000;
  const parts = { lifecycle: { postStart: { httpGet } }, readinessProbe: { httpGet: { port: 80, path: '/ready' } } };
  health.sync(withContainers([parts], undefined));
  assert.equal(health.view(uid)['c0']?.ready, false, 'before it runs');
  assert.equal(requests.length, 0);
  health.sync(withContainers([parts], 0));
  await clock.advance(1_000);
  assert.deepEqual(
    requests.map(({ path }) => path),
    ['/hook'],
  );
  assert.equal(requests[0]?.headers.find(([name]) => name === 'User-Agent')?.[1], 'kube-lifecycle/1.37');
  world.answer = { kind: 'answer', status: 200, location: undefined, body: '' };
  world.afterMs = 0;
  await clock.advance(1_500);
  assert.equal(requests.length, 2);
  assert.deepEqual(health.view(uid)['c0'], { containerID: 'zun://c0', ready: true });
});

test('postStart: a container without probes: ready when the hook is over, which pokes once', async () => {
  const { clock, health, world } = bench();
  const subject = withContainers([{ lifecycle: { postStart: { sleep: { seconds: 5 } } } }], 0);
  health.sync(subject);
  health.sync(subject);
  await clock.advance(4_900);
  assert.deepEqual(health.view(uid), { c0: { ready: false } });
  await clock.advance(200);
  assert.deepEqual(health.view(uid), {});
  assert.equal(world.changes, 1);
});

test('postStart: it fails: an Event and a demand to kill, and never ready', async () => {
  const { clock, health, world, events, kills } = bench();
  world.answer = { kind: 'failed', message: 'connection refused' };
  health.sync(withContainers([{ lifecycle: { postStart: { httpGet } } }], 0));
  await clock.advance(0);
  assert.deepEqual(events, ['c0 Warning FailedPostStartHook: PostStartHook failed: connection refused']);
  assert.deepEqual(kills, [
    { uid, container: 'c0', message: 'Container c0 failed PostStartHook', graceSeconds: undefined },
  ]);
  assert.equal(health.view(uid)['c0']?.ready, false);
});

test('postStart: the node restarted while the container ran: the hook is not run again', async () => {
  const { clock, health, requests } = bench();
  health.sync(withContainers([{ lifecycle: { postStart: { httpGet } } }], -60));
  await clock.advance(1_000);
  assert.equal(requests.length, 0);
  assert.deepEqual(health.view(uid), {});
});

test('postStart: the container runs anew: the hook is run anew', async () => {
  const { clock, health, requests } = bench();
  const parts = [{ lifecycle: { postStart: { httpGet } } }];
  health.sync(withContainers(parts, 0));
  await clock.advance(0);
  health.sync(withContainers(parts, 30));
  await clock.advance(0);
  assert.equal(requests.length, 2);
});

test('preStop: no hook: done at once, with all of the grace', () => {
  const { health } = bench();
  assert.deepEqual(health.preStop(withContainers([{}], 0), 30), { done: true, remainingSeconds: 30 });
});

test('preStop: the container never ran: no hook is run', () => {
  const { health, requests } = bench();
  const subject = withContainers([{ lifecycle: { preStop: { httpGet } } }], undefined);
  assert.equal(health.preStop(subject, 30).done, true);
  assert.equal(requests.length, 0);
});

test('preStop: two hooks: they run at once, done with the longer one, and what is left of the grace is told', async () => {
  const { clock, health, world } = bench();
  const hook = (seconds: number) => ({ lifecycle: { preStop: { sleep: { seconds } } } });
  const subject = withContainers([hook(5), hook(10)], 0);
  assert.deepEqual(health.preStop(subject, 30), { done: false, remainingSeconds: 30 });
  await clock.advance(9_000);
  assert.deepEqual(health.preStop(subject, 30), { done: false, remainingSeconds: 21 });
  await clock.advance(1_000);
  assert.deepEqual(health.preStop(subject, 30), { done: true, remainingSeconds: 20 });
  assert.equal(world.changes, 1);
});

test('preStop: it takes longer than the grace: done when that is over, two seconds are left to the container', async () => {
  const { clock, health, world, events } = bench();
  const subject = withContainers([{ lifecycle: { preStop: { sleep: { seconds: 300 } } } }], 0);
  health.preStop(subject, 30);
  await clock.advance(30_000);
  assert.deepEqual(health.preStop(subject, 30), { done: true, remainingSeconds: 2 });
  assert.equal(world.changes, 1);
  assert.deepEqual(events, []);
});

test('preStop: a second delete with a shorter grace: it counts from the first', async () => {
  const { clock, health } = bench();
  const subject = withContainers([{ lifecycle: { preStop: { sleep: { seconds: 300 } } } }], 0);
  health.preStop(subject, 60);
  await clock.advance(5_000);
  assert.equal(health.preStop(subject, 10).remainingSeconds, 5);
  await clock.advance(5_000);
  assert.equal(health.preStop(subject, 10).done, true);
});

test('preStop: it fails: an Event, and the end goes on', async () => {
  const { clock, health, world, events } = bench();
  world.answer = { kind: 'failed', message: 'EOF' };
  const subject = withContainers([{ lifecycle: { preStop: { httpGet } } }], 0);
  health.preStop(subject, 30);
  await clock.advance(0);
  assert.equal(health.preStop(subject, 30).done, true);
  assert.deepEqual(events, ['c0 Warning FailedPreStopHook: PreStopHook failed: EOF']);
});

test('preStop: the Pod is gone meanwhile: nothing is told', async () => {
  const { clock, health, world, events } = bench();
  health.preStop(withContainers([{ lifecycle: { preStop: { sleep: { seconds: 5 } } } }], 0), 30);
  health.forget(uid);
  await clock.advance(60_000);
  assert.equal(world.changes, 0);
  assert.deepEqual(events, []);
});

test('preStop: a command: its code and output are told where it fails, and that none can be run where there is no way', async () => {
  const hook = { lifecycle: { preStop: { exec: { command: ['save', 'all'] } } } };
  const exec: ExecPort = { supports: () => true, run: () => Promise.resolve({ exitCode: 3, output: 'disk full' }) };
  const able = bench(exec);
  able.health.preStop(withContainers([hook], 0), 30);
  await able.clock.advance(0);
  assert.deepEqual(able.events, [
    "c0 Warning FailedPreStopHook: PreStopHook failed: command 'save all' exited with 3: disk full",
  ]);
  const unable = bench();
  unable.health.preStop(withContainers([hook], 0), 30);
  await unable.clock.advance(0);
  assert.match(unable.events[0] ?? '', /commands cannot be run/);
});

test('preStop: https asked of a server that speaks http: sent again without TLS and without credentials, and an Event', async () => {
  const { clock, health, events, requests, world } = bench();
  const httpHeaders = [{ name: 'Authorization', value: 'Basic YQ==' }];
  const hook = { httpGet: { port: 80, path: '/hook', scheme: 'HTTPS', httpHeaders } };
  const subject = withContainers([{ lifecycle: { preStop: hook } }], 0);
  const plain: OneShotAnswer = {
    kind: 'failed',
    message: 'http: server gave HTTP response to HTTPS client',
    isPlain: true,
  };
  world.answer = plain;
  world.afterMs = 10;
  health.preStop(subject, 30);
  await clock.advance(10);
  world.answer = { kind: 'answer', status: 200, location: undefined, body: '' };
  await clock.advance(1_000);
  assert.deepEqual(
    requests.map(({ scheme, headers }) => [scheme, headers.some(([name]) => name === 'Authorization')]),
    [
      ['https', true],
      ['http', false],
    ],
  );
  assert.equal(events.length, 1);
  assert.match(
    events[0] ?? '',
    /Warning LifecycleHTTPFallback: request to HTTPS lifecycle hook \(http:\/\/.*\/hook\) got HTTP/,
  );
  assert.equal(health.preStop(subject, 30).done, true);
});

test('preStop: https asked of a server that speaks neither: the first failure is told', async () => {
  const { clock, health, events, requests, world } = bench();
  const subject = withContainers([{ lifecycle: { preStop: { httpGet: { port: 80, scheme: 'HTTPS' } } } }], 0);
  world.answer = { kind: 'failed', message: 'http: server gave HTTP response to HTTPS client', isPlain: true };
  health.preStop(subject, 30);
  await clock.advance(1_000);
  assert.equal(requests.length, 2);
  assert.match(
    events.join(),
    /FailedPreStopHook: PreStopHook failed: http: server gave HTTP response to HTTPS client$/,
  );
});
