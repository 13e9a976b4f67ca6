import type { MovableClock } from '../clock.ts';
import type { CallMatch, Fault, Faults, RecordedCall } from './faults.ts';
import { isMatch } from './faults.ts';
import type { Identities } from './identities.ts';
import type { Listener } from './listener.ts';
import type { Lists } from './lists.ts';
import type { AccessQuestion } from './reviews.ts';
import type { ObjectStore } from './store.ts';
import type { User } from './strategy.ts';
import type { Watches } from './watches.ts';

/** What tests and the demo do to the API server from outside. */
export interface KubeControl {
  /** Makes calls go wrong until the returned function is called. */
  fault(fault: Fault): () => void;
  clearFaults(): void;
  /** The calls since the start or the last reset, oldest first; at most the newest 100,000. */
  calls(match?: CallMatch): RecordedCall[];
  /** How many calls there were, by verb and resource: `patch pods/status`. */
  counts(match?: CallMatch): Record<string, number>;
  resetCalls(): void;
  /** Breaks open watches, all or those on one resource (its plural name). */
  cutWatches(plural?: string): void;
  /** Ends open watches with the ERROR event 410. */
  expireWatches(plural?: string): void;
  /** Keeps watch events back until the returned function is called. */
  holdWatches(): () => void;
  openWatches(): number;
  /** Forgets all history: watches from an older version, and the rest of paged lists, get 410. */
  compact(): void;
  /** Reads at `resourceVersion=0` see the present state until the returned function is called. */
  freezeCache(): () => void;
  /** Closes the port and all connections: clients meet refused connections until the returned function is called. */
  outage(): Promise<() => Promise<void>>;
  /** Undoes `outage`, `holdWatches` and `freezeCache`, whoever called them. */
  release(): Promise<void>;
  /** Puts the emulator's time forward: what waits runs in order. */
  advance(ms: number): Promise<void>;
  /** Makes a bearer token for a user. */
  issueToken(user: User, lifetimeMs?: number): string;
  revokeToken(token: string): void;
  /** Decides SubjectAccessReviews: a text refuses with it as the reason, undefined allows. */
  onAccessReview(decide: (question: AccessQuestion) => string | undefined): void;
}

export interface ControlParts {
  clock: MovableClock;
  faults: Faults;
  lists: Lists;
  watches: Watches;
  store: ObjectStore;
  identities: Identities;
}

const keptCalls = 100_000;

/** Makes the control object and what the server needs of it. */
export function createControl(parts: ControlParts): {
  control: KubeControl;
  record(call: RecordedCall): void;
  authorize(question: AccessQuestion): string | undefined;
  /** Hands over the port, once it is open. */
  attach(listener: Listener): void;
} {
  const { clock, faults, lists, watches, store, identities } = parts;
  let recorded: RecordedCall[] = [];
  let port: Listener | undefined;
  let decide: (question: AccessQuestion) => string | undefined = () => undefined;

  const undos = new Set<() => void | Promise<void>>();
  const undoing = (undo: () => void) => {
    undos.add(undo);
    return () => {
      undos.delete(undo);
      undo();
    };
  };
  const calls = (match: CallMatch = {}) => recorded.filter((call) => isMatch(call, match));
  const control: KubeControl = {
    fault: (fault) => faults.add(fault),
    clearFaults: () => faults.clear(),
    calls,
    counts(match) {
      const counts: Record<string, number> = {};
      for (const { verb, resource } of calls(match))
        counts[`${verb} ${resource}`] = (counts[`${verb} ${resource}`] ?? 0) + 1;
      return counts;
    },
    resetCalls() {
      recorded = [];
    },
    cutWatches: (plural) => watches.cut(plural),
    expireWatches: (plural) => watches.expire(plural),
    holdWatches: () => undoing(watches.hold()),
    openWatches: () => watches.open(),
    compact() {
      store.compact();
      lists.forget();
    },
    freezeCache: () => undoing(lists.freeze()),
    async outage() {
      const listener = port;
      await listener?.down();
      const undo = async () => listener?.up();
      undos.add(undo);
      return undo;
    },
    async release() {
      for (const undo of undos) await undo();
      undos.clear();
    },
    advance: (ms) => clock.advance(ms),
    issueToken: (user, lifetimeMs) =>
      identities.issue(user, lifetimeMs === undefined ? undefined : clock.now() + lifetimeMs),
    revokeToken: (token) => identities.revoke(token),
    onAccessReview(next) {
      decide = next;
    },
  };
  return {
    control,
    record(call) {
      recorded.push(call);
      if (recorded.length > keptCalls * 1.2) recorded = recorded.slice(-keptCalls);
    },
    authorize: (question) => decide(question),
    attach(listener) {
      port = listener;
    },
  };
}
