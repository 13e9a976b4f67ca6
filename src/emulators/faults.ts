import { type Random, seededRandom } from '../base/random.ts';

/**
 * What goes wrong with a call.
 *
 * - `refuse`: the connection is reset and the port stays closed for `forMs`, so that the next ones are refused.
 * - `reset-before`, `reset-after`: the connection is reset without an answer; the call had no effect, or had it.
 * - `hang`, `lose-answer`: nothing ever comes back; the call had no effect, or had it.
 * - `late`: the connection is reset at once, and the call takes effect after `ms`.
 * - `delay`: the call is served after `ms`.
 * - `cut`: the effect is done; the body ends in the middle and the connection is reset.
 * - `status`: answered with this status, in the service's own envelope; with `effect` the call took effect all the same.
 * - `garbage`: the effect is done; the body is not JSON.
 * - `stale`: a list or read answers what it would have answered `ms` ago, as far as is remembered.
 */
export type Fault =
  | { kind: 'refuse'; forMs: number }
  | { kind: 'reset-before' }
  | { kind: 'reset-after' }
  | { kind: 'hang' }
  | { kind: 'lose-answer' }
  | { kind: 'late'; ms: number }
  | { kind: 'delay'; ms: number }
  | { kind: 'cut' }
  | { kind: 'status'; status: number; retryAfterSeconds?: number; effect?: boolean; detail?: string }
  | { kind: 'garbage' }
  | { kind: 'stale'; ms: number };

/** When a fault strikes. Everything that is given must hold. */
export interface FaultRule {
  fault: Fault;
  /** Operation names, as the counters show them: `capsule.create`. A trailing `*` matches any ending. Absent: all. */
  operation?: string | string[];
  /** Part of the path. */
  path?: string;
  /** Strikes only at the n-th call that matches, from 1. */
  nth?: number;
  /** Leaves the first so many matching calls alone. */
  skip?: number;
  /** Strikes at most so many times. */
  times?: number;
  /** Strikes with this probability, drawn from `seed`. */
  probability?: number;
  seed?: number;
}

/** The rules in force, in order; the first that strikes wins. */
export interface FaultPlan {
  /** Adds a rule and returns its number, for `remove`. */
  add(rule: FaultRule): number;
  remove(id: number): void;
  clear(): void;
  /** The fault for a call, counted as injected. */
  pick(operation: string, path: string): Fault | undefined;
  /** How many faults struck, by kind. */
  injected(): Record<string, number>;
  /** How many faults of the kind `status` struck, by status code. */
  injectedStatuses(): Record<string, number>;
}

interface ActiveRule {
  id: number;
  rule: FaultRule;
  operations: string[];
  seen: number;
  struck: number;
  random: Random;
}

/** Makes an empty plan. */
export function createFaultPlan(): FaultPlan {
  let rules: ActiveRule[] = [];
  let nextId = 1;
  const injected: Record<string, number> = {};
  const statuses: Record<string, number> = {};
  return {
    add(rule) {
      const id = nextId++;
      const operations = typeof rule.operation === 'string' ? [rule.operation] : (rule.operation ?? []);
      rules.push({ id, rule, operations, seen: 0, struck: 0, random: seededRandom(rule.seed ?? id) });
      return id;
    },
    remove(id) {
      rules = rules.filter((active) => active.id !== id);
    },
    clear() {
      rules = [];
    },
    pick(operation, path) {
      for (const active of rules) {
        if (!matches(active, operation, path) || !strikes(active)) continue;
        const { fault } = active.rule;
        injected[fault.kind] = (injected[fault.kind] ?? 0) + 1;
        if (fault.kind === 'status') statuses[fault.status] = (statuses[fault.status] ?? 0) + 1;
        return fault;
      }
      return undefined;
    },
    injected: () => ({ ...injected }),
    injectedStatuses: () => ({ ...statuses }),
  };
}

function matches(active: ActiveRule, operation: string, path: string): boolean {
  const { rule, operations } = active;
  if (rule.path !== undefined && !path.includes(rule.path)) return false;
  return operations.length === 0 || operations.some((pattern) => matchesOperation(pattern, operation));
}

function matchesOperation(pattern: string, operation: string): boolean {
  return pattern.endsWith('*') ? operation.startsWith(pattern.slice(0, -1)) : pattern === operation;
}

function strikes(active: ActiveRule): boolean {
  const { rule } = active;
  active.seen++;
  if (rule.nth !== undefined && active.seen !== rule.nth) return false;
  if (active.seen <= (rule.skip ?? 0)) return false;
  if (active.struck >= (rule.times ?? Number.POSITIVE_INFINITY)) return false;
  if (rule.probability !== undefined && active.random() >= rule.probability) return false;
  active.struck++;
  return true;
}
