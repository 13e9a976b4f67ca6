import type { Random } from '../../base/random.ts';
import type { ResourceCall, Verb } from './calls.ts';

/** Which calls a fault or a count is about; what is not named is any. */
export interface CallMatch {
  verb?: Verb | Verb[];
  /** Plural name, with the sub-resource where one is meant: `pods`, `pods/status`. */
  resource?: string | string[];
  namespace?: string;
  name?: string;
  /** Name of the user who calls. */
  user?: string;
  /** Part of the `User-Agent` header. */
  userAgent?: string;
}

/** What goes wrong. */
export type FaultAction =
  /** The call is answered with an error and has no effect. */
  | { kind: 'status'; status: number; reason?: string; message?: string; retryAfterSeconds?: number }
  /** The connection breaks before the call has an effect. */
  | { kind: 'refuse' }
  /** The call takes effect, then the connection breaks. */
  | { kind: 'lose-answer' }
  /** The call waits before it takes effect. */
  | { kind: 'slow'; ms: number }
  /** The call takes effect at once, the answer comes late. */
  | { kind: 'slow-answer'; ms: number }
  /** The call is never answered and has no effect. */
  | { kind: 'hang' };

export interface Fault {
  match: CallMatch;
  action: FaultAction;
  /** How many calls it strikes; default all until it is removed. */
  times?: number;
  /** The share of matching calls that it strikes, 0 to 1; default 1. */
  chance?: number;
}

/** One call as it is remembered. */
export interface RecordedCall {
  verb: Verb;
  /** `pods`, `pods/status`. */
  resource: string;
  namespace: string;
  name: string;
  user: string;
  userAgent: string;
  /** When it came, wall time of the emulator in milliseconds. */
  at: number;
  /** The HTTP status; 0 while it runs, and when the connection was broken on purpose. */
  status: number;
}

export interface Faults {
  add(fault: Fault): () => void;
  clear(): void;
  /** Picks the first fault that strikes this call. */
  strike(call: RecordedCall): FaultAction | undefined;
}

export function resourceText(call: ResourceCall): string {
  return call.subresource === '' ? call.resource.plural : `${call.resource.plural}/${call.subresource}`;
}

/** Tells whether a call is one of those meant. */
export function isMatch(call: RecordedCall, match: CallMatch): boolean {
  const oneOf = (value: string, wanted: string | string[] | undefined) =>
    wanted === undefined || (Array.isArray(wanted) ? wanted.includes(value) : wanted === value);
  return (
    oneOf(call.verb, match.verb) &&
    oneOf(call.resource, match.resource) &&
    oneOf(call.namespace, match.namespace) &&
    oneOf(call.name, match.name) &&
    oneOf(call.user, match.user) &&
    (match.userAgent === undefined || call.userAgent.includes(match.userAgent))
  );
}

/** Makes an empty set of faults. */
export function createFaults(random: Random): Faults {
  const active: { fault: Fault; left: number }[] = [];
  return {
    add(fault) {
      const entry = { fault, left: fault.times ?? Number.POSITIVE_INFINITY };
      active.push(entry);
      return () => {
        const index = active.indexOf(entry);
        if (index >= 0) active.splice(index, 1);
      };
    },
    clear() {
      active.length = 0;
    },
    strike(call) {
      for (const entry of active) {
        if (entry.left <= 0 || !isMatch(call, entry.fault.match)) continue;
        if (entry.fault.chance !== undefined && random() >= entry.fault.chance) continue;
        entry.left -= 1;
        return entry.fault.action;
      }
      return undefined;
    },
  };
}
