/**
 * Names what went wrong in one word. Clients choose it from what came back; `sync/worker.ts` alone decides what follows.
 *
 * - `retryable`: no route, time-out, 5xx, 429. Try again.
 * - `invalid`: the other side refused what was sent (400, 422), or an input cannot be understood.
 * - `unauthorized`: credentials refused, after one renewal.
 * - `forbidden`: credentials are fine, the right is missing.
 * - `quota`: a limit of the project was reached.
 * - `not-found`: it is not there. For a read or a delete this is an observation.
 * - `conflict`: somebody else changed it, or a precondition failed.
 * - `unsupported`: this cloud, or this backend, cannot do it.
 * - `bug`: a mistake of ours.
 */
export type ErrorKind =
  | 'retryable'
  | 'invalid'
  | 'unauthorized'
  | 'forbidden'
  | 'quota'
  | 'not-found'
  | 'conflict'
  | 'unsupported'
  | 'bug';

/** Says whether a failed call certainly changed nothing. Only the transport can know. */
export type Effect = 'none' | 'unknown';

export interface AppErrorInit {
  kind: ErrorKind;
  /** A stable dotted name, for example `zun.quota-exceeded`. */
  code: string;
  /** What was attempted, on what, what came back; lower case, no full stop, no secrets. */
  message: string;
  /** Default `none`. */
  effect?: Effect;
  /** How long the other side asked us to wait. */
  retryAfterMs?: number;
  /** The HTTP status, where there was one. */
  status?: number;
  cause?: unknown;
}

/** The one error class. Thrown at the edges; the core returns `Problem` values instead. */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly effect: Effect;
  readonly retryAfterMs: number | undefined;
  readonly status: number | undefined;

  constructor(init: AppErrorInit) {
    super(init.message, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'AppError';
    this.kind = init.kind;
    this.code = init.code;
    this.effect = init.effect ?? 'none';
    this.retryAfterMs = init.retryAfterMs;
    this.status = init.status;
  }
}

/** Turns whatever was thrown into an `AppError`; what is not one already is a `bug`. */
export function toAppError(thrown: unknown): AppError {
  if (thrown instanceof AppError) return thrown;
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  return new AppError({ kind: 'bug', code: 'bug', message, effect: 'unknown', cause: thrown });
}

/** Tells whether something thrown is an `AppError` of one of the kinds. */
export function isKind(thrown: unknown, ...kinds: ErrorKind[]): thrown is AppError {
  return thrown instanceof AppError && kinds.includes(thrown.kind);
}
