import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Clock } from '../../base/clock.ts';
import { sleep } from '../../base/clock.ts';
import { parseCall, type ResourceCall } from './calls.ts';
import { discovery, openApi } from './discovery.ts';
import { ApiFailure, internalError, methodNotAllowed, pathNotFound } from './failures.ts';
import { type FaultAction, type Faults, type RecordedCall, resourceText } from './faults.ts';
import type { Credentials, Identities } from './identities.ts';
import type { JsonObject } from './objects.ts';
import { type Body, readBody } from './request-body.ts';
import type { User } from './strategy.ts';

/** A request on a resource, read and authenticated. */
export interface ApiRequest {
  call: ResourceCall;
  user: User;
  query: URLSearchParams;
  accept: string;
  body: Body;
  incoming: IncomingMessage;
}

/** An answer that is sent whole. */
export interface Answer {
  status: number;
  body: string | JsonObject;
  contentType?: string;
  headers?: Record<string, string>;
}

/** Answers requests on resources: with an answer, or with `streamed` when it wrote to the response itself. */
export type ResourceHandler = (
  request: ApiRequest,
  response: ServerResponse,
) => Promise<Answer | 'streamed'> | Answer | 'streamed';

export interface ServerParts {
  clock: Clock;
  identities: Identities;
  faults: Faults;
  gitVersion: string;
  handle: ResourceHandler;
  record(call: RecordedCall): void;
}

/** Makes the HTTP part of the API server: paths, identity, faults, counting and errors. */
export function createRequestListener(
  parts: ServerParts,
): (incoming: IncomingMessage, response: ServerResponse) => void {
  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(incoming.url ?? '/', 'http://api');
    const method = incoming.method ?? 'GET';
    const call = parseCall(method, url.pathname, url.searchParams);
    if (!call) {
      // A body that nobody reads would block the connection.
      incoming.resume();
      const user = parts.identities.authenticate(credentialsOf(incoming));
      return send(response, plainPath(url, incoming, user));
    }
    const recorded = recordedCall(call, incoming, parts.clock.now());
    parts.record(recorded);
    const fault = await beforeEffect(recorded, incoming, response);
    if (fault === 'broken') return;
    const user = parts.identities.authenticate(credentialsOf(incoming));
    recorded.user = user.name;
    const body = await readBody(incoming);
    const answer = await parts.handle(
      { call, user, query: url.searchParams, accept: incoming.headers.accept ?? '', body, incoming },
      response,
    );
    if (answer === 'streamed') {
      recorded.status = response.statusCode;
      return;
    }
    if (fault?.kind === 'lose-answer') return void response.destroy();
    if (fault?.kind === 'slow-answer') await sleep(parts.clock, fault.ms);
    recorded.status = answer.status;
    send(response, answer);
  }

  async function beforeEffect(
    recorded: RecordedCall,
    incoming: IncomingMessage,
    response: ServerResponse,
  ): Promise<FaultAction | 'broken' | undefined> {
    const fault = parts.faults.strike({ ...recorded, user: nameOf(incoming, parts.identities) });
    switch (fault?.kind) {
      case 'status':
        recorded.status = fault.status;
        incoming.resume();
        throw scripted(fault);
      case 'refuse':
        response.destroy();
        return 'broken';
      case 'hang':
        incoming.resume();
        return 'broken';
      case 'slow':
        await sleep(parts.clock, fault.ms);
        return fault;
      default:
        return fault;
    }
  }

  function plainPath(url: URL, incoming: IncomingMessage, user: User): Answer {
    const path = url.pathname;
    if (/^\/(healthz|livez|readyz)(\/|$)/.test(path)) return { status: 200, body: 'ok', contentType: 'text/plain' };
    if (incoming.method !== 'GET' && incoming.method !== 'HEAD') throw methodNotAllowed();
    if (path === '/version' || path === '/version/') return { status: 200, body: versionOf(parts.gitVersion) };
    const aggregated = /as=APIGroupDiscoveryList/.test(incoming.headers.accept ?? '');
    const found = discovery(path, aggregated);
    if (found) {
      const contentType =
        aggregated && /^\/apis?\/?$/.test(path)
          ? 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
          : 'application/json';
      return { status: 200, body: found, contentType };
    }
    const schema = openApi(path);
    if (schema) return { status: 200, body: schema };
    if (path === '/metrics' && user.groups.includes('system:masters'))
      return { status: 200, body: '', contentType: 'text/plain' };
    // Under a known group the API answers, elsewhere the plain HTTP server.
    if (
      discovery(
        path
          .split('/')
          .slice(0, path.startsWith('/api/') ? 3 : 4)
          .join('/'),
        false,
      )
    )
      throw pathNotFound();
    return { status: 404, body: '404 page not found\n', contentType: 'text/plain; charset=utf-8' };
  }

  return (incoming, response) => {
    serve(incoming, response).catch((error: unknown) => {
      if (response.headersSent || response.destroyed) return void response.destroy();
      const failure =
        error instanceof ApiFailure
          ? error
          : internalError(error instanceof Error ? (error.stack ?? error.message) : String(error));
      const wait = failure.details?.retryAfterSeconds;
      send(response, {
        status: failure.code,
        body: JSON.stringify(failure.status()),
        ...(wait !== undefined && { headers: { 'retry-after': String(wait) } }),
      });
    });
  };
}

function scripted(fault: Extract<FaultAction, { kind: 'status' }>): ApiFailure {
  const wait = fault.retryAfterSeconds;
  const reasons: Record<number, string> = {
    401: 'Unauthorized',
    403: 'Forbidden',
    404: 'NotFound',
    409: 'Conflict',
    410: 'Expired',
    422: 'Invalid',
    429: 'TooManyRequests',
    500: 'InternalError',
    503: 'ServiceUnavailable',
    504: 'Timeout',
  };
  const reason = fault.reason ?? reasons[fault.status] ?? '';
  return new ApiFailure(
    fault.status,
    reason,
    fault.message ?? `scripted failure ${fault.status}`,
    wait === undefined ? undefined : { retryAfterSeconds: wait },
  );
}

function recordedCall(call: ResourceCall, incoming: IncomingMessage, at: number): RecordedCall {
  return {
    verb: call.verb,
    resource: resourceText(call),
    namespace: call.namespace,
    name: call.name,
    user: '',
    userAgent: incoming.headers['user-agent'] ?? '',
    at,
    status: 0,
  };
}

function nameOf(incoming: IncomingMessage, identities: Identities): string {
  try {
    return identities.authenticate(credentialsOf(incoming)).name;
  } catch {
    return '';
  }
}

/** Reads what a request shows of itself. */
export function credentialsOf(incoming: IncomingMessage): Credentials {
  const { socket } = incoming;
  const certificate = 'getPeerCertificate' in socket ? peerOf(socket as TLSSocket) : undefined;
  return { authorization: incoming.headers.authorization, certificate };
}

function peerOf(socket: TLSSocket): Credentials['certificate'] {
  if (!socket.authorized) return undefined;
  const { subject } = socket.getPeerCertificate();
  if (!subject?.CN) return undefined;
  // The type says one text; a subject with several organizations has a list, one with none has nothing.
  const organizations: unknown = subject.O ?? [];
  return { commonName: String(subject.CN), organizations: [organizations].flat().map(String) };
}

function versionOf(gitVersion: string): JsonObject {
  const [major = '1', minor = '0'] = gitVersion.replace(/^v/, '').split('.');
  return {
    major,
    minor,
    gitVersion,
    gitCommit: '0000000000000000000000000000000000000000',
    gitTreeState: 'clean',
    buildDate: '2026-01-01T00:00:00Z',
    goVersion: 'none',
    compiler: 'none',
    platform: 'linux/amd64',
  };
}

function send(response: ServerResponse, answer: Answer): void {
  const body = typeof answer.body === 'string' ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, {
    'content-type': answer.contentType ?? 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-cache, private',
    ...answer.headers,
  });
  response.end(body);
}
