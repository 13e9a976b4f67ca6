import { type BackoffLimits, backoffMs } from '../base/backoff.ts';
import type { AppError } from '../base/errors.ts';
import type { Problem } from '../base/problem.ts';
import type { Random } from '../base/random.ts';

/** What follows from a failed attempt to start a Pod. */
export interface FailureDecision {
  /** Shown in the Pod's status; undefined leaves the status as it is. */
  problem?: Problem;
  /** The next try. */
  retryMs: number;
  /** Stops all work that needs the same service for this long. */
  pauseAllMs?: number;
  /** Reason of the Warning Event. */
  eventReason: string;
}

const limits: Record<'soon' | 'slow' | 'minutes', BackoffLimits> = {
  soon: { firstMs: 1000, maxMs: 300_000 },
  slow: { firstMs: 10_000, maxMs: 300_000 },
  minutes: { firstMs: 60_000, maxMs: 300_000 },
};

/**
 * Decides what follows when a Pod could not be started. The table of errors in `docs/architecture.md` is this function:
 * clients only say what happened, here it is decided what to do.
 */
export function decideStartFailure(error: AppError, attempts: number, random: Random): FailureDecision {
  const wait = (limit: BackoffLimits) => Math.max(backoffMs(attempts, limit, random), error.retryAfterMs ?? 0);
  const problem = (reason: string): Problem => ({
    path: '',
    code: error.code,
    message: error.message,
    heals: true,
    reason,
  });
  switch (error.kind) {
    case 'retryable':
    case 'conflict':
    case 'not-found':
      return { retryMs: wait(limits.soon), eventReason: 'FailedCreatePodSandBox' };
    case 'unauthorized':
      return { retryMs: wait(limits.slow), pauseAllMs: 5000, eventReason: 'FailedCreatePodSandBox' };
    case 'invalid':
      return {
        problem: problem('CreateContainerConfigError'),
        retryMs: wait(limits.slow),
        eventReason: 'FailedCreatePodSandBox',
      };
    case 'forbidden':
      return {
        problem: problem('CreatePodSandboxError'),
        retryMs: 300_000,
        eventReason: 'FailedCreatePodSandBox',
      };
    case 'quota':
      return { problem: problem('OutOfQuota'), retryMs: wait(limits.minutes), eventReason: 'OutOfQuota' };
    case 'unsupported':
      return {
        problem: problem('CreatePodSandboxError'),
        retryMs: 300_000,
        eventReason: 'FailedCreatePodSandBox',
      };
    case 'bug':
      return { retryMs: wait(limits.slow), eventReason: 'FailedSync' };
    default:
      return error.kind satisfies never;
  }
}

/** The delay before any other failed call is repeated. */
export function retryDelayMs(error: AppError, attempts: number, random: Random): number {
  const limit = error.kind === 'forbidden' || error.kind === 'invalid' ? limits.slow : limits.soon;
  return Math.max(backoffMs(attempts, limit, random), error.retryAfterMs ?? 0);
}

/** The back-off of a start that Zun accepted and then failed: the image pull's own, 10 s to 5 min. */
export function failedStartDelayMs(attempts: number, random: Random): number {
  return backoffMs(attempts, limits.slow, random);
}
