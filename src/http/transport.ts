import { PassThrough, type Readable } from 'node:stream';
import { type Dispatcher, Pool, ProxyAgent } from 'undici';
import { AppError } from '../base/errors.ts';

/** What one TLS identity consists of; PEM texts. */
export interface TlsIdentity {
  ca?: string;
  cert?: string;
  key?: string;
  servername?: string;
  /** Only when the user asked for it in so many words. */
  insecure?: boolean;
}

export interface HttpRequest {
  method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'HEAD';
  /** Path and query, from the origin's root. */
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** The limit for the whole call, or, for a stream, for its headers. */
  timeoutMs: number;
  signal?: AbortSignal;
  /** What this call is, for error messages: `creating capsule for pod web/api-0`. */
  attempt: string;
}

export interface HttpResponse {
  status: number;
  /** Lower-case names; several values joined by a comma. */
  headers: Record<string, string>;
  body: Buffer;
}

export interface HttpStream {
  status: number;
  headers: Record<string, string>;
  body: Readable;
}

/** One pool of connections to one origin under one TLS identity. */
export interface Transport {
  /**
   * Sends a request and reads the whole answer.
   * Errors: `retryable` (`http.unreachable` with effect none when nothing was sent, `http.no-answer` or `http.timeout` with
   * effect unknown otherwise), `invalid` (`http.too-large`). HTTP error statuses are answers, not errors.
   */
  request(request: HttpRequest): Promise<HttpResponse>;
  /**
   * Sends a request and hands out the body as it comes. `idleMs` ends a silent stream with `http.idle`; 0 never does. The
   * body fails with `AppError`s, and destroying it ends the call.
   */
  stream(request: HttpRequest, idleMs: number): Promise<HttpStream>;
  /** Uses another TLS identity from now on; running calls end on the old one. */
  setTls(tls: TlsIdentity): void;
  close(): Promise<void>;
}

export interface TransportOptions {
  /** `https://host:port`. */
  origin: string;
  tls?: TlsIdentity;
  /** Upper bound of connections; a stuck answer blocks no other call while one is free. */
  connections: number;
  /** Larger answers are refused. */
  maxBodyBytes: number;
  /** An HTTP proxy to reach the origin through, `http://host:port`. */
  proxy?: string;
}

const nothingSent = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ENETUNREACH',
  'EHOSTUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Makes a transport. One a TLS identity; share it. */
export function createTransport(options: TransportOptions): Transport {
  let pool = openPool(options, options.tls);

  async function request(call: HttpRequest): Promise<HttpResponse> {
    const deadline = AbortSignal.timeout(call.timeoutMs);
    const signal = call.signal ? AbortSignal.any([deadline, call.signal]) : deadline;
    try {
      const answer = await pool.request({
        origin: options.origin,
        method: call.method,
        path: call.path,
        headers: call.headers ?? {},
        ...(call.body !== undefined && { body: call.body }),
        signal,
      });
      const chunks: Buffer[] = [];
      let bytes = 0;
      for await (const chunk of answer.body as AsyncIterable<Buffer>) {
        bytes += chunk.length;
        if (bytes > options.maxBodyBytes) throw tooLarge(call, options.maxBodyBytes);
        chunks.push(chunk);
      }
      return { status: answer.statusCode, headers: flatHeaders(answer.headers), body: Buffer.concat(chunks) };
    } catch (error) {
      throw transportError(error, call, options.origin, deadline.aborted);
    }
  }

  async function stream(call: HttpRequest, idleMs: number): Promise<HttpStream> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error('no headers in time')), call.timeoutMs);
    const signal = call.signal ? AbortSignal.any([late.signal, call.signal]) : late.signal;
    try {
      const answer = await pool.request({
        origin: options.origin,
        method: call.method,
        path: call.path,
        headers: call.headers ?? {},
        ...(call.body !== undefined && { body: call.body }),
        bodyTimeout: idleMs,
        signal,
      });
      const body = translateErrors(answer.body, (error) => streamError(error, call, options.origin));
      return { status: answer.statusCode, headers: flatHeaders(answer.headers), body };
    } catch (error) {
      throw transportError(error, call, options.origin, late.signal.aborted);
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    request,
    stream,
    setTls(tls) {
      const old = pool;
      pool = openPool(options, tls);
      // close() waits for running calls; a watch may hold the old pool until it ends.
      old.close().catch(() => {});
    },
    close: () => pool.destroy(),
  };
}

function openPool(options: TransportOptions, tls: TlsIdentity | undefined): Dispatcher {
  const identity = {
    ...(tls?.ca !== undefined && { ca: tls.ca }),
    ...(tls?.cert !== undefined && { cert: tls.cert }),
    ...(tls?.key !== undefined && { key: tls.key }),
    ...(tls?.servername !== undefined && { servername: tls.servername }),
    ...(tls?.insecure === true && { rejectUnauthorized: false }),
  };
  const connect = { timeout: 10_000, keepAlive: true, keepAliveInitialDelay: 30_000 };
  const limits = {
    connections: options.connections,
    pipelining: 1,
    allowH2: false,
    keepAliveTimeout: 60_000,
    keepAliveMaxTimeout: 600_000,
    headersTimeout: 0,
    bodyTimeout: 0,
  };
  if (options.proxy !== undefined) {
    return new ProxyAgent({ ...limits, uri: options.proxy, connect, requestTls: { ...connect, ...identity } });
  }
  return new Pool(options.origin, { ...limits, connect: { ...connect, ...identity } });
}

/** Passes a body on with its errors made ours; ending either end ends the other. */
function translateErrors(body: Readable, toError: (error: Error) => AppError): Readable {
  const translated = new PassThrough();
  body.on('error', (error) => translated.destroy(toError(error)));
  translated.on('close', () => body.destroy());
  return body.pipe(translated);
}

function streamError(error: Error, call: HttpRequest, origin: string): AppError {
  if (errorCode(error) !== 'UND_ERR_BODY_TIMEOUT') return transportError(error, call, origin, false);
  return new AppError({
    kind: 'retryable',
    code: 'http.idle',
    message: `${call.attempt}: ${origin} sent nothing for too long`,
    effect: 'unknown',
    cause: error,
  });
}

function flatHeaders(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const flat: Record<string, string> = {};
  for (const [name, value] of Object.entries(headers)) {
    if (value !== undefined) flat[name] = Array.isArray(value) ? value.join(', ') : value;
  }
  return flat;
}

function tooLarge(call: HttpRequest, limit: number): AppError {
  return new AppError({
    kind: 'invalid',
    code: 'http.too-large',
    message: `${call.attempt}: the answer is larger than ${limit} bytes`,
    effect: 'unknown',
  });
}

function transportError(error: unknown, call: HttpRequest, origin: string, timedOut: boolean): AppError {
  if (error instanceof AppError) return error;
  const code = errorCode(error);
  const reason = error instanceof Error ? error.message || code : String(error);
  if (timedOut) {
    return new AppError({
      kind: 'retryable',
      code: 'http.timeout',
      message: `${call.attempt}: no answer from ${origin} within ${call.timeoutMs} ms`,
      effect: 'unknown',
      cause: error,
    });
  }
  if (nothingSent.has(code)) {
    return new AppError({
      kind: 'retryable',
      code: 'http.unreachable',
      message: `${call.attempt}: cannot connect to ${origin}: ${reason}`,
      effect: 'none',
      cause: error,
    });
  }
  return new AppError({
    kind: 'retryable',
    code: call.signal?.aborted ? 'http.aborted' : 'http.no-answer',
    message: `${call.attempt}: the connection to ${origin} broke: ${reason}`,
    effect: 'unknown',
    cause: error,
  });
}

function errorCode(error: unknown): string {
  if (typeof error !== 'object' || error === null) return '';
  if ('code' in error && typeof error.code === 'string') return error.code;
  if (error instanceof AggregateError) return errorCode(error.errors[0]);
  return 'cause' in error ? errorCode(error.cause) : '';
}
