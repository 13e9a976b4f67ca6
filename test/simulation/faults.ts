import type { Random } from '../../src/base/random.ts';

/**
 * What happens to one call: nothing special; refused before anything was sent; failed without effect but nobody can know;
 * answer lost after the effect; effect long after the caller gave up.
 */
export type Fault = 'none' | 'refused' | 'failed' | 'lost' | 'late';

export interface FaultPlan {
  draw(): Fault;
  active(): boolean;
  stop(): void;
  /** Counts by kind. */
  counts: Record<Fault, number>;
  /** Latest moment of a late effect after the call, ms. */
  lateMs: number;
  /** How old a list may be, ms. */
  listLagMs: number;
  /** Share of capsules whose start fails. */
  startFails: number;
  /** Share of deletions that fail on the compute host. */
  deleteFails: number;
}

/** Makes a seeded plan; after `stop` every call succeeds. */
export function createFaultPlan(random: Random): FaultPlan {
  const share = random() * 0.4;
  let on = true;
  const counts: Record<Fault, number> = { none: 0, refused: 0, failed: 0, lost: 0, late: 0 };
  const kinds: Fault[] = ['refused', 'failed', 'lost', 'late'];
  const plan: FaultPlan = {
    draw() {
      const fault = on && random() < share ? (kinds[Math.floor(random() * kinds.length)] ?? 'none') : 'none';
      counts[fault] += 1;
      return fault;
    },
    active: () => on,
    stop() {
      on = false;
      plan.startFails = 0;
      plan.deleteFails = 0;
    },
    counts,
    lateMs: 20_000,
    listLagMs: random() * 8000,
    startFails: random() < 0.3 ? 0.2 : 0,
    deleteFails: random() < 0.3 ? 0.2 : 0,
  };
  return plan;
}
