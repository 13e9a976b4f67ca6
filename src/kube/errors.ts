import { AppError, type AppErrorInit } from '../base/errors.ts';
import type { HttpResponse } from '../http/transport.ts';
import type { KubeStatus } from './types.ts';

const messageLimit = 300;

type Verdict = Pick<AppErrorInit, 'kind' | 'code'>;

const byStatus: Record<number, Verdict> = {
  400: { kind: 'invalid', code: 'kube.bad-request' },
  401: { kind: 'unauthorized', code: 'kube.unauthorized' },
  403: { kind: 'forbidden', code: 'kube.forbidden' },
  404: { kind: 'not-found', code: 'kube.not-found' },
  405: { kind: 'unsupported', code: 'kube.method-not-allowed' },
  406: { kind: 'unsupported', code: 'kube.not-acceptable' },
  408: { kind: 'retryable', code: 'kube.timeout' },
  409: { kind: 'conflict', code: 'kube.conflict' },
  410: { kind: 'invalid', code: 'kube.expired' },
  413: { kind: 'invalid', code: 'kube.too-large' },
  415: { kind: 'unsupported', code: 'kube.media-type' },
  422: { kind: 'invalid', code: 'kube.invalid' },
  429: { kind: 'retryable', code: 'kube.too-many-requests' },
  504: { kind: 'retryable', code: 'kube.timeout' },
};

/**
 * Makes the error of an answer that is not a success. The effect is `none` when the server refused the call and `unknown`
 * for 5xx, where it may have done it.
 * Source: apimachinery/pkg/api/errors (reasons), apimachinery/pkg/apis/meta/v1 (Status).
 */
export function kubeError(answer: HttpResponse, attempt: string): AppError {
  const status = parseStatus(answer.body);
  const verdict = judge(answer.status, status);
  const retryAfterMs = retryAfter(answer, status);
  return new AppError({
    ...verdict,
    message: `${attempt}: the API server answered ${answer.status}${summary(status)}`,
    effect: answer.status >= 500 ? 'unknown' : 'none',
    status: answer.status,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  });
}

/** Tells whether a list or watch position is too old, in either form that the API server uses for it. */
function isExpired(code: number | undefined, reason: string | undefined): boolean {
  return code === 410 || reason === 'Expired' || reason === 'Gone';
}

/** Makes the error of the Status object that a watch sends in an ERROR event. */
export function watchError(status: KubeStatus, attempt: string): AppError {
  const code = status.code ?? 500;
  const answer = { status: code, headers: {}, body: Buffer.from(JSON.stringify(status)) };
  return kubeError(answer, attempt);
}

/** Makes the error of an answer that is not the JSON it should be. */
export function garbageError(attempt: string, cause: unknown): AppError {
  return new AppError({
    kind: 'retryable',
    code: 'kube.garbage',
    message: `${attempt}: the API server's answer is not valid JSON`,
    effect: 'unknown',
    cause,
  });
}

function judge(code: number, status: KubeStatus | undefined): Verdict {
  if (isExpired(code, status?.reason)) return { kind: 'invalid', code: 'kube.expired' };
  if (status?.reason === 'AlreadyExists') return { kind: 'conflict', code: 'kube.already-exists' };
  if (hasCause(status, 'NamespaceTerminating')) return { kind: 'forbidden', code: 'kube.namespace-terminating' };
  if (code === 403 && status?.message?.includes('exceeded quota')) return { kind: 'quota', code: 'kube.quota' };
  // The UID in a patch is how we say which object is meant; the API server calls another one there an invalid change.
  const otherUid = code === 422 && status?.details?.causes?.some(({ field }) => field === 'metadata.uid');
  if (otherUid) return { kind: 'conflict', code: 'kube.other-uid' };
  // The API server says of every missing object that it is one; a bare 404 comes from a proxy or a wrong path.
  if (code === 404 && !status) return { kind: 'retryable', code: 'kube.no-route' };
  const known = byStatus[code];
  if (known) return known;
  if (code >= 500) return { kind: 'retryable', code: 'kube.server-error' };
  return { kind: 'invalid', code: 'kube.unexpected-answer' };
}

function hasCause(status: KubeStatus | undefined, reason: string): boolean {
  return status?.details?.causes?.some((cause) => cause.reason === reason) ?? false;
}

function parseStatus(body: Buffer): KubeStatus | undefined {
  try {
    const parsed: unknown = JSON.parse(body.toString('utf8'));
    if (typeof parsed !== 'object' || parsed === null || !('kind' in parsed) || parsed.kind !== 'Status')
      return undefined;
    // The kind says what it is; every other field of KubeStatus is optional.
    return parsed as KubeStatus;
  } catch {
    // A proxy in between may answer with HTML: then the HTTP status alone has to do.
    return undefined;
  }
}

function retryAfter(answer: HttpResponse, status: KubeStatus | undefined): number | undefined {
  const header = answer.headers['retry-after'];
  const seconds = header === undefined ? status?.details?.retryAfterSeconds : Number(header);
  if (seconds === undefined || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.min(seconds, 3600) * 1000;
}

/** Invalid values are named by field only, because messages of the API server quote them. */
function summary(status: KubeStatus | undefined): string {
  if (!status) return '';
  const fields =
    status.details?.causes?.flatMap((cause) =>
      cause.field ? [`${cause.field} (${cause.reason ?? 'invalid'})`] : [],
    ) ?? [];
  const text =
    status.reason === 'Invalid' && fields.length > 0 ? `fields ${fields.join(', ')}` : (status.message ?? '');
  const cut = text.length > messageLimit ? `${text.slice(0, messageLimit)}…` : text;
  return `${status.reason ? ` ${status.reason}` : ''}${cut ? `: ${cut}` : ''}`;
}
