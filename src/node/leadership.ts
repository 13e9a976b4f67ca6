import type { Clock } from '../base/clock.ts';
import { type AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { EventRecorder, EventSubject } from '../sync/ports.ts';
import { nodeEvent } from './reasons.ts';

export interface LeadershipOptions {
  clock: Clock;
  log: Log;
  events: EventRecorder;
  options: { name: string };
  onChange?: (mayWork: boolean) => void;
}

/** Remembers whether this process works for the node and tells who wants to know. */
export interface Leadership {
  /** The Lease was taken or renewed; true when it was not held before. */
  gain(): boolean;
  /** The Lease is another's, or ran out. */
  lose(holder: string | undefined): void;
  /** Resolves at the first gain. */
  first: Promise<void>;
  state(): { holder: string | undefined; leaseRenewedAtMs: number | undefined };
}

/** Makes the memory of who leads. */
export function createLeadership(deps: LeadershipOptions): Leadership {
  const { log, options } = deps;
  const first = Promise.withResolvers<void>();
  let leads = false;
  let started = false;
  let holder: string | undefined;
  let renewedAtMs: number | undefined;
  return {
    gain() {
      renewedAtMs = deps.clock.monotonic();
      holder = undefined;
      if (leads) return false;
      leads = true;
      log.info('node lease held, this instance works', { node: options.name });
      if (!started) deps.events.record(nodeSubject(options.name), 'Normal', nodeEvent.starting, 'Starting zunlet.');
      started = true;
      first.resolve();
      deps.onChange?.(true);
      return true;
    },
    lose(by) {
      if (by !== undefined && by !== holder)
        log.warn('another instance runs the node, standing by', { node: options.name, holder: by });
      holder = by;
      if (!leads) return;
      leads = false;
      deps.onChange?.(false);
    },
    first: first.promise,
    state: () => ({ holder, leaseRenewedAtMs: renewedAtMs }),
  };
}

/** What an Event about the Node points at; kubelets put the name where the uid goes, and kubectl looks for both. */
export function nodeSubject(name: string): EventSubject {
  return { kind: 'Node', name, namespace: '', uid: name };
}

/** Remembers the last failure of something done again and again, and logs each new kind of it once. */
export function createFailureNote({ log, options }: Pick<LeadershipOptions, 'log' | 'options'>) {
  let last: AppError | undefined;
  return {
    note(message: string, thrown: unknown): void {
      const error = toAppError(thrown);
      const level = last?.code === error.code ? 'debug' : 'warn';
      last = error;
      log[level](message, { node: options.name, err: error.message, code: error.code });
    },
    clear(): void {
      last = undefined;
    },
    error: () => last,
  };
}
