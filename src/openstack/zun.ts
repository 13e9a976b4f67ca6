import { z } from 'zod';
import { AppError, toAppError } from '../base/errors.ts';
import type { HttpResponse } from '../http/transport.ts';
import { abortable } from './abort.ts';
import { withEffect } from './errors.ts';
import type { ServiceAnswer, ServiceCall, Session } from './session.ts';
import { parseAnswer } from './wire.ts';

/** A microversion, `[major, minor]`. */
export type Microversion = readonly [number, number];

/** What the cloud's Zun offers and what is used of it. */
export interface ZunVersion {
  minimum: Microversion;
  maximum: Microversion;
  /** The lower of the server's newest and ours. */
  used: Microversion;
}

/** Calls on Zun, each with the negotiated microversion. */
export interface Zun {
  /** As `Session.call`, with the version header. Errors also: `zun.too-old`. */
  call(call: Omit<ServiceCall, 'service'>): Promise<ServiceAnswer>;
  /** Asks Zun once and remembers; asks again after Zun refused the version. */
  version(signal?: AbortSignal): Promise<ZunVersion>;
  readonly session: Session;
}

/** The newest version whose answers were checked, and the first whose capsules have the shape that is read here. */
const newestKnown: Microversion = [1, 40];
const oldestUsable: Microversion = [1, 32];

const versionText = z.string().regex(/^\d{1,4}\.\d{1,4}$/);
const rootSchema = z.looseObject({
  versions: z
    .array(z.looseObject({ id: z.string(), min_version: versionText.optional(), max_version: versionText.optional() }))
    .max(100),
});

/**
 * Makes a Zun client over a session. Zun answers a version beyond its range with a bare 500, therefore the range is read
 * from its root document, or from the headers of `/v1`, before any version is sent. Neither needs a token.
 * Source: etc/zun/api-paste.ini (public routes), zun/api/http_error.py.
 */
export function createZun(session: Session): Zun {
  let negotiated: Promise<ZunVersion> | undefined;

  function version(signal?: AbortSignal): Promise<ZunVersion> {
    negotiated ??= negotiate(session).catch((error: unknown) => {
      negotiated = undefined;
      throw withEffect(toAppError(error), 'none');
    });
    return abortable(negotiated, signal, 'reading the versions of zun');
  }

  return {
    session,
    version,
    async call(call) {
      const { used } = await version(call.signal);
      try {
        const headers = { 'openstack-api-version': `container ${used.join('.')}`, ...call.headers };
        return await session.call({ ...call, service: 'zun', headers });
      } catch (error) {
        // A version that Zun does not know is a 406, or a 500 without Zun's envelope: it may have been replaced by an older one.
        if (error instanceof AppError && (error.status === 406 || error.code === 'zun.http-500'))
          negotiated = undefined;
        throw error;
      }
    },
  };
}

async function negotiate(session: Session): Promise<ZunVersion> {
  const base = await session.endpoint('zun');
  const attempt = `reading the versions of zun at ${base}`;
  const root = `${base.replace(/\/v1$/, '')}/`;
  const answer = await session.probe('zun', root, attempt);
  const range = answer.status === 200 || answer.status === 300 ? rangeOfRoot(answer, attempt) : undefined;
  if (range) return choose(range, base);
  if (answer.status >= 500) throw noVersions(attempt, `answered ${answer.status}`);
  // Some proxies pass on nothing but /v1.
  const v1 = await session.probe('zun', base, attempt);
  const headers = rangeOfHeaders(v1);
  if (headers) return choose(headers, base);
  throw noVersions(
    attempt,
    `answered ${answer.status} at ${root} and ${v1.status} at ${base}: is this Zun? check the catalog or container_endpoint_override`,
  );
}

type Range = Pick<ZunVersion, 'minimum' | 'maximum'>;

function rangeOfRoot(answer: HttpResponse, attempt: string): Range | undefined {
  let root: z.infer<typeof rootSchema>;
  try {
    root = parseAnswer(rootSchema, answer.body, { service: 'zun', attempt, effect: 'none' });
  } catch {
    return undefined; // not Zun's document: /v1 is asked next
  }
  const v1 = root.versions.find((each) => each.id === 'v1');
  return v1?.min_version && v1.max_version
    ? { minimum: microversion(v1.min_version), maximum: microversion(v1.max_version) }
    : undefined;
}

function rangeOfHeaders(answer: HttpResponse): Range | undefined {
  const minimum = /^container (\d{1,4}\.\d{1,4})$/.exec(answer.headers['openstack-api-minimum-version'] ?? '')?.[1];
  const maximum = /^container (\d{1,4}\.\d{1,4})$/.exec(answer.headers['openstack-api-maximum-version'] ?? '')?.[1];
  return minimum && maximum ? { minimum: microversion(minimum), maximum: microversion(maximum) } : undefined;
}

function choose(range: Range, base: string): ZunVersion {
  if (isOlder(range.maximum, oldestUsable)) {
    throw new AppError({
      kind: 'unsupported',
      code: 'zun.too-old',
      message: `using zun at ${base}: it speaks up to ${range.maximum.join('.')}, at least ${oldestUsable.join('.')} is needed (Zun of OpenStack Train or later)`,
    });
  }
  return { ...range, used: isOlder(range.maximum, newestKnown) ? range.maximum : newestKnown };
}

function noVersions(attempt: string, what: string): AppError {
  return new AppError({ kind: 'retryable', code: 'zun.no-versions', message: `${attempt}: it ${what}` });
}

/** Tells whether a version comes before another. */
export function isOlder(a: Microversion, b: Microversion): boolean {
  return a[0] < b[0] || (a[0] === b[0] && a[1] < b[1]);
}

function microversion(text: string): Microversion {
  const [major = '0', minor = '0'] = text.split('.');
  return [Number(major), Number(minor)];
}
