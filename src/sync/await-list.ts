import type { Pod } from '../kube/types.ts';
import { capsuleNamedBy } from '../status/named-capsule.ts';
import type { PodMemory } from './memory.ts';
import { isTerminal } from './plan.ts';
import { event } from './steps.ts';
import { names, type WorkerDeps } from './worker.ts';

/** What of a run this step works on. */
export interface AwaitingRun {
  pod: Pod | undefined;
  memory: Pick<PodMemory, 'problems' | 'listAwaited'>;
  deps: Pick<WorkerDeps, 'clock' | 'poller' | 'events' | 'log'>;
  remember(change: Partial<PodMemory>): void;
}

/** Shorter waits are not worth a word. */
const wordlessMs = 5000;

/**
 * Wants a list that begins after `after`, monotonic ms. A Pod that was there before this process waits for it without a
 * problem of its own, and so its users are told once why nothing happens.
 */
export function awaitList(after: number, run: AwaitingRun): void {
  const { pod, memory, deps } = run;
  deps.poller.wantListAfter(after);
  const waitMs = after - deps.clock.monotonic();
  if (!pod || pod.metadata.deletionTimestamp || isTerminal(pod)) return;
  // Whoever runs names its capsule, and only waits for the first list.
  if (capsuleNamedBy(pod.status)) return;
  if (memory.listAwaited || memory.problems.length > 0 || waitMs < wordlessMs) return;
  run.remember({ listAwaited: true });
  const seconds = Math.ceil(waitMs / 1000);
  const message =
    `An earlier process of this node may have asked Zun for a capsule of this Pod. It is looked for, ` +
    `and if none appears within ${seconds} s (option settle), one is made`;
  event(pod, 'Normal', 'CapsuleAwaited', message, run);
  deps.log.info('pod waits until a capsule of the process before would show', { ...names(pod), seconds });
}
