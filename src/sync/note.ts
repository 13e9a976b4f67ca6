import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { capsuleNamedBy } from '../status/named-capsule.ts';
import { isInCreation, isLetGo, keptCapsule } from './plan.ts';
import type { Run } from './worker.ts';

/** Keeps what a seen capsule tells about the Pod, for the time when it is no longer seen. */
export function noteCapsule(run: Run): void {
  const { pod } = run;
  if (pod) run.remember({ graceSeconds: graceSeconds(pod) });
  const capsule = keptCapsule(pod, run.view.capsules, run.memory);
  noteOthers(run, capsule);
  if (!capsule) return;
  const creating = isInCreation(capsule);
  run.remember({ last: capsule });
  // A list alone is no proof that it still exists; to remember it would make its absence look like a loss.
  const isKnown = run.view.isAnswered(capsule.uuid) || capsuleNamedBy(pod?.status)?.uuid === capsule.uuid;
  const isKept = isKnown && capsule.status !== 'Error' && !isLetGo(pod, capsule, run.memory);
  if (isKept) run.remember({ capsule: { uuid: capsule.uuid, backend: capsule.backend } });
  if (creating && run.memory.creatingSince === undefined) run.remember({ creatingSince: run.deps.clock.monotonic() });
  if (!creating) run.drop('creatingSince');
}

/** A second capsule, too, is deleted only when its creation is over. */
function noteOthers(run: Run, kept: Capsule | undefined): void {
  const known = run.memory.othersCreatingSince;
  const creating = run.view.capsules.filter((capsule) => capsule !== kept && isInCreation(capsule));
  if (known.size === 0 && creating.length === 0) return;
  const now = run.deps.clock.monotonic();
  run.remember({ othersCreatingSince: new Map(creating.map(({ uuid }) => [uuid, known.get(uuid) ?? now])) });
}

/** Hooks run once before the first DELETE, in the grace period that is then left to the capsule. */
export function addPreStop(run: Run): void {
  const { pod, view, memory, deps } = run;
  const [capsule] = view.capsules;
  if (!pod?.metadata.deletionTimestamp || !capsule || memory.deletesSent.has(capsule.uuid)) return;
  const preStop = deps.preStop(pod, memory.graceSeconds);
  view.preStop = preStop;
  if (preStop.done) run.remember({ graceSeconds: Math.max(1, Math.round(preStop.remainingSeconds)) });
}

/** The grace that a Pod's deletion gives, at least one second. */
function graceSeconds(pod: Pod): number {
  const seconds = pod.metadata.deletionGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
  return Math.max(1, seconds);
}
