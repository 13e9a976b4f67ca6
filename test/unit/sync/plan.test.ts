import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newMemory, type PodMemory } from '../../../src/sync/memory.ts';
import { type PlanRules, type PlanView, plan, type Step } from '../../../src/sync/plan.ts';
import { imagesLabel } from '../../../src/translate/images-label.ts';
import { capsule, pod, statusLettingGo, statusNaming, uuid, zunContainer } from '../../lib/builders.ts';

const rules: PlanRules = { redeleteMs: 180_000, createTimeoutMs: 1_800_000, freeEnded: false, timeRule: true };
const wall = Date.parse('2026-01-01T02:00:00Z');

interface Case {
  title: string;
  view?: Partial<PlanView>;
  memory?: Partial<PodMemory>;
  rules?: Partial<PlanRules>;
  now?: number;
  step: Partial<Step>;
}

const running = capsule();
const second = capsule({ uuid: uuid(101), created_at: '2026-01-01 00:00:05' });
const failedStart = capsule({
  status: 'Error',
  status_reason: 'Image nope could not be found.',
  containers: [zunContainer({ status: 'Creating' })],
});
const heals = { path: '', code: 'secret.missing', message: 'secret "s" not found', heals: true };
const never = { ...heals, code: 'pod.host-network', heals: false };
const demand = { container: 'app', message: 'Container app failed liveness probe', graceSeconds: undefined };
const ran = {
  name: 'app',
  image: 'nginx',
  imageID: '',
  containerID: `zun://${uuid(500)}`,
  ready: true,
  restartCount: 0,
  started: true,
  state: { running: {} },
};
const withSidecar = {
  restartPolicy: 'Never',
  initContainers: [{ name: 'side', image: 'proxy', restartPolicy: 'Always' }],
};
const workDone = {
  ...statusNaming(running.uuid),
  containerStatuses: [{ ...ran, started: false, ready: false, state: { terminated: { exitCode: 0 } } }],
  initContainerStatuses: [{ ...ran, name: 'side' }],
};
const older = { ...running, labels: { ...running.labels, [imagesLabel]: 'app=nginx:1.26' } };
const sent = (...uuids: string[]) => new Map(uuids.map((id) => [id, 1000]));

const ladder: Case[] = [
  {
    title: '1: pod gone, capsule there: deletes it',
    view: { pod: undefined, capsules: [running] },
    step: { kind: 'delete', reason: 'pod-gone' },
  },
  {
    title: '1: pod terminating, capsule there: deletes it',
    view: { pod: pod({ deleted: true }), capsules: [running] },
    step: { kind: 'delete', reason: 'pod-terminating' },
  },
  {
    title: '2: pod terminating, capsule still in creation: waits for its end, or zun leaves half of it behind',
    view: { pod: pod({ deleted: true }), capsules: [capsule({ status: 'Created' })] },
    memory: { creatingSince: 1000 },
    now: 2000,
    step: { kind: 'await-deletion', againMs: 179_000 },
  },
  {
    title: '1: pod terminating, capsule in creation for longer than a DELETE is waited for: deletes it',
    view: { pod: pod({ deleted: true }), capsules: [capsule({ status: 'Creating' })] },
    memory: { creatingSince: 1000 },
    now: 181_000,
    step: { kind: 'delete', reason: 'pod-terminating' },
  },
  {
    title: '1: pod terminating, standalone container in creation: deletes it',
    view: { pod: pod({ deleted: true }), capsules: [capsule({ status: 'Creating', backend: 'container' })] },
    memory: { creatingSince: 1000 },
    now: 2000,
    step: { kind: 'delete', reason: 'pod-terminating' },
  },
  {
    title: '1: two capsules: deletes the younger',
    view: { capsules: [running, second] },
    step: { kind: 'delete', capsule: second, reason: 'second-capsule' },
  },
  {
    title: '2: two capsules, the younger still in creation: waits for its end, or zun leaves half of it behind',
    view: { pod: pod({ status: statusNaming(running.uuid) }), capsules: [running, { ...second, status: 'Creating' }] },
    memory: { othersCreatingSince: new Map([[second.uuid, 1000]]) },
    now: 2000,
    step: { kind: 'await-deletion', againMs: 179_000 },
  },
  {
    title: '1: pod ended, capsules are kept: follows nothing',
    view: { pod: pod({ status: statusNaming(running.uuid, 'Succeeded') }), capsules: [running] },
    step: { kind: 'follow' },
  },
  {
    title: '1: pod ended, capsules are freed: deletes it',
    view: { pod: pod({ status: statusNaming(running.uuid, 'Succeeded') }), capsules: [running] },
    rules: { freeEnded: true },
    step: { kind: 'delete', reason: 'pod-ended' },
  },
  {
    title: '1: start failed and the status no longer names it: deletes it',
    view: { capsules: [failedStart] },
    step: { kind: 'delete', reason: 'failed-start' },
  },
  {
    title: '1: deadline passed: deletes the capsule',
    view: {
      pod: pod({ spec: { activeDeadlineSeconds: 60 }, status: statusNaming(running.uuid) }),
      capsules: [running],
    },
    step: { kind: 'delete', reason: 'pod-ended' },
  },
  {
    title: '1: never came up: deletes the capsule',
    view: { capsules: [capsule({ status: 'Creating' })] },
    memory: { creatingSince: 0 },
    now: 1_800_000,
    step: { kind: 'delete', reason: 'pod-ended' },
  },
  {
    title: '1: deletion asked long ago: asks again',
    view: { pod: pod({ deleted: true }), capsules: [running] },
    memory: { deletesSent: sent(running.uuid) },
    now: 181_000,
    step: { kind: 'delete' },
  },
  {
    title: '1: capsule turned Error after the deletion: asks again sooner',
    view: { pod: pod({ deleted: true }), capsules: [capsule({ status: 'Error' })] },
    memory: { deletesSent: sent(running.uuid) },
    now: 31_000,
    step: { kind: 'delete' },
  },
  {
    title: '2: deletion asked: waits',
    view: { pod: pod({ deleted: true }), capsules: [running] },
    memory: { deletesSent: sent(running.uuid) },
    now: 2000,
    step: { kind: 'await-deletion', againMs: 179_000 },
  },
  {
    title: '2: the second capsule is on its way out: waits before anything else',
    view: { capsules: [running, second] },
    memory: { deletesSent: sent(second.uuid) },
    now: 2000,
    step: { kind: 'await-deletion' },
  },
  {
    title: '3: start failed and the status names it: disowns it first',
    view: { pod: pod({ status: statusNaming(failedStart.uuid, 'Pending') }), capsules: [failedStart] },
    step: { kind: 'disown' },
  },
  {
    title: '2: preStop hooks run: waits for them before it deletes',
    view: { pod: pod({ deleted: true }), capsules: [running], preStop: { done: false, remainingSeconds: 20 } },
    step: { kind: 'await-hooks', againMs: 20_000 },
  },
  {
    title: '1: preStop hooks are done: deletes',
    view: { pod: pod({ deleted: true }), capsules: [running], preStop: { done: true, remainingSeconds: 5 } },
    step: { kind: 'delete' },
  },
  {
    title: '4: a probe failed, standalone container: restarts it in place',
    view: { capsules: [capsule({ backend: 'container' })] },
    memory: { kill: demand },
    step: { kind: 'restart' },
  },
  {
    title: '4: a probe failed, capsule: lets it go for a new one',
    view: { capsules: [running] },
    memory: { kill: demand },
    step: { kind: 'disown' },
  },
  {
    title: '4: a probe failed again soon: waits for the back-off, and follows',
    view: { capsules: [running] },
    memory: { kill: demand, killings: 2, killedAt: 5000 },
    step: { kind: 'follow', againMs: 15_000 },
  },
  {
    title: '1: a probe failed and the policy is Never: ends the Pod',
    view: { pod: pod({ spec: { restartPolicy: 'Never' } }), capsules: [running] },
    memory: { kill: demand },
    step: { kind: 'delete', reason: 'pod-ended' },
  },
  {
    title: '1: the capsule was let go and the status says so: deletes it',
    view: { pod: pod({ status: statusLettingGo(running.uuid) }), capsules: [running] },
    step: { kind: 'delete', reason: 'restart' },
  },
  {
    title: '3: the capsule was let go and the status does not say so yet: writes that first',
    view: { pod: pod({ status: statusNaming(running.uuid) }), capsules: [running] },
    memory: { discard: { uuid: running.uuid, backend: 'capsule' }, problems: [heals] },
    step: { kind: 'wait' },
  },
  {
    title: '1: an older one shows up beside the one that the status names: deletes the older',
    view: { pod: pod({ status: statusNaming(second.uuid) }), capsules: [running, second] },
    step: { kind: 'delete', capsule: running, reason: 'second-capsule' },
  },
  {
    title: '8: a list shows another capsule than the status names: asks Zun for the named one',
    view: { pod: pod({ status: statusNaming(second.uuid) }), capsules: [running], absence: () => 'none' },
    step: { kind: 'confirm', capsule: { uuid: second.uuid, backend: 'capsule' } },
  },
  {
    title: '5: the capsule that the status names is proven gone: follows the one that is there',
    view: { pod: pod({ status: statusNaming(second.uuid) }), capsules: [running], absence: () => 'answer' },
    step: { kind: 'follow', capsule: running },
  },
  {
    title: '12: the capsule that is gone was let go: makes a new one',
    view: { pod: pod({ status: statusLettingGo(running.uuid) }) },
    memory: { capsule: { uuid: running.uuid, backend: 'capsule' } },
    step: { kind: 'create' },
  },
  {
    title: '4: the image was changed: lets the capsule go for a new one',
    view: { capsules: [older] },
    step: {
      kind: 'disown',
      restart: { container: 'app', message: 'Container app definition changed, will be restarted' },
    },
  },
  {
    title: '4: the image was changed, standalone container: a new one, too',
    view: { capsules: [{ ...older, backend: 'container' }] },
    step: { kind: 'disown' },
  },
  {
    title: '4: the image was changed just after a restart: waits for the back-off, and follows',
    view: { capsules: [older] },
    memory: { killings: 2, killedAt: 5000 },
    step: { kind: 'follow', againMs: 15_000 },
  },
  {
    title: '4: the capsule was given up for these images before: never again',
    view: { capsules: [older] },
    memory: { madeFor: 'app=nginx:1.27' },
    step: { kind: 'follow' },
  },
  {
    title: '4: the capsule does not say what it was made with: follows',
    view: { capsules: [running] },
    step: { kind: 'follow' },
  },
  {
    title: '5: failed after a container ran: follows, never starts again',
    view: {
      pod: pod({ status: statusNaming(running.uuid, 'Pending') }),
      capsules: [capsule({ status: 'Error', containers: [zunContainer({ status: 'Running' })] })],
    },
    step: { kind: 'follow' },
  },
  { title: '5: capsule there: follows it', view: { capsules: [running] }, step: { kind: 'follow', capsule: running } },
  {
    title: '5: capsule there although no list can be trusted yet: follows it',
    view: { capsules: [running], observedAt: 0 },
    memory: { trustListsAfter: 60_000 },
    step: { kind: 'follow' },
  },
  {
    title: '5: deadline to come: follows and looks again then',
    view: {
      pod: pod({ spec: { activeDeadlineSeconds: 7260 }, status: statusNaming(running.uuid) }),
      capsules: [running],
    },
    step: { kind: 'follow', againMs: 60_000 },
  },
  {
    title: '6: nothing seen, but a lost POST may still show up: observes first',
    view: { observedAt: 60_000 },
    memory: { trustListsAfter: 60_000 },
    step: { kind: 'observe-first', after: 60_000 },
  },
  {
    title: '6: never listed: observes first',
    view: { observedAt: Number.NEGATIVE_INFINITY },
    step: { kind: 'observe-first' },
  },
  {
    title: '6: pod terminating, a lost POST may still show up: does not let the pod go',
    view: { pod: pod({ deleted: true }), observedAt: 5 },
    memory: { trustListsAfter: 60_000 },
    step: { kind: 'observe-first' },
  },
  {
    title: '6: the rule about time switched off: creates',
    view: { observedAt: 5 },
    memory: { trustListsAfter: 60_000 },
    rules: { timeRule: false },
    step: { kind: 'create' },
  },
  {
    title: '7: phase is terminal: nothing',
    view: { pod: pod({ status: { phase: 'Failed' } }) },
    step: { kind: 'nothing' },
  },
  {
    title: '8: the status names a capsule that no list shows: asks Zun for it',
    view: { pod: pod({ status: statusNaming(uuid(100)) }), absence: () => 'none' },
    step: { kind: 'confirm' },
  },
  {
    title: '8: pod terminating, its capsule is in no list: asks Zun for it',
    view: { pod: pod({ deleted: true, status: statusNaming(uuid(100)) }), absence: () => 'none' },
    step: { kind: 'confirm' },
  },
  {
    title: '8: pod gone, the capsule made last is in no list: asks Zun for it',
    view: { pod: undefined, absence: () => 'none' },
    memory: { capsule: { uuid: uuid(100), backend: 'capsule' } },
    step: { kind: 'confirm' },
  },
  {
    title: '8: no list shows its capsule any more, but nobody asked for its deletion: asks Zun for it',
    view: { pod: pod({ status: statusNaming(uuid(100)) }), absence: () => 'list' },
    step: { kind: 'confirm' },
  },
  {
    title: '10: pod terminating, and no list shows its capsule any more: removes the pod',
    view: { pod: pod({ deleted: true, status: statusNaming(uuid(100)) }), absence: () => 'list' },
    step: { kind: 'remove-pod' },
  },
  { title: '9: pod gone, nothing left: forgets it', view: { pod: undefined }, step: { kind: 'forget' } },
  {
    title: '10: pod terminating, nothing left: removes the pod',
    view: { pod: pod({ deleted: true }) },
    step: { kind: 'remove-pod' },
  },
  {
    title: '11: deadline passed, nothing left: fails',
    view: { pod: pod({ spec: { activeDeadlineSeconds: 60 }, status: statusNaming(uuid(100)) }) },
    step: { kind: 'fail', reason: 'DeadlineExceeded' },
  },
  {
    title: '11: never came up, nothing left: fails',
    memory: { creatingSince: 0, capsule: { uuid: uuid(100), backend: 'capsule' } },
    now: 1_800_000,
    step: { kind: 'fail', reason: 'CreateTimeout' },
  },
  {
    title: '12: its capsule is gone: fails, never starts again',
    view: { pod: pod({ status: statusNaming(uuid(100)) }) },
    step: { kind: 'fail', reason: 'CapsuleGone' },
  },
  {
    title: '12: its capsule is gone before any status named it: fails',
    memory: { capsule: { uuid: uuid(100), backend: 'capsule' } },
    step: { kind: 'fail', reason: 'CapsuleGone' },
  },
  { title: '13: a problem that never heals: rejects', memory: { problems: [heals, never] }, step: { kind: 'reject' } },
  {
    title: '14: a problem that may heal: waits',
    memory: { problems: [heals], retryAt: 15_000 },
    step: { kind: 'wait', againMs: 5000 },
  },
  { title: '15: time to try again: creates', memory: { problems: [heals], retryAt: 10_000 }, step: { kind: 'create' } },
  {
    title: '8: a capsule was let go and no list shows it: asks Zun for it before anything new is made',
    memory: { discard: { uuid: uuid(100), backend: 'capsule' } },
    view: { absence: () => 'none' },
    step: { kind: 'confirm' },
  },
  {
    title: '3: start failed before any status named it: lets go of it first, or its absence would look like a loss',
    view: { capsules: [failedStart] },
    memory: { capsule: { uuid: failedStart.uuid, backend: 'capsule' } },
    step: { kind: 'disown' },
  },
  {
    title: '8: a list shows a capsule that no status names: asks Zun for it before it is taken over',
    view: { capsules: [running], isAnswered: () => false },
    step: { kind: 'confirm' },
  },
  {
    title: '3: the capsule shows Error but its Pod ran before: follows, never starts again',
    view: {
      pod: pod({ status: { ...statusNaming(failedStart.uuid), containerStatuses: [ran] } }),
      capsules: [failedStart],
    },
    step: { kind: 'follow' },
  },
  {
    title: '1: the main containers are done and a sidecar runs on: ends it',
    view: { pod: pod({ spec: withSidecar, status: workDone }), capsules: [running] },
    step: { kind: 'delete', reason: 'pod-ended' },
  },
  {
    title: '11: the main containers are done and the capsule has gone: finishes',
    view: { pod: pod({ spec: withSidecar, status: workDone }) },
    step: { kind: 'finish' },
  },
  { title: '15: nothing in the way: creates', step: { kind: 'create' } },
];

for (const { title, view, memory, rules: change, now, step } of ladder) {
  test(`plan: ${title}`, () => {
    const full: PlanView = {
      pod: pod(),
      capsules: [],
      observedAt: 9000,
      absence: () => 'answer',
      isAnswered: () => true,
      ...view,
    };
    const got = plan(
      full,
      { ...newMemory(Number.NEGATIVE_INFINITY), ...memory },
      { monotonic: now ?? 10_000, wall },
      { ...rules, ...change },
    );
    assert.partialDeepStrictEqual(got, step);
  });
}
