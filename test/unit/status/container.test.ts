import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, PodSpec } from '../../../src/kube/types.ts';
import type { ZunContainer } from '../../../src/openstack/types.ts';
import { capsuleMembers } from '../../../src/status/members.ts';
import { capsule, pod, uuid, zunContainer } from '../../lib/builders.ts';
import { at, member, present, type Story, story, zunAt } from './story.ts';

const probe = { httpGet: { port: 80 } };
const id = `zun://${uuid(500)}`;

function begin(spec: Partial<PodSpec> = {}, parts: Partial<Container> = {}): Story {
  return story(pod({ containers: [{ name: 'app', image: 'nginx:1.27', ...parts }], spec }));
}

function standalone(parts: Partial<ZunContainer>) {
  return present([member('app', parts)], { backend: 'container' });
}

test('container: the capsule is being created: it waits without an id', () => {
  const status = begin()
    .see(present([member('app', { status: 'Creating' })], { status: 'Creating' }), 1)
    .container('app');
  assert.deepEqual(status, {
    name: 'app',
    image: 'nginx:1.27',
    imageID: '',
    state: { waiting: { reason: 'ContainerCreating' } },
    lastState: {},
    ready: false,
    started: false,
    restartCount: 0,
  });
});

test('container: it runs: the start is the time that Zun wrote less the age it named', () => {
  const status = begin()
    .see(present([member('app', { status_detail: 'Up 3 seconds', updated_at: zunAt(63) })]), 100)
    .container('app');
  assert.deepEqual(status.state, { running: { startedAt: at(60) } });
  assert.equal(status.containerID, id);
  assert.equal(status.ready, true);
  assert.equal(status.started, true);
});

test('container: it runs and Zun names no time: the start is the moment it was first seen, for good', () => {
  const first = begin().see(present([member('app')]), 100);
  assert.deepEqual(first.container('app').state, { running: { startedAt: at(100) } });
  assert.equal(first.see(present([member('app')]), 500).writes, 1);
});

test('container: a read says it is up for an hour: the start does not move', () => {
  const seen = (age: string, updated: number) => standalone({ status_detail: age, updated_at: zunAt(updated) });
  const first = begin().see(seen('Up 3 seconds', 63), 63);
  const later = first
    .see(seen('Up 59 seconds', 120), 120)
    .see(seen('Up 4 mins', 305), 305)
    .see(seen('Up 1 hours', 3700), 3700);
  assert.equal(later.writes, 1);
});

test('container: a read says it is up for less than it was: it was restarted unseen', () => {
  const first = begin().see(standalone({ status_detail: 'Up 3 seconds', updated_at: zunAt(63) }), 63);
  const later = first.see(standalone({ status_detail: 'Up 20 seconds', updated_at: zunAt(3600) }), 3600);
  const status = later.container('app');
  assert.deepEqual(status.state, { running: { startedAt: at(3580) } });
  assert.equal(status.restartCount, 1);
  assert.deepEqual(status.lastState?.terminated, {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was deleted.  The container used to be Running',
    startedAt: at(60),
    finishedAt: at(3580),
    containerID: id,
  });
});

test('container: the times of two reads differ by a slow answer: it is the same run', () => {
  const first = begin().see(standalone({ status_detail: 'Up 3 seconds', updated_at: zunAt(63) }), 63);
  const slow = standalone({ status_detail: 'Up 9 seconds', updated_at: zunAt(85) });
  assert.equal(first.see(slow, 85).writes, 1);
});

test('container: Zun is busy with it: a fresh row with an old age is no proof of a restart', () => {
  const first = begin().see(standalone({ status_detail: 'Up 3 seconds', updated_at: zunAt(63) }), 63);
  const busy = { status_detail: 'Up 3 seconds', updated_at: zunAt(3600), task_state: 'container_stopping' };
  assert.equal(first.see(standalone(busy), 3600).writes, 1);
});

test('container: it exits under Never: the code, the times and the id are kept for good', () => {
  const first = begin({ restartPolicy: 'Never' }).see(standalone({ updated_at: zunAt(60) }), 60);
  const exited = { status: 'Stopped', status_detail: 'Exited(3) 5 seconds ago ', updated_at: zunAt(125) } as const;
  const ended = first.see(standalone(exited), 126);
  assert.deepEqual(ended.container('app').state, {
    terminated: { exitCode: 3, reason: 'Error', startedAt: at(60), finishedAt: at(120), containerID: id },
  });
  assert.equal(ended.status.phase, 'Failed');
  assert.equal(ended.container('app').restartCount, 0);
  const later = { ...exited, status_detail: 'Exited(3) 2 hours ago ', updated_at: zunAt(9000) };
  assert.equal(ended.see(standalone(later), 9001).writes, ended.writes);
  assert.equal(ended.see(standalone({ status: 'Running' }), 9001).writes, ended.writes, 'not even if it runs again');
});

test('container: it exits 0 unseen until now: it is Completed, and began when its row was made at the earliest', () => {
  const exited = { status: 'Stopped', status_detail: 'Exited(0) None ago ', updated_at: zunAt(10) } as const;
  const status = begin({ restartPolicy: 'OnFailure' }).see(standalone(exited), 11);
  assert.deepEqual(status.container('app').state?.terminated, {
    exitCode: 0,
    reason: 'Completed',
    startedAt: at(0),
    finishedAt: at(10),
    containerID: id,
  });
  assert.equal(status.status.phase, 'Succeeded');
});

test('container: docker could not run it: the reason says so with its words', () => {
  const parts = {
    status: 'Stopped',
    status_detail: 'Exited(127) None ago (error)',
    status_reason: 'no such file',
  } as const;
  const status = begin().see(standalone(parts), 11).container('app');
  assert.equal(status.state?.terminated?.reason, 'ContainerCannotRun');
  assert.equal(status.state?.terminated?.message, 'no such file');
});

test('container: a list says Stopped and does not know the code yet: it stays running but is not ready', () => {
  const first = begin({ restartPolicy: 'Never' }).see(standalone({}), 60);
  const status = first.see(standalone({ status: 'Stopped', status_detail: 'Up 3 seconds' }), 120);
  assert.deepEqual(status.container('app').state, { running: { startedAt: at(60) } });
  assert.equal(status.container('app').ready, false);
  assert.equal(status.status.phase, 'Running');
});

test('container: it crashes, waits and runs again: back-off, last state and one restart', () => {
  const first = begin().see(standalone({ updated_at: zunAt(60) }), 60);
  const exited = { status: 'Stopped', status_detail: 'Exited(1) None ago ', updated_at: zunAt(100) } as const;
  const crashed = first
    .see(standalone(exited), 100)
    .see(standalone({ status: 'Restarting', updated_at: zunAt(101) }), 101);
  const waiting = crashed.container('app');
  assert.deepEqual(waiting.state, {
    waiting: {
      reason: 'CrashLoopBackOff',
      message: `back-off restarting failed container=app pod=web_default(${uuid(1)})`,
    },
  });
  assert.equal(waiting.lastState?.terminated?.exitCode, 1);
  assert.equal(waiting.restartCount, 0);
  assert.equal(crashed.status.phase, 'Running');
  const running = crashed
    .see(standalone({ status_detail: 'Up 1 seconds', updated_at: zunAt(111) }), 111)
    .container('app');
  assert.equal(running.restartCount, 1);
  assert.equal(running.lastState?.terminated?.exitCode, 1);
  assert.deepEqual(running.state, { running: { startedAt: at(110) } });
});

test('container: it crashed twice between two reads: the second end is another run', () => {
  const exited = (age: string, updated: number) =>
    standalone({ status: 'Stopped', status_detail: `Exited(1) ${age} ago `, updated_at: zunAt(updated) });
  const first = begin().see(exited('None', 100), 100);
  assert.equal(first.see(exited('3 mins', 290), 290).writes, 1, 'the same end');
  const second = first.see(exited('2 seconds', 400), 400).container('app');
  assert.equal(second.restartCount, 1);
  assert.equal(second.state?.terminated?.finishedAt, at(398));
  assert.equal(second.lastState?.terminated?.finishedAt, at(100));
});

test('container: the node recreates the capsule: the new container is a restart of the old one', () => {
  const first = begin().see(present([member('app')]), 60);
  const waiting = first.see({ kind: 'waiting', problems: [] }, 100);
  assert.equal(waiting.container('app').lastState?.terminated?.reason, 'ContainerStatusUnknown');
  assert.equal(waiting.container('app').containerID, id);
  assert.equal(waiting.status.phase, 'Running');
  const creating = waiting.see(
    present([member('app', { uuid: uuid(777), status: 'Creating' })], { status: 'Creating' }),
    101,
  );
  assert.equal(creating.container('app').restartCount, 0);
  const again = creating
    .see(present([member('app', { uuid: uuid(777), updated_at: zunAt(110) })]), 111)
    .container('app');
  assert.equal(again.restartCount, 1);
  assert.equal(again.containerID, `zun://${uuid(777)}`);
  assert.deepEqual(again.state, { running: { startedAt: at(110) } });
});

test('container: the node restarts it in place: the count moves with the new run, however short the old one was', () => {
  const first = begin().see(standalone({ status_detail: 'Up 3 seconds', updated_at: zunAt(63) }), 63);
  const restarts = { restarts: { app: 1 } };
  const stopping = standalone({ status_detail: 'Up 7 seconds', updated_at: zunAt(67) });
  const demanded = first.see(stopping, 67, restarts);
  assert.equal(demanded.writes, 1, 'asked for, not seen');
  const again = demanded.see(standalone({ status_detail: 'Up 1 seconds', updated_at: zunAt(72) }), 72, restarts);
  assert.equal(again.container('app').restartCount, 1);
  assert.deepEqual(again.container('app').state, { running: { startedAt: at(71) } });
  const later = standalone({ status_detail: 'Up 9 seconds', updated_at: zunAt(80) });
  assert.equal(again.see(later, 80, restarts).writes, 2, 'once');
});

test('container: the node makes its capsule anew: one restart is counted, not two', () => {
  const restarts = { restarts: { app: 1 } };
  const first = begin().see(present([member('app')]), 60);
  const waiting = first.see({ kind: 'waiting', problems: [] }, 100, restarts);
  assert.equal(waiting.container('app').restartCount, 0);
  assert.equal(waiting.condition('zunlet.io/Capsule')?.reason, 'CapsuleReplaced');
  const again = waiting.see(present([member('app', { uuid: uuid(777) })]), 110, restarts);
  assert.equal(again.container('app').restartCount, 1);
});

test('container: it is paused, or its host is lost: it runs but is not ready', () => {
  const first = begin().see(standalone({}), 60);
  for (const status of ['Paused', 'Unknown'] as const) {
    const seen = first.see(standalone({ status }), 70).container('app');
    assert.deepEqual(seen.state, { running: { startedAt: at(60) } }, status);
    assert.equal(seen.ready, false, status);
  }
});

test('container: it is being deleted: nothing changes until it is gone', () => {
  const first = begin().see(standalone({}), 60);
  assert.equal(first.see(standalone({ status: 'Deleting', task_state: 'container_deleting' }), 70).writes, 1);
});

test('container: Zun rebuilds it: it waits, and the new run is a restart', () => {
  const first = begin().see(standalone({}), 60);
  const rebuilding = first.see(standalone({ status: 'Rebuilding' }), 70).container('app');
  assert.deepEqual(rebuilding.state, { waiting: { reason: 'ContainerCreating' } });
  assert.equal(rebuilding.lastState?.terminated?.exitCode, 137);
});

test('container: it has a readiness probe nobody has run yet: not ready, and what was published stays', () => {
  const first = begin({}, { readinessProbe: probe }).see(present([member('app')]), 60);
  assert.equal(first.container('app').ready, false);
  const ready = first.see(present([member('app')]), 70, { probes: { app: { ready: true } } });
  assert.equal(ready.container('app').ready, true);
  assert.equal(ready.see(present([member('app')]), 80).writes, 2, 'after our restart the engine knows nothing');
});

test('container: it has a startup probe: not started, hence not ready, until the probe passed', () => {
  const first = begin({}, { startupProbe: probe }).see(present([member('app')]), 60);
  assert.equal(first.container('app').started, false);
  assert.equal(first.container('app').ready, false);
  const started = first.see(present([member('app')]), 70, { probes: { app: { started: true } } }).container('app');
  assert.equal(started.started, true);
  assert.equal(started.ready, true);
});

test('container: the probe speaks of an earlier container: it does not count', () => {
  const view = { app: { ready: true, containerID: 'zun://other' } };
  const status = begin({}, { readinessProbe: probe }).see(present([member('app')]), 60, { probes: view });
  assert.equal(status.container('app').ready, false);
});

test('init: Zun says Stopped without a code: it counts as done, and the message says why', () => {
  const spec = { initContainers: [{ name: 'setup', image: 'nginx:1.27' }] };
  const init = { init_containers: [member('setup', { uuid: uuid(600), status: 'Stopped', updated_at: zunAt(5) })] };
  const seen = begin(spec).see(present([member('app')], init), 60);
  const setup = seen.container('setup');
  assert.equal(setup.ready, true);
  assert.equal(setup.state?.terminated?.exitCode, 0);
  assert.match(setup.state?.terminated?.message ?? '', /no exit code/);
  assert.equal(seen.status.phase, 'Running');
});

test('init: Zun went on after a failure: the code is told and the Pod is not Running', () => {
  const spec = { restartPolicy: 'Never', initContainers: [{ name: 'setup', image: 'nginx:1.27' }] };
  const failed = member('setup', { uuid: uuid(600), status: 'Stopped', status_detail: 'Exited(3) None ago ' });
  const seen = begin(spec).see(present([member('app')], { init_containers: [failed] }), 60);
  assert.equal(seen.container('setup').state?.terminated?.exitCode, 3);
  assert.equal(seen.status.phase, 'Pending', 'Failed must wait until nothing can run');
});

test('init: the Pod has init containers: everything waits as PodInitializing', () => {
  const spec = { initContainers: [{ name: 'setup', image: 'nginx:1.27' }] };
  const seen = begin(spec).see({ kind: 'waiting', problems: [] }, 1);
  assert.equal(seen.container('app').state?.waiting?.reason, 'PodInitializing');
  assert.equal(seen.container('setup').state?.waiting?.reason, 'PodInitializing');
});

test('ephemeral: a debug container is added: it waits and says that Zun cannot', () => {
  const spec = { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] };
  const seen = begin(spec).see(present([member('app')]), 60);
  assert.equal(seen.container('debug').state?.waiting?.reason, 'CreateContainerError');
  assert.equal(seen.container('app').ready, true);
});

test('members: marks decide, whatever the order; a container of translation is left out', () => {
  const subject = pod({ containers: ['a', 'b'].map((name) => ({ name, image: 'x' })) });
  const found = capsuleMembers(
    subject,
    capsule({
      containers: [member('b', { uuid: uuid(2) }), member('files', { uuid: uuid(3) }), member('a', { uuid: uuid(1) })],
    }),
  );
  assert.deepEqual(Object.fromEntries([...found].map(([name, zun]) => [name, zun.uuid])), { a: uuid(1), b: uuid(2) });
});

test('members: no marks: position decides where count and images agree, else nothing', () => {
  const subject = pod({ containers: ['a', 'b'].map((name) => ({ name, image: `image-${name}` })) });
  const bare = (n: number, image: string) => zunContainer({ uuid: uuid(n), image, environment: {} });
  const names = (containers: ZunContainer[]) => [...capsuleMembers(subject, capsule({ containers })).keys()];
  assert.deepEqual(names([bare(1, 'image-a'), bare(2, 'image-b')]), ['a', 'b']);
  assert.deepEqual(names([bare(1, 'image-b'), bare(2, 'image-a')]), []);
  assert.deepEqual(names([bare(1, 'image-a')]), []);
  assert.deepEqual(names([zunContainer({ image: null, environment: {} }), bare(2, 'image-b')]), ['a', 'b']);
});
