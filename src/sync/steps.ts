import { toAppError } from '../base/errors.ts';
import { isOurs, readOwner } from '../base/identity.ts';
import type { Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import type { CapsuleName } from '../status/named-capsule.ts';
import { imagesText } from '../translate/images-label.ts';
import { awaitList } from './await-list.ts';
import { startPod } from './create.ts';
import { failedStart } from './failed-start.ts';
import { failedStartDelayMs, retryDelayMs } from './failure.ts';
import { type DeleteReason, keptCapsule, type Step } from './plan.ts';
import type { EventSubject } from './ports.ts';
import { nextKillings } from './restarts.ts';
import { names, type Run, type StepOutcome } from './worker.ts';

/** Pods whose final DELETE was answered but which are still there have a finalizer; ask again this rarely. */
const removeAgainMs = 600_000;

/** Does what `plan` decided and says what the status is to be made of. */
export async function doStep(step: Step, run: Run): Promise<StepOutcome> {
  const { deps, memory } = run;
  switch (step.kind) {
    case 'delete':
      return deleteCapsule(step.capsule, step.reason, run);
    case 'await-hooks':
    case 'await-deletion':
      return { ...terminating(run), againMs: step.againMs };
    case 'disown':
      return disown(step, run);
    case 'restart':
      return restart(step.capsule, run);
    case 'observe-first':
      awaitList(step.after, run);
      return {};
    case 'confirm': {
      const capsule = await readCapsule(step.capsule, run);
      // A capsule that is there but no longer carries our labels stays out of the store: look again, slowly.
      return { againMs: capsule && !deps.capsules.get(capsule.uuid) ? 60_000 : 0 };
    }
    case 'forget':
      return { forget: true };
    case 'remove-pod': {
      const removedAt = memory.removedAt;
      const since = removedAt === undefined ? Number.POSITIVE_INFINITY : deps.clock.monotonic() - removedAt;
      if (since < removeAgainMs) return { againMs: removeAgainMs - since };
      return { situation: { kind: 'finished', last: memory.last }, removePod: true, againMs: removeAgainMs };
    }
    case 'nothing':
      return step.againMs === undefined ? {} : { againMs: step.againMs };
    case 'finish':
      return { situation: { kind: 'finished', last: memory.last } };
    case 'fail':
      return fail(step.reason, step.message, run);
    case 'reject':
      return reject(step.problems, run);
    case 'wait':
      return {
        ...(shown(step.problems) && { situation: waiting(step.problems, run) }),
        againMs: step.againMs,
      };
    case 'create':
      return startPod(run);
    case 'follow':
      return {
        situation: { kind: 'present', capsule: step.capsule, terminating: false },
        ...(step.againMs !== undefined && { againMs: step.againMs }),
      };
    default:
      return step satisfies never;
  }
}

/** The Pod waits, and its status says which capsule was given up, if one was. */
function waiting(problems: readonly Problem[], { memory }: Run): NonNullable<StepOutcome['situation']> {
  return { kind: 'waiting', problems: [...problems], ...(memory.discard && { letGo: memory.discard }) };
}

/** Only problems with a kubelet reason are shown; a Zun that is down leaves the Pod's status alone. */
function shown(problems: readonly Problem[]): boolean {
  return problems.some(({ reason }) => reason !== undefined);
}

async function deleteCapsule(capsule: Capsule, reason: DeleteReason, run: Run): Promise<StepOutcome> {
  const { deps } = run;
  if (reason === 'pod-gone' && !deps.pods.departed(run.uid)) {
    const held = await holdOrphan(capsule, run);
    if (held) return held;
  }
  if (reason === 'second-capsule' && !(await isKeptThere(run))) return { againMs: 0 };
  // Nobody misses it when it is gone, even if the answer to this DELETE is lost.
  if ((reason === 'second-capsule' || reason === 'restart') && run.memory.capsule?.uuid === capsule.uuid)
    run.drop('capsule');
  const first = !run.memory.deletesSent.has(capsule.uuid);
  if (first && reason === 'pod-ended' && capsule.backend === 'container') await deps.keepLogs?.(run.uid);
  try {
    await deps.zun.delete(capsule.backend, capsule.uuid, run.memory.graceSeconds);
  } catch (thrown) {
    const error = toAppError(thrown);
    // Repeating a DELETE is harmless, so nothing has to settle first.
    const attempts = run.memory.attempts;
    run.remember({ attempts: attempts + 1 });
    const againMs = retryDelayMs(error, attempts, deps.random);
    deps.log.warn('capsule not deleted', {
      uid: run.uid,
      capsule: capsule.uuid,
      reason,
      code: error.code,
      err: error.message,
      againMs,
    });
    if (run.pod && error.kind !== 'retryable')
      event(run.pod, 'Warning', 'FailedKillPod', `error killing pod: ${error.message}`, run);
    return { ...terminating(run), againMs };
  }
  if (reason === 'failed-start' && run.memory.discard?.uuid !== capsule.uuid)
    giveUp(capsule, failedStart(capsule), run);
  const deletesSent = new Map(run.memory.deletesSent).set(capsule.uuid, deps.clock.monotonic());
  run.remember({ deletesSent, attempts: 0 });
  deps.onStep('delete', run.uid);
  deps.log.info('capsule deletion asked', { uid: run.uid, capsule: capsule.uuid, step: 'delete', reason });
  if (!first && run.pod) {
    event(
      run.pod,
      'Warning',
      'FailedKillPod',
      `error killing pod: capsule ${capsule.uuid} is still there (${capsule.status}${capsule.status_reason ? `: ${capsule.status_reason}` : ''}); deletion asked again`,
      run,
    );
  }
  return terminating(run);
}

/** A list that lags may still show the capsule that would be kept: it is read before the other one goes. */
async function isKeptThere(run: Run): Promise<boolean> {
  const kept = keptCapsule(run.pod, run.view.capsules, run.memory);
  return !kept || (await readCapsule(kept, run)) !== undefined;
}

/** Asks Zun about one capsule and lets the store know; undefined when it is gone. */
async function readCapsule({ backend, uuid }: CapsuleName, { deps }: Run): Promise<Capsule | undefined> {
  const beganAt = deps.clock.monotonic();
  const capsule = await deps.zun.get(backend, uuid);
  if (capsule) deps.capsules.upsert(capsule, beganAt);
  else deps.capsules.remove(uuid, beganAt);
  return capsule;
}

/** The status of a Pod whose capsule is on its way out. */
function terminating(run: Run): StepOutcome {
  const [capsule] = run.view.capsules;
  if (!run.pod?.metadata.deletionTimestamp || !capsule) return {};
  return { situation: { kind: 'present', capsule, terminating: true } };
}

/**
 * Asks the API server about a Pod that no list of ours ever had, before its capsule is deleted, and stops a sweep that
 * would take too many: a wrong cluster or an empty answer must not cost running capsules.
 */
async function holdOrphan(capsule: Capsule, run: Run): Promise<StepOutcome | undefined> {
  const { deps } = run;
  const owner = readOwner(capsule.labels);
  if (!owner || !isOurs(owner, deps.options.cluster, deps.options.node)) return {};
  const pod = await deps.podApi.read(owner.namespace, owner.pod, owner.uid);
  if (pod) {
    if (pod.spec.nodeName !== deps.options.node) return { againMs: 60_000 };
    deps.pods.upsert(pod);
    return { againMs: 0 };
  }
  const all = deps.capsules.all();
  const orphans = all.filter((other) => {
    const uid = readOwner(other.labels)?.uid;
    return uid !== undefined && !deps.pods.get(uid) && !deps.pods.departed(uid);
  });
  if (orphans.length > 3 && orphans.length > all.length * deps.options.orphanFuseShare) {
    deps.log.error('orphan sweep stopped by the fuse', {
      orphans: orphans.length,
      capsules: all.length,
      share: deps.options.orphanFuseShare,
      hint: 'look at them with: zunlet capsule orphans; delete them there, or raise orphanFuseShare',
    });
    deps.onFuse?.();
    return { againMs: 300_000 };
  }
  return undefined;
}

/** Lets go of a capsule: the Pod's status stops naming it, then it is deleted, then a new one is made. */
function disown({ capsule, problem, restart: wish }: Step & { kind: 'disown' }, run: Run): StepOutcome {
  const { deps, pod } = run;
  if (wish && pod) {
    countRestart(wish.container, run);
    // The kubelet counts each container's restarts; a capsule made anew restarts them all.
    for (const { name } of pod.spec.containers) countRestart(name, run);
    killing(wish.container, wish.message, run);
    const discard = { backend: capsule.backend, uuid: capsule.uuid };
    run.remember({ discard, problems: [problem], retryAt: deps.clock.monotonic(), madeFor: imagesText(pod) });
    run.drop('capsule', 'creatingSince', 'kill');
    return { situation: waiting([problem], run), againMs: 0 };
  }
  giveUp(capsule, problem, run);
  return { situation: waiting([problem], run), againMs: 0 };
}

/** Forgets a capsule whose start failed; the next try comes after the back-off of an image pull. */
function giveUp({ backend, uuid }: Capsule, problem: Problem, run: Run): void {
  const { deps, memory, pod } = run;
  const retryMs = failedStartDelayMs(memory.attempts, deps.random);
  run.drop('capsule', 'creatingSince');
  run.remember({
    discard: { backend, uuid },
    problems: [problem],
    retryAt: deps.clock.monotonic() + retryMs,
    attempts: memory.attempts + 1,
  });
  if (pod) event(pod, 'Warning', 'FailedCreatePodSandBox', `Failed to create pod sandbox: ${problem.message}`, run);
}

/** Restarts a standalone container in place. */
async function restart(capsule: Capsule, run: Run): Promise<StepOutcome> {
  const { deps, memory } = run;
  if (!memory.kill) return {};
  const { container, message, graceSeconds } = memory.kill;
  await deps.restartContainer(capsule.uuid, graceSeconds ?? memory.graceSeconds);
  countRestart(container, run);
  killing(container, message, run);
  run.drop('kill');
  return { situation: { kind: 'present', capsule, terminating: false } };
}

function countRestart(container: string, run: Run): void {
  const published = run.pod?.status?.containerStatuses?.find(({ name }) => name === container)?.restartCount ?? 0;
  run.remember({ restarts: { ...run.memory.restarts, [container]: published + 1 } });
}

function killing(container: string, message: string, run: Run): void {
  const now = run.deps.clock.monotonic();
  run.remember({ killings: nextKillings(run.memory, now), killedAt: now });
  run.deps.onStep('restart', run.uid);
  if (!run.pod) return;
  event(run.pod, 'Normal', 'Killing', message, run, `spec.containers{${container}}`);
  run.deps.log.info('container restarted', { ...names(run.pod), container, step: 'restart' });
}

function fail(reason: string, message: string, run: Run): StepOutcome {
  if (run.pod) {
    const type = reason === 'DeadlineExceeded' ? 'Normal' : 'Warning';
    event(run.pod, type, reason, message, run);
    run.deps.log.warn('pod failed', { ...names(run.pod), reason, step: 'fail' });
  }
  run.deps.onStep('fail', run.uid);
  const kind = reason === 'CapsuleGone' ? 'lost' : 'failed';
  return { situation: { kind, reason, message, last: run.memory.last } };
}

function reject(problems: readonly Problem[], run: Run): StepOutcome {
  const lasting = problems.filter(({ heals }) => !heals);
  const reason = lasting.find((problem) => problem.reason !== undefined)?.reason ?? 'UnsupportedPodFeature';
  const message = lasting.map(({ path, message: text }) => (path ? `${path}: ${text}` : text)).join('; ');
  if (run.pod) {
    event(run.pod, 'Warning', reason, message, run);
    run.deps.log.info('pod rejected', { ...names(run.pod), reason, step: 'reject' });
  }
  run.deps.onStep('reject', run.uid);
  return { situation: { kind: 'rejected', reason, message } };
}

/** Records an Event about a Pod. */
export function event(
  pod: Pod,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
  run: { deps: Pick<Run['deps'], 'events'> },
  fieldPath?: string,
): void {
  run.deps.events.record(podSubject(pod, fieldPath), type, reason, message.slice(0, 1024));
}

function podSubject(pod: Pod, fieldPath?: string): EventSubject {
  const { name, namespace, uid, resourceVersion } = pod.metadata;
  return {
    kind: 'Pod',
    name,
    namespace,
    uid,
    ...(resourceVersion !== undefined && { resourceVersion }),
    ...(fieldPath !== undefined && { fieldPath }),
  };
}
