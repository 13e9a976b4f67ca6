import type { Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { type CapsuleName, capsuleLetGoBy, capsuleNamedBy } from '../status/named-capsule.ts';
import { isTerminalPhase, isWorkDone } from '../status/phase.ts';
import type { Absence } from './capsule-store.ts';
import { failedStart, startFailed } from './failed-start.ts';
import type { PodMemory } from './memory.ts';
import { changedContainer, crashLoop, newDefinition, type Restart, restartAt } from './restarts.ts';

/** What both stores hold about one Pod UID. */
export interface PlanView {
  /** Undefined when the Pod is gone, or was never there. */
  pod: Pod | undefined;
  /** Every capsule labelled with the UID, oldest first. */
  capsules: readonly Capsule[];
  /** Monotonic ms at which the observation that the capsules come from began. */
  observedAt: number;
  /** How sure it is that the capsule with a uuid is gone. */
  absence(uuid: string): Absence;
  /** Whether Zun showed this capsule in an answer about it alone. */
  isAnswered(uuid: string): boolean;
  /** Where the preStop hooks of a terminating Pod stand; undefined where there is nothing to wait for. */
  preStop?: { done: boolean; remainingSeconds: number };
}

export interface PlanTime {
  /** Monotonic ms. */
  monotonic: number;
  /** Wall ms. */
  wall: number;
}

export interface PlanRules {
  /** After how long a DELETE that had no effect is sent again. */
  redeleteMs: number;
  /** How long a capsule may be in creation before it is given up. Zun never resumes a creation that its compute host forgot. */
  createTimeoutMs: number;
  /** Whether the capsule of a Pod that has ended is freed before the Pod is deleted. */
  freeEnded: boolean;
  /** Only a test switches this off: without it the simulation finds double capsules. */
  timeRule: boolean;
}

/** Why a capsule is to go. */
export type DeleteReason = 'pod-gone' | 'pod-terminating' | 'pod-ended' | 'second-capsule' | 'failed-start' | 'restart';

/** The one thing to do next for a Pod. `againMs`: look again after that time even if nothing changes. */
export type Step =
  | { kind: 'delete'; capsule: Capsule; reason: DeleteReason }
  | { kind: 'await-deletion'; againMs: number }
  | { kind: 'await-hooks'; againMs: number }
  | { kind: 'observe-first'; after: number }
  | { kind: 'forget' }
  | { kind: 'remove-pod' }
  | { kind: 'nothing'; againMs?: number }
  | { kind: 'confirm'; capsule: CapsuleName }
  | { kind: 'finish' }
  | { kind: 'fail'; reason: string; message: string }
  | { kind: 'reject'; problems: readonly Problem[] }
  | { kind: 'wait'; problems: readonly Problem[]; againMs: number }
  | { kind: 'create' }
  | { kind: 'disown'; capsule: Capsule; problem: Problem; restart?: Restart }
  | { kind: 'restart'; capsule: Capsule }
  | { kind: 'follow'; capsule: Capsule; againMs?: number };

/**
 * Decides the next step for one Pod: a ladder, the first rung that fits wins. It is the whole behaviour of the node, and
 * `docs/architecture.md` has it as a table with the same numbers.
 *
 * Absence is believed only on rung 6 and below, and only under the one rule about time: an observation counts if it began
 * after the last moment at which our last call for this Pod could still take effect. Presence needs no such rule.
 */
export function plan(view: PlanView, memory: PodMemory, time: PlanTime, rules: PlanRules): Step {
  const { pod, capsules } = view;

  // 1, 2: capsules that should not be.
  const unwanted = unwantedCapsules(view, memory, time, rules);
  if (unwanted.length > 0 && view.preStop && !view.preStop.done) {
    return { kind: 'await-hooks', againMs: view.preStop.remainingSeconds * 1000 };
  }
  const due = unwanted.find(({ capsule }) => time.monotonic >= deleteDueAt(capsule, memory, rules));
  if (due) return { kind: 'delete', ...due };
  if (unwanted.length > 0) {
    const nextAt = Math.min(...unwanted.map(({ capsule }) => deleteDueAt(capsule, memory, rules)));
    return { kind: 'await-deletion', againMs: Math.max(0, nextAt - time.monotonic) };
  }

  // 3 to 5: a capsule is there. Without a Pod it was unwanted.
  const [capsule] = capsules;
  if (pod && capsule) return planPresent(pod, capsule, { view, memory, time, rules });

  // 6: nothing is seen, but what we last did may still show up.
  if (rules.timeRule && view.observedAt <= memory.trustListsAfter) {
    return { kind: 'observe-first', after: memory.trustListsAfter };
  }

  // 7: ended for good.
  if (pod && !pod.metadata.deletionTimestamp && isTerminal(pod)) return { kind: 'nothing' };

  // 8: a capsule known by its uuid is gone when Zun says 404 for it; a list may lag behind, so it counts only where we asked
  // for the deletion, and only if no lag explains it.
  const discard = memory.discard ?? capsuleLetGoBy(pod?.status);
  const named = [memory.capsule, capsuleNamedBy(pod?.status)].find((name) => name && name.uuid !== discard?.uuid);
  if (named && !isGone(named, view)) return { kind: 'confirm', capsule: named };
  if (discard && view.absence(discard.uuid) !== 'answer') return { kind: 'confirm', capsule: discard };

  // 9, 10: nothing is left of it.
  if (!pod) return { kind: 'forget' };
  if (pod.metadata.deletionTimestamp) return { kind: 'remove-pod' };

  // 11: ended by the node: its deadline passed, or it never came up, and nothing of it is left.
  const ended = endedByNode(pod, undefined, memory, time, rules);
  if (ended) return { kind: 'fail', ...ended };
  if (named && isWorkDone(pod)) return { kind: 'finish' };

  // 12: it had a capsule and has none: never start a second one in silence.
  if (named) {
    return {
      kind: 'fail',
      reason: 'CapsuleGone',
      message: `${named.backend} ${named.uuid} of this Pod is gone from Zun although nobody asked zunlet to delete it`,
    };
  }

  // 13, 14: something stands in the way.
  if (memory.problems.some((problem) => !problem.heals)) return { kind: 'reject', problems: memory.problems };
  if (time.monotonic < memory.retryAt) {
    return { kind: 'wait', problems: memory.problems, againMs: memory.retryAt - time.monotonic };
  }

  // 15
  return { kind: 'create' };
}

/** The rungs of a Pod whose capsule is seen. */
function planPresent(
  pod: Pod,
  capsule: Capsule,
  { view, memory, time, rules }: { view: PlanView; memory: PodMemory; time: PlanTime; rules: PlanRules },
): Step {
  // 8, early: a list shows a capsule that the status does not name, and lacks the one that it names: it may lag behind.
  const published = capsuleNamedBy(pod.status);
  if (published && capsule.uuid !== published.uuid && view.absence(published.uuid) !== 'answer') {
    return { kind: 'confirm', capsule: published };
  }
  if (!isTerminal(pod)) {
    // 8, early too: a capsule that no status names is looked at before it is taken over; the list may show what is gone.
    if (!published && !view.isAnswered(capsule.uuid)) {
      return { kind: 'confirm', capsule: { backend: capsule.backend, uuid: capsule.uuid } };
    }
    // 3: a capsule whose start failed before anything ran goes, and the Pod waits; its status stops naming it first.
    if (startFailed(pod, capsule)) return { kind: 'disown', capsule, problem: failedStart(capsule) };
    if (isLetGo(pod, capsule, memory)) return { kind: 'wait', problems: memory.problems, againMs: 1000 };

    // 4: a probe or hook wants a container killed, or its image was changed. Where the backend cannot restart it, the
    // capsule makes way for a new one.
    const wish = memory.kill ?? changedContainer(pod, capsule, memory);
    if (wish) {
      const waitMs = restartAt(memory) - time.monotonic;
      if (waitMs > 0) return { kind: 'follow', capsule, againMs: waitMs };
      if (memory.kill && capsule.backend === 'container') return { kind: 'restart', capsule };
      const problem = memory.kill ? crashLoop(wish.message) : newDefinition(wish.message);
      return { kind: 'disown', capsule, problem, restart: wish };
    }
  }
  // 5: the capsule is there; status follows it.
  return { kind: 'follow', capsule, ...timer(pod, capsule, memory, time, rules) };
}

/** Tells whether a Pod's phase is one that never changes again. */
export function isTerminal(pod: Pod): boolean {
  return isTerminalPhase(pod.status?.phase);
}

function isGone(named: CapsuleName, { pod, absence }: PlanView): boolean {
  const proof = absence(named.uuid);
  const wasAsked = pod === undefined || pod.metadata.deletionTimestamp !== undefined;
  return proof === 'answer' || (proof === 'list' && wasAsked);
}

function unwantedCapsules(view: PlanView, memory: PodMemory, time: PlanTime, rules: PlanRules) {
  const { pod, capsules } = view;
  const all = (reason: DeleteReason) => capsules.map((capsule) => ({ capsule, reason }));
  if (!pod) return all('pod-gone');
  if (pod.metadata.deletionTimestamp) return all('pod-terminating');
  if (isTerminal(pod)) return rules.freeEnded ? all('pod-ended') : [];
  const kept = keptCapsule(pod, capsules, memory);
  if (kept && (endedByNode(pod, kept, memory, time, rules) || isWorkDone(pod))) return all('pod-ended');
  return capsules.flatMap((capsule): { capsule: Capsule; reason: DeleteReason }[] => {
    if (capsule !== kept) {
      return [{ capsule, reason: isLetGo(pod, capsule, memory) ? 'restart' : 'second-capsule' }];
    }
    if (names(pod, capsule)) return [];
    // What memory still holds as the Pod's capsule is let go first, or its absence would look like a loss.
    const isHeld = memory.capsule?.uuid === capsule.uuid;
    if (startFailed(pod, capsule)) return isHeld ? [] : [{ capsule, reason: 'failed-start' }];
    // The status says so before the capsule goes: a new process must not take it for lost.
    return capsuleLetGoBy(pod.status)?.uuid === capsule.uuid ? [{ capsule, reason: 'restart' }] : [];
  });
}

/**
 * Picks the capsule that counts: the one that the Pod's status names, else the oldest that was not given up. After a restart
 * of the node a list that lags behind may show one that is long gone.
 */
export function keptCapsule(
  pod: Pod | undefined,
  capsules: readonly Capsule[],
  memory: PodMemory,
): Capsule | undefined {
  const named = capsuleNamedBy(pod?.status)?.uuid;
  return (
    capsules.find(({ uuid }) => uuid === named) ??
    capsules.find((capsule) => !isLetGo(pod, capsule, memory)) ??
    capsules[0]
  );
}

/** Tells whether a capsule was given up for a new one; the Pod's status remembers it over a restart of the node. */
export function isLetGo(pod: Pod | undefined, capsule: Capsule, memory: PodMemory): boolean {
  return memory.discard?.uuid === capsule.uuid || capsuleLetGoBy(pod?.status)?.uuid === capsule.uuid;
}

function names(pod: Pod, capsule: Capsule): boolean {
  return capsuleNamedBy(pod.status)?.uuid === capsule.uuid;
}

/** A capsule that turned `Error` after the DELETE has failed to go: ask again sooner, but not at once. */
function redeleteAfter(capsule: Capsule, rules: PlanRules): number {
  return capsule.status === 'Error' ? rules.redeleteMs / 6 : rules.redeleteMs;
}

/**
 * When the next DELETE of a capsule may be sent. Zun deletes after a creation that is under way, but by what there was when it
 * was asked: the docker driver leaves the containers that came since (docs/zun.md §4.5). So a creation is waited for.
 */
function deleteDueAt(capsule: Capsule, memory: PodMemory, rules: PlanRules): number {
  const sent = memory.deletesSent.get(capsule.uuid);
  if (sent !== undefined) return sent + redeleteAfter(capsule, rules);
  const isCreated = capsule.backend !== 'capsule' || !isInCreation(capsule);
  const since = memory.othersCreatingSince.get(capsule.uuid) ?? memory.creatingSince;
  return isCreated || since === undefined ? Number.NEGATIVE_INFINITY : since + rules.redeleteMs;
}

/** Tells whether Zun is still bringing a capsule up. */
export function isInCreation({ status }: Capsule): boolean {
  return status === 'Creating' || status === 'Created';
}

/** Why the node itself ends a Pod, if it must. */
function endedByNode(
  pod: Pod,
  capsule: Capsule | undefined,
  memory: PodMemory,
  time: PlanTime,
  rules: PlanRules,
): { reason: string; message: string } | undefined {
  const deadline = deadlineMs(pod);
  if (deadline !== undefined && time.wall >= deadline) {
    return {
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    };
  }
  if (memory.kill && pod.spec.restartPolicy === 'Never') return { reason: 'ProbeFailed', message: memory.kill.message };
  const since = memory.creatingSince;
  const inCreation = capsule === undefined || isInCreation(capsule);
  if (since !== undefined && inCreation && time.monotonic >= since + rules.createTimeoutMs) {
    return {
      reason: 'CreateTimeout',
      message: `Zun did not bring the capsule up within ${Math.round(rules.createTimeoutMs / 1000)} s`,
    };
  }
  return undefined;
}

/** Wall ms at which `activeDeadlineSeconds` ends the Pod; undefined without one or before it was accepted. */
function deadlineMs(pod: Pod): number | undefined {
  const seconds = pod.spec.activeDeadlineSeconds;
  const started = pod.status?.startTime;
  if (seconds === undefined || seconds === null || !started) return undefined;
  const ms = Date.parse(started) + seconds * 1000;
  return Number.isFinite(ms) ? ms : undefined;
}

function timer(pod: Pod, capsule: Capsule, memory: PodMemory, time: PlanTime, rules: PlanRules): { againMs?: number } {
  const waits: number[] = [];
  const deadline = deadlineMs(pod);
  if (deadline !== undefined && !isTerminal(pod)) waits.push(deadline - time.wall);
  if (isInCreation(capsule) && memory.creatingSince !== undefined) {
    waits.push(memory.creatingSince + rules.createTimeoutMs - time.monotonic);
  }
  return waits.length === 0 ? {} : { againMs: Math.max(0, Math.min(...waits)) };
}
