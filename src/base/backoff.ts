import type { Random } from './random.ts';

export interface BackoffLimits {
  firstMs: number;
  maxMs: number;
}

/**
 * Computes the delay before attempt `attempt` (0 is the first retry): doubling from `firstMs` to `maxMs`, with the upper
 * half of the delay random so that many clients do not come back at once.
 */
export function backoffMs(attempt: number, limits: BackoffLimits, random: Random): number {
  const full = Math.min(limits.maxMs, limits.firstMs * 2 ** Math.min(attempt, 40));
  return Math.round(full / 2 + (full / 2) * random());
}

/** Spreads a period by ± `share` (0.1 is ten per cent). */
export function jitterMs(ms: number, share: number, random: Random): number {
  return Math.round(ms * (1 - share + 2 * share * random()));
}
