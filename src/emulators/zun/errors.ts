import { randomUUID } from 'node:crypto';
import type { Answer } from '../service.ts';

/**
 * An error that Zun answers in its errors array (docs/zun.md §1.5). `code` is the part after `container.`; errors with a
 * status of 500 and above lose code and text on the way out.
 */
export class ZunError extends Error {
  readonly status: number;
  readonly code: string;
  readonly detail: string | undefined;

  constructor(status: number, code: string, message: string, detail?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.detail = detail;
  }
}

/** An exception that nothing in Zun catches: the WSGI server answers 500 with neither body nor headers (docs/zun.md §1.4). */
export class BareError extends Error {}

/** Makes the error for something that was not found; capsules call themselves containers here, too. */
export function notFound(name: string): ZunError {
  return new ZunError(404, 'container-not-found', `Container ${name} could not be found.`);
}

/** Makes the error for a policy that says no. */
export function forbidden(rule: string): ZunError {
  return new ZunError(403, 'policy-not-authorized', `Policy doesn't allow ${rule} to be performed.`);
}

/** Makes a failure inside Zun, whose text the caller never sees. */
export function internal(message: string): ZunError {
  return new ZunError(500, '', message);
}

const titles: Record<number, string> = {
  400: 'Bad Request',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  406: 'Not Acceptable',
  409: 'Conflict',
  415: 'Unsupported Media Type',
  429: 'Too Many Requests',
  500: 'Internal Server Error',
  503: 'Service Unavailable',
};

/** Builds the errors array. */
export function errorAnswer(status: number, code: string, title: string, detail: string | null): Answer {
  return {
    status,
    json: { errors: [{ request_id: '', code: `container.${code}`, status, title, detail, links: [] }] },
  };
}

/** Turns whatever a handler threw into an answer. */
export function answerForError(thrown: unknown): Answer {
  if (thrown instanceof BareError) return { status: 500, text: '', headers: { 'content-type': 'text/plain' } };
  if (thrown instanceof ZunError && thrown.status < 500) {
    return errorAnswer(thrown.status, thrown.code, thrown.message, thrown.detail ?? thrown.message);
  }
  const status = thrown instanceof ZunError ? thrown.status : 500;
  const detail = `Your request could not be handled because of a problem in the server. Error Correlation id is: ${randomUUID()}`;
  return errorAnswer(status, '', titles[status] ?? 'Internal Server Error', detail);
}

/** What pecan answers before any controller is reached: no code, and a title only where the caller takes JSON. */
export function routerAnswer(status: number, accept: string | undefined, detail: string | null = ''): Answer {
  const titled = accept?.includes('application/json') ?? false;
  return errorAnswer(status, '', titled ? (titles[status] ?? '') : '', titled ? detail : '');
}

/** What keystonemiddleware answers without a good token (docs/zun.md §1.5). */
export function unauthorizedAnswer(keystoneUrl: string): Answer {
  const message = 'The request you have made requires authentication.';
  return {
    status: 401,
    json: { error: { code: 401, title: 'Unauthorized', message } },
    headers: { 'www-authenticate': `Keystone uri="${keystoneUrl}"` },
  };
}

/** What keystonemiddleware answers while Keystone is out of reach. */
export function keystoneDownAnswer(): Answer {
  return {
    status: 503,
    json: {
      message: 'The Keystone service is temporarily unavailable.\n\n',
      code: '503 Service Unavailable',
      title: 'Service Unavailable',
    },
  };
}
