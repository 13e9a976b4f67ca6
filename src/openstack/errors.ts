import { AppError, type Effect, type ErrorKind } from '../base/errors.ts';

/** An answer that was no success, and what it was the answer to. */
export interface FailedAnswer {
  /** Lower-case name for messages and codes: `zun`, `keystone`, `cinder`, `neutron`. */
  service: string;
  /** What was attempted: `creating capsule for pod web/api-0`. */
  attempt: string;
  method: string;
  status: number;
  headers: Record<string, string>;
  body: Buffer;
  /** Wall time, for a `Retry-After` that is a date. */
  nowMs: number;
}

/** What a service says about a failure, whichever envelope it uses. */
interface ErrorText {
  /** The service's own word for it: `container.over-quota`, `OverQuota`; empty where there is none. */
  code: string;
  /** One line, cut, without the values that were sent. */
  text: string;
  /** False when the body is not one of the envelopes: then a proxy or a web server speaks, not the service. */
  fromService: boolean;
}

const maxTextLength = 300;

/**
 * Turns an error answer into an `AppError`. Kinds by status, quota by the service's words. A write that ended in 5xx, and
 * a create that ended in 409, may have left something behind: effect unknown.
 * Source: zun/api/http_error.py, zun/api/controllers/v1/capsules.py (the row is made before most checks).
 */
export function answerError(answer: FailedAnswer): AppError {
  const said = errorText(answer.body);
  const kind = errorKind(answer.status, said);
  const text = said.text || statusText(answer.status);
  const retryAfterMs = parseRetryAfter(answer.headers['retry-after'], answer.nowMs);
  return new AppError({
    kind,
    code: `${answer.service}.${errorCode(answer.service, kind, answer.status, said)}`,
    message: `${answer.attempt}: ${answer.service} answered ${answer.status}: ${text}`,
    effect: answerEffect(answer.method, answer.status),
    status: answer.status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    cause: { requestId: answer.headers['x-openstack-request-id'], correlationId: correlationId(answer.body) },
  });
}

/** Copies an error with another effect: a failed login, for example, says that the call behind it was never sent. */
export function withEffect(error: AppError, effect: Effect): AppError {
  return error.effect === effect ? error : copyError(error, { effect });
}

/** Copies an error with some properties changed. */
export function copyError(
  error: AppError,
  change: { kind?: ErrorKind; code?: string; effect?: Effect; message?: string },
): AppError {
  return new AppError({
    kind: change.kind ?? error.kind,
    code: change.code ?? error.code,
    message: change.message ?? error.message,
    effect: change.effect ?? error.effect,
    cause: error.cause ?? error,
    ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
    ...(error.status !== undefined && { status: error.status }),
  });
}

function answerEffect(method: string, status: number): Effect {
  if (method === 'GET' || method === 'HEAD') return 'none';
  return status >= 500 || (status === 409 && method === 'POST') || status < 300 ? 'unknown' : 'none';
}

function errorKind(status: number, said: ErrorText): ErrorKind {
  const quota = /quota/i.test(`${said.code} ${said.text}`) || /over-?limit/i.test(said.code);
  if (quota && (status === 403 || status === 409 || status === 413)) return 'quota';
  switch (status) {
    case 401:
      return 'unauthorized';
    case 403:
      return 'forbidden';
    case 404:
    case 410:
      return 'not-found';
    case 405:
    case 406:
    case 501:
      return 'unsupported';
    case 409:
    case 412:
      return 'conflict';
    case 408:
    case 425:
    case 429:
      return 'retryable';
    default:
      // A redirect is a proxy's or a wrong endpoint's doing: nothing that the sender of this request could mend.
      return status >= 500 || status < 400 ? 'retryable' : 'invalid';
  }
}

function errorCode(service: string, kind: ErrorKind, status: number, said: ErrorText): string {
  switch (kind) {
    case 'quota':
      return 'quota-exceeded';
    case 'unauthorized':
    case 'forbidden':
      return kind;
    case 'not-found':
      // A router, a proxy or another service at a wrong endpoint says 404, too, but names no object.
      return service === 'zun' && !/not-?found/.test(said.code) ? 'no-route' : 'not-found';
    default: {
      const own = said.code.replace(/^container\./, '').replace(/-remote$/, '');
      if (/^[a-z][a-z-]{2,60}$/.test(own)) return own;
      return status === 500 && said.fromService ? 'internal-error' : `http-${status}`;
    }
  }
}

/** Reads Zun's, keystonemiddleware's, Keystone's, Cinder's and Neutron's envelopes, or makes one line of anything else. */
export function errorText(body: Buffer): ErrorText {
  const raw = body.toString('utf8', 0, Math.min(body.length, 1024 * 1024));
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return { code: '', text: plainText(raw), fromService: false };
  }
  const envelope = findEnvelope(json);
  return envelope
    ? { code: envelope.code, text: oneLine(envelope.text), fromService: true }
    : { code: '', text: '', fromService: false };
}

function findEnvelope(json: unknown): { code: string; text: string } | undefined {
  if (!isObject(json)) return undefined;
  const list = json['errors'];
  if (Array.isArray(list)) {
    const first: unknown = list[0];
    if (!isObject(first)) return { code: '', text: '' };
    // A failure in zun-compute carries a Python traceback in `detail`; `title` is the message alone.
    const detail = str(first['detail']);
    return { code: str(first['code']), text: detail && !/\nTraceback /.test(detail) ? detail : str(first['title']) };
  }
  const neutron = json['NeutronError'];
  if (isObject(neutron)) return { code: str(neutron['type']), text: str(neutron['message']) };
  for (const [name, value] of Object.entries(json)) {
    // `error` (Keystone), and Cinder's one key that names the fault: `badRequest`, `itemNotFound`, `overLimit`.
    if (isObject(value) && typeof value['message'] === 'string')
      return { code: name === 'error' ? '' : name, text: value['message'] };
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function str(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** An HTML page or plain text from something in front of the service. */
function plainText(raw: string): string {
  const title = /<title>([^<]{1,200})<\/title>/i.exec(raw)?.[1];
  return oneLine(
    title ??
      raw
        .slice(0, 4000)
        .replaceAll(/<(style|script)[\s\S]*?<\/\1>/gi, ' ')
        .replaceAll(/<[^>]*>/g, ' '),
  );
}

function oneLine(text: string): string {
  const schema = schemaText(text);
  const line = (schema ?? text.split('\n', 1)[0] ?? '')
    .replace(/\s*Error Correlation id is: \S+/, '')
    .replaceAll(/[\s\p{Cc}]+/gu, ' ')
    .trim();
  return line.length > maxTextLength ? `${line.slice(0, maxTextLength)}…` : line;
}

/**
 * Zun's schema errors quote the value that was refused, a whole container with its environment for example. Only the
 * field's path and the rule's own words are kept. Source: zun/api/validation/validators.py.
 */
function schemaText(text: string): string | undefined {
  const field = /^Invalid input for field '([^']{0,200})'\.\s?Value:/.exec(text)?.[1];
  if (field === undefined) return undefined;
  const first = text.split('\n\nFailed validating', 1)[0] ?? '';
  const rule = ruleText(first);
  const parent = /\n\nOn instance((?:\['[^'\]]{1,200}'\]|\[\d{1,6}\])*):/.exec(text)?.[1] ?? '';
  const path = `${parent}${/^\d+$/.test(field) ? `[${field}]` : `['${field}']`}`
    .replaceAll(/\['([^']*)'\]/g, '.$1')
    .replace(/^\./, '');
  return `invalid input at ${path}: ${rule ?? 'the value is not accepted'}`;
}

const rules = [
  /(Additional properties are not allowed \((?:'[\w.-]{1,100}'(?:, )?)+ (?:was|were) unexpected\))$/,
  /('[\w.-]{1,100}' is a required property)$/,
  /(is not of type '[\w', ]{1,60}'?)$/,
  /(is too (?:short|long))$/,
  /(is (?:greater|less) than the (?:maximum|minimum) of [\d.]{1,20})$/,
  /(does not match '[^']{1,100}')$/,
  /(is not one of \[[^[\]]{1,200}\])$/,
];

function ruleText(first: string): string | undefined {
  const tail = first.slice(-400);
  for (const rule of rules) {
    const words = rule.exec(tail)?.[1];
    if (words) return words;
  }
  return undefined;
}

function correlationId(body: Buffer): string | undefined {
  return /Error Correlation id is: ([0-9a-f-]{36})/.exec(body.toString('latin1', 0, Math.min(body.length, 4096)))?.[1];
}

function statusText(status: number): string {
  if (status >= 500) return 'no explanation';
  return status < 400 ? 'an unexpected redirect or status; is this the right endpoint' : 'no explanation';
}

/** Reads `Retry-After` in seconds or as a date; undefined when absent or nonsense. At most an hour. */
export function parseRetryAfter(value: string | undefined, nowMs: number): number | undefined {
  if (!value) return undefined;
  const ms = /^\d{1,9}$/.test(value) ? Number(value) * 1000 : Date.parse(value) - nowMs;
  return Number.isFinite(ms) && ms >= 0 ? Math.min(ms, 3_600_000) : undefined;
}
