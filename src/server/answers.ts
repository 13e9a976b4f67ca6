import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { toAppError } from '../base/errors.ts';
import type { Refusal } from './log-options.ts';

/**
 * Makes an answer of an error. Refusals of OpenStack are not the caller's, so 401 and 403 become 500: the API server would
 * take them for its own.
 */
export function errorAnswer(thrown: unknown): Refusal {
  const error = toAppError(thrown);
  const text = error.message;
  switch (error.kind) {
    case 'not-found':
      return { status: 404, text };
    case 'invalid':
      return { status: 400, text };
    case 'unsupported':
      return { status: 501, text };
    case 'conflict':
      return { status: 409, text };
    case 'retryable':
    case 'unauthorized':
    case 'forbidden':
    case 'quota':
      return { status: 500, text };
    case 'bug':
      return { status: 500, text: 'internal error' };
    default:
      return error.kind satisfies never;
  }
}

/** Sends a text, or cuts the connection when the answer has begun. */
export function sendText(response: ServerResponse, answer: Refusal, headers: Record<string, string> = {}): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  response.writeHead(answer.status, { ...textHeaders(answer.text), ...headers });
  response.end(answer.text);
}

function textHeaders(text: string): Record<string, string> {
  return {
    'Content-Type': 'text/plain; charset=utf-8',
    'Content-Length': String(Buffer.byteLength(text)),
    'X-Content-Type-Options': 'nosniff',
  };
}

const reasons: Record<number, string> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
};

/** Refuses an upgrade: a plain answer on the bare connection, which ends after it. */
export function refuseUpgrade(socket: Duplex, answer: Refusal, headers: Record<string, string[]> = {}): void {
  const lines = [
    `HTTP/1.1 ${answer.status} ${reasons[answer.status] ?? 'Error'}`,
    ...Object.entries(textHeaders(answer.text)).map(([name, value]) => `${name}: ${value}`),
    ...Object.entries(headers).flatMap(([name, values]) => values.map((value) => `${name}: ${value}`)),
    'Connection: close',
  ];
  if (socket.destroyed) return;
  socket.end(`${lines.join('\r\n')}\r\n\r\n${answer.text}`);
}

/** Reads the query of a request as it stands, without the ideas that frameworks have about it. */
export function queryOf(request: IncomingMessage): URLSearchParams {
  const target = request.url ?? '';
  const at = target.indexOf('?');
  return new URLSearchParams(at < 0 ? '' : target.slice(at + 1));
}
