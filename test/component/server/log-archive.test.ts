import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import type { Pod } from '../../../src/kube/types.ts';
import { createLogArchive } from '../../../src/server/log-archive.ts';
import { capsuleMembers } from '../../../src/status/members.ts';
import { uuid } from '../../lib/builders.ts';
import { noRuntime, runningPod, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { createManualClock } from '../../lib/manual-clock.ts';

const text = '2026-01-01T00:00:01.000000000Z last words\n';
const gone = new AppError({ kind: 'not-found', code: 'zun.not-found', message: 'no such container' });
const away = new AppError({ kind: 'retryable', code: 'http.timeout', message: 'no answer' });

/** A Pod whose container has ended. */
function endedPod(): Pod {
  const { pod } = runningPod();
  const [status] = pod.status?.containerStatuses ?? [];
  assert.ok(status);
  status.state = { terminated: { exitCode: 0, containerID: `zun://${uuid(500)}` } };
  return pod;
}

function archiveOf(pods: Pod[], answer: () => string | AppError) {
  const clock = createManualClock();
  let calls = 0;
  const archive = createLogArchive({
    sources: {
      pods: {
        get: (uid) => pods.find(({ metadata }) => metadata.uid === uid),
        byName: () => pods[0],
        all: () => pods,
        isComplete: () => true,
      },
      capsules: { ofPod: () => [runningPod().capsule], all: () => [] },
      members: capsuleMembers,
    },
    runtime: {
      ...noRuntime,
      logs() {
        calls += 1;
        const given = answer();
        return given instanceof AppError ? Promise.reject(given) : Promise.resolve(given);
      },
    },
    clock,
    log: silentLog,
  });
  return { archive, clock, calls: () => calls, uid: runningPod().pod.metadata.uid };
}

test('log archive: a container has ended: its log is fetched once and kept until the pod is gone', async () => {
  const pods = [endedPod()];
  const { archive, clock, calls } = archiveOf(pods, () => text);
  await clock.advance(35_000);
  assert.deepEqual([archive.read(uuid(500)), calls()], [text, 1]);
  pods.length = 0;
  await clock.advance(11_000);
  assert.equal(archive.read(uuid(500)), undefined);
  archive.stop();
});

test('log archive: a container runs: left alone', async () => {
  const { archive, clock, calls } = archiveOf([runningPod().pod], () => text);
  await clock.advance(35_000);
  assert.equal(calls(), 0);
  archive.stop();
});

test('log archive: no answer at first: asked again; gone already: not again', async () => {
  const answers: (string | AppError)[] = [away, text];
  const patient = archiveOf([endedPod()], () => answers.shift() ?? text);
  await patient.clock.advance(25_000);
  assert.equal(patient.archive.read(uuid(500)), text);
  patient.archive.stop();
  const late = archiveOf([endedPod()], () => gone);
  await late.clock.advance(60_000);
  assert.equal(late.calls(), 1);
  late.archive.stop();
});

test('logs: the container is freed after it has ended: what was kept is served; nothing kept: terminated', async () => {
  const clock = createManualClock(Date.now());
  let isFreed = false;
  const runtime = {
    ...noRuntime,
    ensureServed: () => Promise.resolve(),
    logs: () => (isFreed ? Promise.reject(gone) : Promise.resolve(text)),
  };
  for (const waitMs of [11_000, 0]) {
    isFreed = false;
    const bed = await startKubeletBed({
      runtime,
      pods: [endedPod()],
      options: { clock: { ...systemClock, after: (ms, run) => clock.after(ms, run) } },
    });
    await clock.advance(waitMs);
    isFreed = true;
    const answer = await bed.get('/containerLogs/default/web/app?tailLines=5');
    if (waitMs > 0) assert.deepEqual([answer.status, answer.body], [200, 'last words\n']);
    else assert.deepEqual([answer.status, answer.body], [400, 'container "app" in pod "web" is terminated']);
    const closed = bed.close();
    await clock.advance(5_000);
    await closed;
  }
});

test('log archive: a container that still runs is about to be freed: its log is kept, and no answer holds nobody up', async () => {
  const running = archiveOf([runningPod().pod], () => text);
  await running.archive.keep(running.uid);
  assert.equal(running.archive.read(uuid(500)), text);
  running.archive.stop();
  const absent = archiveOf([runningPod().pod], () => away);
  await absent.archive.keep(absent.uid);
  assert.equal(absent.archive.read(uuid(500)), undefined);
  absent.archive.stop();
});
