import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { AppError, isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { RateLimiter } from '../http/rate-limiter.ts';
import type { HttpRequest, HttpResponse, HttpStream, Transport } from '../http/transport.ts';
import type { KubeAuth, KubeCall, KubeCallRecord } from './client-types.ts';
import { garbageError, kubeError } from './errors.ts';

/** One call before it becomes an HTTP request. */
interface Exchange {
  verb: KubeCallRecord['verb'];
  method: HttpRequest['method'];
  path: string;
  call: KubeCall;
  body?: object;
  contentType?: string;
  /** True when doing it twice does no harm. */
  repeatable: boolean;
}

export interface ExchangerOptions {
  transport: Transport;
  limiter: RateLimiter;
  auth: KubeAuth;
  /** Path prefix of the server's URL, without a slash at its end. */
  prefix: string;
  userAgent: string;
  timeoutMs: number;
  clock: Clock;
  random: Random;
  log: Log;
  onCall: (record: KubeCallRecord) => void;
}

/** Does the calls of a client: credentials, rate limit, repetition, measurement. */
export interface Exchanger {
  /** Answers the parsed body; undefined where it is empty. */
  send(exchange: Exchange): Promise<unknown>;
  stream(exchange: Exchange): Promise<HttpStream>;
}

const retryLimits = { firstMs: 200, maxMs: 5_000 };
const defaultRetries = 3;
/** A longer Retry-After is left to the caller, who has better things to do meanwhile. */
const longestWaitMs = 10_000;

/** Makes an exchanger. */
export function createExchanger(options: ExchangerOptions): Exchanger {
  const { auth, clock, limiter, transport } = options;

  async function measured<A extends { status: number }>(
    exchange: Exchange,
    send: (request: HttpRequest) => Promise<A>,
    toError: (answer: A, attempt: string) => AppError | Promise<AppError>,
  ): Promise<A> {
    const request = buildRequest(exchange, options, await auth.authorization());
    const startedAt = clock.monotonic();
    let code = 0;
    try {
      const answer = await send(request);
      code = answer.status;
      if (code >= 200 && code < 300) return answer;
      throw await toError(answer, request.attempt);
    } finally {
      const durationMs = clock.monotonic() - startedAt;
      options.onCall({ verb: exchange.verb, resource: resourceOf(exchange.path), code, durationMs });
    }
  }

  /** Repeats once with new credentials when the API server refuses the ones it got. */
  async function authorized<A>(run: () => Promise<A>): Promise<A> {
    try {
      return await run();
    } catch (thrown) {
      if (!isKind(thrown, 'unauthorized') || thrown.status !== 401) throw thrown;
      auth.forget();
      return run();
    }
  }

  async function waitTurn(exchange: Exchange): Promise<void> {
    if (exchange.call.urgent !== true) await limiter.take(exchange.call.signal);
  }

  async function sendOnce(exchange: Exchange): Promise<unknown> {
    await waitTurn(exchange);
    const answer = await authorized(() => measured<HttpResponse>(exchange, (r) => transport.request(r), kubeError));
    return parseBody(answer, attemptText(exchange));
  }

  return {
    async send(exchange) {
      for (let attempt = 0; ; attempt++) {
        try {
          return await sendOnce(exchange);
        } catch (thrown) {
          const error = namedError(thrown, exchange);
          const delayMs = error.retryAfterMs ?? backoffMs(attempt, retryLimits, options.random);
          if (!shouldRepeat(error, exchange, attempt, delayMs)) throw error;
          options.log.debug('kubernetes call is repeated', { err: error.message, attempt, delayMs });
          await sleep(clock, delayMs, exchange.call.signal).catch(() => Promise.reject(error));
        }
      }
    },
    async stream(exchange) {
      try {
        await waitTurn(exchange);
        return await authorized(() => measured<HttpStream>(exchange, (r) => transport.stream(r, 0), streamError));
      } catch (thrown) {
        throw namedError(thrown, exchange);
      }
    },
  };
}

function shouldRepeat(error: AppError, exchange: Exchange, attempt: number, delayMs: number): boolean {
  if (error.kind !== 'retryable' || exchange.call.signal?.aborted) return false;
  if (!exchange.repeatable && error.effect !== 'none') return false;
  return attempt < (exchange.call.retries ?? defaultRetries) && delayMs <= longestWaitMs;
}

/** Waiting for a turn rejects with whatever the signal carries: nothing was sent then. */
function namedError(thrown: unknown, exchange: Exchange): AppError {
  if (thrown instanceof AppError) return thrown;
  const isAbort = exchange.call.signal?.aborted === true;
  return new AppError({
    kind: isAbort ? 'retryable' : 'bug',
    code: isAbort ? 'http.aborted' : 'bug',
    message: `${attemptText(exchange)}: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    effect: isAbort ? 'none' : 'unknown',
    cause: thrown,
  });
}

function buildRequest(exchange: Exchange, options: ExchangerOptions, authorization: string | undefined): HttpRequest {
  const { call } = exchange;
  return {
    method: exchange.method,
    path: `${options.prefix}${exchange.path}${queryText(call.query)}`,
    headers: {
      accept: 'application/json',
      'user-agent': options.userAgent,
      ...options.auth.headers,
      ...(authorization !== undefined && { authorization }),
      ...(exchange.contentType !== undefined && { 'content-type': exchange.contentType }),
    },
    ...(exchange.body !== undefined && { body: JSON.stringify(exchange.body) }),
    timeoutMs: call.timeoutMs ?? options.timeoutMs,
    ...(call.signal && { signal: call.signal }),
    attempt: attemptText(exchange),
  };
}

function attemptText(exchange: Exchange): string {
  return exchange.call.attempt ?? `${exchange.method} ${exchange.path}`;
}

function queryText(query: KubeCall['query']): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) search.set(name, String(value));
  }
  return search.size > 0 ? `?${search}` : '';
}

function parseBody(answer: HttpResponse, attempt: string): unknown {
  if (answer.body.length === 0) return undefined;
  try {
    return JSON.parse(answer.body.toString('utf8'));
  } catch (error) {
    throw garbageError(attempt, error);
  }
}

const errorBodyLimit = 64 * 1024;

async function streamError(answer: HttpStream, attempt: string): Promise<AppError> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  // The transport's bodies yield buffers only.
  for await (const chunk of answer.body as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes > errorBodyLimit) break;
  }
  return kubeError({ status: answer.status, headers: answer.headers, body: Buffer.concat(chunks) }, attempt);
}

/** Reads the plural and the subresource out of an API path: `/api/v1/namespaces/web/pods/api-0/status` is `pods/status`. */
function resourceOf(path: string): string {
  const parts = path.split('/').filter(Boolean);
  const rest = parts.slice(parts[0] === 'apis' ? 3 : 2);
  if (rest[0] === 'namespaces' && rest.length > 2) rest.splice(0, 2);
  const [plural = path, , sub] = rest;
  return sub === undefined ? plural : `${plural}/${sub}`;
}
