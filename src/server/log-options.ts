/** What a client wants of a container's log. */
export interface LogOptions {
  follow: boolean;
  previous: boolean;
  timestamps: boolean;
  /** The last this many lines; 0 means none of what is there. */
  tailLines: number | undefined;
  /** At most this many bytes are sent. Range 1 upwards. */
  limitBytes: number | undefined;
  /** Lines of this moment and later, see `timeKey`. */
  since: string | undefined;
  stream: 'All' | 'Stdout' | 'Stderr';
}

/** A request that is answered with an error. The texts are the kubelet's. */
export interface Refusal {
  status: number;
  text: string;
}

const undecodable: Refusal = { status: 400, text: '{"message": "Unable to decode query."}' };
const invalid: Refusal = { status: 422, text: '{"message": "Invalid request."}' };

/**
 * Reads the query of a log request. Source: pkg/kubelet/server/server.go (getContainerLogs), pkg/apis/core/validation
 * (ValidatePodLogOptions).
 */
export function logOptions(query: URLSearchParams, nowMs: number): LogOptions | Refusal {
  const tail = query.get('tail') ?? undefined;
  const tailLines = integer(tail === undefined ? query.get('tailLines') : tail === 'all' ? null : tail);
  const limitBytes = integer(query.get('limitBytes'));
  const sinceSeconds = integer(query.get('sinceSeconds'));
  const sinceTime = query.get('sinceTime') || undefined;
  if (tailLines === 'bad' || limitBytes === 'bad' || sinceSeconds === 'bad') return undecodable;
  const sinceTimeKey = sinceTime === undefined ? undefined : timeKey(sinceTime);
  if (sinceTime !== undefined && sinceTimeKey === undefined) return undecodable;
  const stream = query.get('stream') ?? 'All';
  if (stream !== 'All' && stream !== 'Stdout' && stream !== 'Stderr') return invalid;
  const isInvalid =
    (tailLines !== undefined && tailLines < 0) ||
    (limitBytes !== undefined && limitBytes < 1) ||
    (sinceSeconds !== undefined && (sinceSeconds < 1 || sinceTime !== undefined)) ||
    (stream !== 'All' && tailLines !== undefined);
  if (isInvalid) return invalid;
  return {
    follow: flag(query, 'follow'),
    previous: flag(query, 'previous'),
    timestamps: flag(query, 'timestamps'),
    tailLines,
    limitBytes,
    since: sinceSeconds === undefined ? sinceTimeKey : momentKey(nowMs - sinceSeconds * 1000),
    stream,
  };
}

/** Tells a refusal from what was read. */
export function isRefusal(value: object): value is Refusal {
  return 'status' in value && 'text' in value;
}

/** Reads a boolean as Kubernetes' query decoder does: there and neither `false` nor `0`. */
export function flag(query: URLSearchParams, name: string): boolean {
  const value = query.get(name);
  return value !== null && value.toLowerCase() !== 'false' && value !== '0';
}

function integer(text: string | null): number | undefined | 'bad' {
  if (text === null || text === '') return undefined;
  if (!/^[+-]?\d{1,19}$/.test(text)) return 'bad';
  return Math.max(-1, Math.min(Number.MAX_SAFE_INTEGER, Number(text)));
}

const rfc3339 = /^(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Turns an RFC 3339 time into UTC with nine decimals, so that comparing texts compares times; undefined when it is none.
 * Years 0000 to 9999.
 */
export function timeKey(text: string): string | undefined {
  const match = rfc3339.exec(text);
  if (!match) return undefined;
  const [, date = '', time = '', fraction = '', zone = ''] = match;
  if (/^z$/i.test(zone))
    return Number.isNaN(Date.parse(`${date}T${time}Z`)) ? undefined : `${date}T${time}.${fraction.padEnd(9, '0')}Z`;
  const ms = Date.parse(`${date}T${time}${zone}`);
  return Number.isNaN(ms) ? undefined : `${new Date(ms).toISOString().slice(0, 19)}.${fraction.padEnd(9, '0')}Z`;
}

/** The same for a moment in ms since 1970. */
export function momentKey(ms: number): string {
  return `${new Date(Math.max(0, ms)).toISOString().slice(0, 23)}000000Z`;
}
