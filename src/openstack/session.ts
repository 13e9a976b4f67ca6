import { randomUUID } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { createRateLimiter } from '../http/rate-limiter.ts';
import { createTransport, type HttpRequest, type HttpResponse, type Transport } from '../http/transport.ts';
import { abortable } from './abort.ts';
import { findEndpoint } from './catalog.ts';
import type { Cloud } from './cloud-config.ts';
import { answerError, withEffect } from './errors.ts';
import { createKeystone, type Keystone } from './keystone.ts';
import type { Token } from './login.ts';

/** The services that zunlet talks to, by the name used in messages, codes and metrics. */
type ServiceName = 'zun' | 'cinder' | 'neutron';

/** Every name under which a catalog may list a service, the official one first. Source: service-types-authority. */
const serviceTypes: Record<ServiceName, readonly string[]> = {
  zun: ['application-container', 'container'],
  cinder: ['block-storage', 'volumev3', 'block-store', 'volume'],
  neutron: ['network'],
};

/** The version that a service's base URL must end in. */
const versionPath: Record<ServiceName, RegExp> = { zun: /\/v1$/, cinder: /\/v3(\/[^/]+)?$/, neutron: /\/v2\.0$/ };
const versionSuffix: Record<ServiceName, string> = { zun: '/v1', cinder: '/v3', neutron: '/v2.0' };

/** One call on a service. */
export interface ServiceCall {
  service: ServiceName;
  /** A short constant name for metrics: `capsules.create`. */
  operation: string;
  /** What is attempted, for messages: `creating capsule web-0`. */
  attempt: string;
  method: HttpRequest['method'];
  /** Below the service's base URL, beginning with `/`; already encoded. */
  path: string;
  query?: Record<string, string | number | boolean | undefined>;
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
  /** Default 30 s. */
  timeoutMs?: number;
  signal?: AbortSignal | undefined;
}

/** A successful answer. */
export interface ServiceAnswer extends HttpResponse {
  requestId: string | undefined;
}

/** What `onCall` hears after each HTTP request. */
export interface CallReport {
  service: ServiceName | 'keystone';
  operation: string;
  /** The HTTP status, or the error's code where no answer came. */
  code: string;
  durationMs: number;
  /** The service's request id, for its operator. */
  requestId: string | undefined;
}

/** Authorised requests to the services of one cloud. */
export interface Session {
  /**
   * Sends a call with a valid token; logs in again and repeats it once when the service refuses the token (a refused
   * call did nothing). Nothing else is ever repeated. Statuses from 300 on are thrown as `AppError`.
   * Errors: those of Keystone and of the transport, and one by status; `effect` is `none` for reads and for whatever
   * was not sent.
   */
  call(call: ServiceCall): Promise<ServiceAnswer>;
  /** Sends a GET without a token to a path of a service's origin, for version documents. Any status is an answer. */
  probe(service: ServiceName, url: string, attempt: string, signal?: AbortSignal): Promise<HttpResponse>;
  /** The base URL of a service, version included. Errors: as `call`, before anything is sent. */
  endpoint(service: ServiceName, signal?: AbortSignal): Promise<string>;
  token(signal?: AbortSignal): Promise<Token>;
  readonly keystone: Keystone;
  readonly clock: Clock;
  close(): Promise<void>;
}

export interface SessionOptions {
  cloud: Cloud;
  /** Reads the cloud's credentials anew when Keystone refuses them: a mounted secret may have been rotated. */
  reload?: () => Promise<Cloud>;
  clock: Clock;
  log: Log;
  /** `zunlet/0.1.0`. */
  userAgent: string;
  /** Connections to each service. Default 16. */
  connections?: number;
  /** Calls a second to all services together, and how many at once beyond that; 0 switches the limit off. Default 0. */
  callsPerSecond?: number;
  burst?: number;
  /** Largest answer, in bytes. Default 64 MiB: a page of 1,000 capsules is about 2 MiB. */
  maxBodyBytes?: number;
  onCall?: (report: CallReport) => void;
}

/** Makes a session. Nothing is sent before the first call. */
export function createSession(options: SessionOptions): Session {
  const { cloud, clock } = options;
  const transports = createTransports(options);
  const send = createSender(options, transports.to);
  const { reload } = options;
  const keystone = createKeystone({
    auth: cloud.auth,
    ...(reload && { reload: async () => (await reload()).auth }),
    transport: (origin) => loginTransport(transports.to(origin), options),
    clock,
    log: options.log,
    userAgent: options.userAgent,
  });

  async function attempt(asked: ServiceCall) {
    const { token, base } = await prepare(asked.service, asked.signal);
    try {
      const answer = await send(callUrl(base, asked), callRequest(asked, token, options.userAgent), asked);
      return { answer, token };
    } catch (error) {
      throw asked.method === 'GET' ? withEffect(toAppError(error), 'none') : error;
    }
  }

  /** What fails here was never sent: no effect, whatever became of the login. */
  async function prepare(service: ServiceName, signal: AbortSignal | undefined) {
    try {
      const token = await keystone.token(signal);
      try {
        return { token, base: baseUrl(service, token, cloud) };
      } catch (error) {
        // The catalog comes with the token: another one shows whether an operator has mended it.
        if (clock.monotonic() - token.receivedAt > 60_000) keystone.refuse(token.id);
        throw error;
      }
    } catch (error) {
      throw withEffect(toAppError(error), 'none');
    }
  }

  return {
    keystone,
    clock,
    token: (signal) => keystone.token(signal),
    endpoint: async (service, signal) => (await prepare(service, signal)).base,
    close: transports.close,
    async call(asked) {
      let { answer, token } = await attempt(asked);
      if (answer.status === 401) {
        // keystonemiddleware refuses a token before the service sees the call: it may be sent again.
        keystone.refuse(token.id);
        ({ answer, token } = await attempt(asked));
      }
      if (answer.status >= 200 && answer.status < 300) {
        return { ...answer, requestId: answer.headers['x-openstack-request-id'] };
      }
      if (answer.status === 401) keystone.refuse(token.id);
      const { service, attempt: what, method } = asked;
      throw answerError({ service, attempt: what, method, nowMs: clock.now(), ...answer });
    },
    async probe(service, url, what, signal) {
      const headers = { accept: 'application/json', 'user-agent': options.userAgent };
      const request = { method: 'GET' as const, headers, timeoutMs: 15_000, attempt: what, ...(signal && { signal }) };
      try {
        return await send(new URL(url), request, { service, operation: 'versions' });
      } catch (error) {
        throw withEffect(toAppError(error), 'none');
      }
    },
  };
}

/** One transport an origin. */
function createTransports({ cloud, connections, maxBodyBytes }: SessionOptions) {
  const transports = new Map<string, Transport>();
  return {
    to(origin: string): Transport {
      let found = transports.get(origin);
      if (!found) {
        found = createTransport({
          origin,
          tls: cloud.tls,
          connections: connections ?? 16,
          maxBodyBytes: maxBodyBytes ?? 64 * 1024 * 1024,
        });
        transports.set(origin, found);
      }
      return found;
    },
    async close() {
      await Promise.all([...transports.values()].map((each) => each.close()));
    },
  };
}

/** Sends one request and reports it. */
async function timed(
  { clock, onCall }: SessionOptions,
  labels: Pick<CallReport, 'service' | 'operation'>,
  send: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const started = clock.monotonic();
  const report = (code: string, requestId?: string) =>
    onCall?.({ ...labels, code, durationMs: clock.monotonic() - started, requestId });
  try {
    const answer = await send();
    report(String(answer.status), answer.headers['x-openstack-request-id']);
    return answer;
  } catch (error) {
    report(error instanceof AppError ? error.code : 'bug');
    throw error;
  }
}

/** A transport whose requests are logins. */
function loginTransport(transport: Transport, options: SessionOptions): Transport {
  const labels = { service: 'keystone', operation: 'login' } as const;
  return { ...transport, request: (request) => timed(options, labels, () => transport.request(request)) };
}

/** Sends within the rate limit. */
function createSender(options: SessionOptions, transportTo: (origin: string) => Transport) {
  const limiter = createRateLimiter(options.callsPerSecond ?? 0, options.burst ?? 20, options.clock);
  return async (
    url: URL,
    request: Omit<HttpRequest, 'path'>,
    { service, operation }: Pick<ServiceCall, 'service' | 'operation'>,
  ) => {
    await abortable(limiter.take(), request.signal, request.attempt);
    const path = `${url.pathname}${url.search}`;
    return await timed(options, { service, operation }, () => transportTo(url.origin).request({ ...request, path }));
  };
}

function callUrl(base: string, { path, query }: ServiceCall): URL {
  const url = new URL(`${base}${path}`);
  for (const [name, value] of Object.entries(query ?? {})) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  return url;
}

function callRequest(asked: ServiceCall, token: Token, userAgent: string): Omit<HttpRequest, 'path'> {
  return {
    method: asked.method,
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      'x-auth-token': token.id,
      'x-openstack-request-id': `req-${randomUUID()}`,
      ...(asked.body !== undefined && { 'content-type': 'application/json' }),
      ...asked.headers,
    },
    ...(asked.body !== undefined && { body: JSON.stringify(asked.body) }),
    timeoutMs: asked.timeoutMs ?? 30_000,
    ...(asked.signal && { signal: asked.signal }),
    attempt: asked.attempt,
  };
}

function baseUrl(service: ServiceName, token: Token, cloud: Cloud): string {
  const url = findEndpoint(token, {
    types: serviceTypes[service],
    interface: cloud.interface,
    overrides: cloud.endpointOverrides,
    ...(cloud.region !== undefined && { region: cloud.region }),
  });
  const versioned = versionPath[service].test(url) ? url : `${url}${versionSuffix[service]}`;
  // Older Cinders want the project in the path; every Cinder takes it there.
  return service === 'cinder' && /\/v3$/.test(versioned) ? `${versioned}/${token.projectId}` : versioned;
}
