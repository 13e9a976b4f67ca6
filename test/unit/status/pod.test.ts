import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Pod, PodStatus } from '../../../src/kube/types.ts';
import { isWorkDone } from '../../../src/status/phase.ts';
import type { Situation } from '../../../src/status/types.ts';
import { pod, uuid } from '../../lib/builders.ts';
import { at, member, present, story, zunAt } from './story.ts';

const creating = present([member('app', { status: 'Creating' })], { status: 'Creating', addresses: {} });
const running = present([member('app')]);

function begin(parts: Partial<Parameters<typeof pod>[0]> = {}) {
  return story(pod(parts));
}

function withoutStatus(): Pod {
  const { status: _, ...rest } = pod();
  return rest;
}

test('pod: it starts: two writes and one Event', () => {
  const first = begin().see(creating, 1);
  assert.equal(first.status.phase, 'Pending');
  assert.deepEqual(first.events, []);
  const second = first.see(running, 3);
  assert.equal(second.status.phase, 'Running');
  assert.equal(second.writes, 2);
  assert.deepEqual(second.events, [
    { type: 'Normal', reason: 'Started', message: 'Started container app', fieldPath: 'spec.containers{app}' },
  ]);
  assert.equal(second.see(running, 300).writes, 2);
});

test('pod: it runs: the status is a kubelet’s in every field', () => {
  const { status } = begin().see(running, 3);
  assert.deepEqual(status, {
    phase: 'Running',
    qosClass: 'BestEffort',
    observedGeneration: 1,
    startTime: at(3),
    hostIP: '192.168.1.10',
    hostIPs: [{ ip: '192.168.1.10' }],
    podIP: '10.0.0.5',
    podIPs: [{ ip: '10.0.0.5' }],
    containerStatuses: [
      {
        name: 'app',
        image: 'nginx:1.27',
        imageID: '',
        containerID: `zun://${uuid(500)}`,
        state: { running: { startedAt: at(3) } },
        lastState: {},
        ready: true,
        started: true,
        restartCount: 0,
      },
    ],
    conditions: [
      ...['PodReadyToStartContainers', 'Initialized', 'Ready', 'ContainersReady', 'PodScheduled'].map((type) => ({
        type,
        status: 'True',
        lastTransitionTime: at(3),
        observedGeneration: 1,
      })),
      {
        type: 'zunlet.io/Capsule',
        status: 'True',
        reason: 'CapsuleExists',
        message: `capsule ${uuid(100)}`,
        lastTransitionTime: at(3),
        observedGeneration: 1,
      },
      {
        type: 'zunlet.io/LiveStatus',
        status: 'False',
        reason: 'CapsuleStatusFrozen',
        message:
          'Zun reports the containers of a capsule as they were when it started: later exits, restarts and exit codes are not seen',
        lastTransitionTime: at(3),
        observedGeneration: 1,
      },
    ],
  });
});

test('pod: it has no status at all: one is made', () => {
  const seen = story(withoutStatus()).see(running, 3);
  assert.equal(seen.status.phase, 'Running');
  assert.equal(seen.status.startTime, at(3));
  assert.equal(seen.status.qosClass, undefined, 'never computed here');
});

test('pod: its container is a standalone one, or the cloud is better: no word about frozen status', () => {
  const live = begin().see(present([member('app')], { backend: 'container' }), 3);
  assert.equal(live.condition('zunlet.io/LiveStatus'), undefined);
  assert.equal(live.condition('zunlet.io/Capsule')?.message, `container ${uuid(100)}`);
  assert.equal(begin().see(running, 3, { capsuleStatusIsLive: true }).condition('zunlet.io/LiveStatus'), undefined);
});

test('pod: a resize that its capsule does not follow: infeasible, until the capsule follows or the Pod ends', () => {
  const refused = begin().see(running, 3, { unappliedResize: 'it keeps 100m' });
  assert.deepEqual(refused.condition('PodResizePending'), {
    type: 'PodResizePending',
    status: 'True',
    reason: 'Infeasible',
    message: 'it keeps 100m',
    lastTransitionTime: at(3),
    observedGeneration: 1,
  });
  assert.deepEqual(
    refused.events.map(({ reason }) => reason),
    ['Started', 'ResizeInfeasible'],
  );
  assert.equal(refused.see(running, 9, { unappliedResize: 'it keeps 100m' }).writes, refused.writes);
  assert.equal(refused.see(running, 9).condition('PodResizePending'), undefined);
});

test('pod: it becomes ready: only that condition moves its time', () => {
  const probed = pod({
    containers: [{ name: 'app', image: 'nginx:1.27', readinessProbe: { tcpSocket: { port: 80 } } }],
  });
  const first = story(probed).see(running, 3);
  assert.equal(first.condition('Ready')?.status, 'False');
  assert.equal(first.condition('Ready')?.reason, 'ContainersNotReady');
  assert.equal(first.condition('Ready')?.message, 'containers with unready status: [app]');
  const ready = first.see(running, 20, { probes: { app: { ready: true } } });
  assert.equal(ready.condition('Ready')?.lastTransitionTime, at(20));
  assert.equal(ready.condition('Ready')?.reason, undefined);
  assert.equal(ready.condition('Initialized')?.lastTransitionTime, at(3));
});

test('pod: it has readiness gates: their owner decides, and its condition stays', () => {
  const gated = pod({ spec: { readinessGates: [{ conditionType: 'a/one' }, { conditionType: 'a/two' }] } });
  const conditions = [{ type: 'a/two', status: 'False', reason: 'Busy', message: 'not yet' }];
  const seen = story({ ...gated, status: { phase: 'Pending', conditions } }).see(running, 3);
  assert.equal(seen.condition('ContainersReady')?.status, 'True');
  assert.equal(seen.condition('Ready')?.reason, 'ReadinessGatesNotReady');
  assert.equal(
    seen.condition('Ready')?.message,
    'corresponding condition of pod readiness gate "a/one" does not exist., ' +
      'the status of pod readiness gate "a/two" is not "True", but False',
  );
  assert.deepEqual(seen.condition('a/two'), conditions[0]);
});

test('pod: somebody else set Ready to False: it is set right again', () => {
  const first = begin().see(running, 3);
  const conditions = first.status.conditions?.map((item) =>
    item.type === 'Ready' ? { ...item, status: 'False' } : item,
  );
  const drifted: PodStatus = { ...first.status, ...(conditions ? { conditions } : {}) };
  assert.equal(
    story({ ...first.pod, status: drifted })
      .see(running, 60)
      .condition('Ready')?.status,
    'True',
  );
});

test('pod: something stands in the way: the reason is on the containers', () => {
  const containers = ['a', 'b'].map((name) => ({ name, image: 'x' }));
  const problem = {
    path: '',
    code: 'x',
    heals: true,
    message: 'secret "s" not found',
    reason: 'CreateContainerConfigError',
  };
  const one = begin({ containers }).see({ kind: 'waiting', problems: [{ ...problem, container: 'b' }] }, 1);
  assert.equal(one.container('a').state?.waiting?.reason, 'ContainerCreating');
  assert.deepEqual(one.container('b').state?.waiting, { reason: problem.reason, message: problem.message });
  const all = begin({ containers }).see({ kind: 'waiting', problems: [problem] }, 1);
  assert.equal(all.container('a').state?.waiting?.reason, problem.reason);
  assert.equal(all.status.phase, 'Pending');
});

test('pod: it is rejected: Failed with the kubelet’s words, no container statuses, for good', () => {
  const seen = begin().see({ kind: 'rejected', reason: 'OutOfcpu', message: 'too much' }, 1);
  assert.equal(seen.status.phase, 'Failed');
  assert.equal(seen.status.reason, 'OutOfcpu');
  assert.equal(seen.status.message, 'Pod was rejected: too much');
  assert.equal(seen.status.containerStatuses, undefined);
  assert.equal(seen.status.startTime, at(1));
  assert.equal(seen.see({ kind: 'rejected', reason: 'Other', message: 'x' }, 9).writes, 1);
  assert.equal(seen.see({ kind: 'waiting', problems: [] }, 9).writes, 1);
});

test('pod: it is deleted: nothing is written until the capsule is gone, then once', () => {
  const started = begin().see(running, 3);
  const deleted = {
    ...started.pod,
    metadata: { ...started.pod.metadata, generation: 2, deletionTimestamp: at(100) },
  };
  const terminating = story(deleted).see(present([member('app')], {}, true), 101);
  assert.equal(terminating.writes, 0);
  const finished = terminating.see({ kind: 'finished', last: undefined }, 130);
  assert.equal(finished.writes, 1);
  assert.equal(finished.status.phase, 'Failed');
  assert.equal(finished.status.observedGeneration, 2);
  assert.deepEqual(finished.container('app').state?.terminated, {
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
    message: 'The container could not be located when the pod was terminated',
    startedAt: at(3),
    finishedAt: at(130),
    containerID: `zun://${uuid(500)}`,
  });
  assert.equal(finished.condition('Ready')?.reason, 'PodFailed');
  assert.equal(finished.condition('PodReadyToStartContainers')?.status, 'False');
  assert.equal(finished.condition('zunlet.io/Capsule')?.status, 'False');
  assert.equal(finished.status.podIP, '10.0.0.5', 'kept');
  assert.deepEqual(finished.events, []);
  assert.equal(finished.see({ kind: 'finished', last: undefined }, 200).writes, 1);
});

test('pod: it is deleted and its container was seen to end well: Succeeded', () => {
  const exited = member('app', { status: 'Stopped', status_detail: 'Exited(0) None ago ', updated_at: zunAt(120) });
  const situation = present([exited], { backend: 'container' });
  const last = situation.kind === 'present' ? situation.capsule : undefined;
  const started = begin().see(present([member('app')], { backend: 'container' }), 3);
  const finished = started.see({ kind: 'finished', last }, 130);
  assert.equal(finished.status.phase, 'Succeeded');
  assert.equal(finished.condition('Ready')?.reason, 'PodCompleted');
  assert.equal(finished.condition('Initialized')?.reason, 'PodCompleted');
});

test('pod: it is deleted before its init container was done: what never started stays waiting', () => {
  const spec = { initContainers: [{ name: 'setup', image: 'nginx:1.27' }] };
  const finished = begin({ spec }).see({ kind: 'finished', last: undefined }, 10);
  assert.equal(finished.container('app').state?.waiting?.reason, 'PodInitializing');
  const plain = begin().see({ kind: 'finished', last: undefined }, 10);
  assert.equal(plain.container('app').state?.terminated?.exitCode, 137);
});

test('pod: it is deleted while its sidecar runs: the main containers had begun, and end', () => {
  const spec = { initContainers: [{ name: 'side', image: 'x', restartPolicy: 'Always' }] };
  const init = { init_containers: [member('side', { uuid: uuid(600) })] };
  const seen = begin({ spec }).see(present([member('app', { status: 'Creating' })], init), 3);
  assert.equal(seen.status.phase, 'Pending');
  assert.equal(seen.condition('Initialized')?.status, 'True', 'the sidecar has started');
  const finished = seen.see({ kind: 'finished', last: undefined }, 10);
  assert.equal(finished.container('app').state?.terminated?.exitCode, 137);
  assert.equal(finished.container('side').ready, false);
});

test('pod: its work is done and its sidecar runs on: Running until the capsule is gone, then Succeeded', () => {
  const spec = { restartPolicy: 'Never', initContainers: [{ name: 'side', image: 'x', restartPolicy: 'Always' }] };
  const side = { init_containers: [member('side', { uuid: uuid(600) })] };
  const first = begin({ spec }).see(present([member('app')], side), 3);
  assert.equal(isWorkDone(first.pod), false);
  const exited = member('app', { status: 'Stopped', status_detail: 'Exited(0) None ago ' });
  const done = first.see(present([exited], side), 9);
  assert.equal(done.status.phase, 'Running');
  assert.equal(isWorkDone(done.pod), true);
  assert.equal(done.see({ kind: 'finished', last: undefined }, 20).status.phase, 'Succeeded');
});

test('pod: its init container failed for good: its work is done before its phase says so', () => {
  const spec = { restartPolicy: 'Never', initContainers: [{ name: 'setup', image: 'nginx:1.27' }] };
  const failed = member('setup', { uuid: uuid(600), status: 'Stopped', status_detail: 'Exited(3) None ago ' });
  const seen = begin({ spec }).see(present([member('app')], { init_containers: [failed] }), 60);
  assert.equal(seen.status.phase, 'Pending');
  assert.equal(isWorkDone(seen.pod), true);
  assert.equal(seen.see({ kind: 'finished', last: undefined }, 70).status.phase, 'Failed');
});

test('pod: its capsule vanished: Failed with the reason, a disruption for Jobs', () => {
  const lost: Situation = { kind: 'lost', reason: 'CapsuleGone', message: 'gone', last: undefined };
  const seen = begin().see(running, 3).see(lost, 60);
  assert.equal(seen.status.phase, 'Failed');
  assert.equal(seen.status.reason, 'CapsuleGone');
  assert.equal(seen.container('app').state?.terminated?.reason, 'ContainerStatusUnknown');
  assert.equal(seen.condition('DisruptionTarget')?.reason, 'TerminationByKubelet');
  assert.equal(seen.see(lost, 90).writes, 2);
});

test('pod: its deadline passed: Failed with the reason, its containers ended', () => {
  const seen = begin()
    .see(running, 3)
    .see({ kind: 'failed', reason: 'DeadlineExceeded', message: 'x', last: undefined }, 60);
  assert.equal(seen.status.reason, 'DeadlineExceeded');
  assert.equal(seen.condition('DisruptionTarget'), undefined);
});

test('pod: its capsule failed with containers running: Failed, and says what Zun said', () => {
  const failed = present([member('app'), member('b', { uuid: uuid(501), image: 'nope', status: 'Creating' })], {
    status: 'Error',
    status_reason: 'Image nope could not be found.',
  });
  const containers = [
    { name: 'app', image: 'nginx:1.27' },
    { name: 'b', image: 'nope' },
  ];
  const seen = begin({ containers }).see(failed, 3);
  assert.equal(seen.status.phase, 'Failed');
  assert.equal(seen.status.reason, 'CapsuleError');
  assert.equal(seen.status.message, `capsule ${uuid(100)} is in Error: Image nope could not be found.`);
  assert.equal(seen.container('b').state?.waiting?.reason, 'ErrImagePull');
  assert.equal(seen.container('app').state?.terminated?.exitCode, 137);
  assert.deepEqual(
    seen.events.map(({ reason }) => reason),
    ['CapsuleError'],
  );
});

test('pod: its capsule failed before anything ran: it stays Pending, the container says why', () => {
  const text =
    '<_InactiveRpcError of RPC that terminated with:\n\tstatus = StatusCode.UNKNOWN\n\tdetails = "failed to pull image"\n';
  const failed = present([member('app', { status: 'Creating' })], { status: 'Error', status_reason: text });
  const seen = begin().see(failed, 3);
  assert.equal(seen.status.phase, 'Pending');
  assert.deepEqual(seen.container('app').state?.waiting, {
    reason: 'ErrImagePull',
    message: `capsule ${uuid(100)} is in Error: failed to pull image`,
  });
});

test('pod: a terminal phase was published: no situation moves it', () => {
  const ended = story(pod({ status: { phase: 'Succeeded', qosClass: 'BestEffort' } }));
  const situations: Situation[] = [
    running,
    creating,
    { kind: 'waiting', problems: [] },
    { kind: 'lost', reason: 'x', message: 'x', last: undefined },
    { kind: 'failed', reason: 'x', message: 'x', last: undefined },
    { kind: 'finished', last: undefined },
  ];
  for (const situation of situations) {
    const { status } = ended.see(situation, 3);
    assert.equal(status.phase, 'Succeeded', situation.kind);
    assert.equal(status.reason, undefined, situation.kind);
  }
});

test('pod: its start failed: the status stops naming the capsule, once', () => {
  const problem = { path: '', code: 'x', heals: true, message: 'no image', reason: 'ErrImagePull' };
  const seen = begin()
    .see(creating, 1)
    .see({ kind: 'waiting', problems: [problem] }, 5);
  assert.equal(seen.condition('zunlet.io/Capsule')?.status, 'False');
  assert.equal(seen.see({ kind: 'waiting', problems: [problem] }, 50).writes, 2);
});

test('pod: a stale writer has an older generation: the published one stays', () => {
  const first = begin().see(running, 3);
  const stale = { ...first.pod, status: { ...first.status, observedGeneration: 7 } };
  assert.equal(story(stale).see(running, 9).status.observedGeneration, 7);
});

test('events: a container restarts and backs off: one Event each', () => {
  const live = (parts: Parameters<typeof member>[1]) => present([member('app', parts)], { backend: 'container' });
  const first = begin().see(live({}), 3);
  const crashed = first.see(live({ status: 'Restarting' }), 60);
  assert.deepEqual(crashed.events, [
    {
      type: 'Warning',
      reason: 'BackOff',
      message: `Back-off restarting failed container app in pod web_default(${uuid(1)})`,
      fieldPath: 'spec.containers{app}',
    },
  ]);
  const again = crashed.see(live({}), 90);
  assert.deepEqual(
    again.events.map(({ reason }) => reason),
    ['Started'],
  );
});

test('events: containers start one by one: one Event when all have', () => {
  const containers = ['a', 'b'].map((name) => ({ name, image: 'nginx:1.27' }));
  const both = (b: 'Creating' | 'Running') =>
    present([member('a'), member('b', { uuid: uuid(501), status: b })], { status: b === 'Running' ? b : 'Created' });
  const first = begin({ containers }).see(both('Creating'), 3);
  assert.deepEqual(first.events, []);
  const second = first.see(both('Running'), 5);
  assert.deepEqual(second.events, [{ type: 'Normal', reason: 'Started', message: 'Started containers a, b' }]);
});
