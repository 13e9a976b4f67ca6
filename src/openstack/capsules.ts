import { type AppError, type Effect, isKind } from '../base/errors.ts';
import { copyError } from './errors.ts';
import { readAllPages } from './paging.ts';
import { checkTemplate } from './template-check.ts';
import type { Capsule } from './types.ts';
import { parseAnswer, uuidPath } from './wire.ts';
import type { Zun } from './zun.ts';
import { capsulePageSchema, capsuleSchema } from './zun-schema.ts';

/** Zun's `/v1/capsules` as it is; the node uses `CapsuleApi` instead. */
export interface Capsules {
  /**
   * Sends a template. Zun schedules before it answers: this may take a minute.
   * Errors: `invalid` (also for a 404 or 409 that Neutron or Cinder caused), `forbidden`, `unauthorized`, `retryable`.
   */
  create(template: object, attempt: string, signal?: AbortSignal): Promise<Capsule>;
  /** Undefined when Zun itself says that there is none. */
  get(uuid: string, signal?: AbortSignal): Promise<Capsule | undefined>;
  /** All pages, oldest first. */
  list(signal?: AbortSignal): Promise<Capsule[]>;
  /** False when it was gone already. */
  delete(uuid: string, signal?: AbortSignal): Promise<boolean>;
}

/** Time limits, ms, and the page size. */
export interface CallLimits {
  createMs: number;
  readMs: number;
  listMs: number;
  deleteMs: number;
  pageSize: number;
}

/** A create schedules, asks Neutron and Cinder; a list costs Zun about 5 ms an object. */
export const defaultLimits: CallLimits = {
  createMs: 120_000,
  readMs: 30_000,
  listMs: 60_000,
  deleteMs: 60_000,
  pageSize: 200,
};

/** Makes the client of `/v1/capsules`. */
export function createCapsules(zun: Zun, limits: CallLimits = defaultLimits): Capsules {
  return {
    async create(template, attempt, signal) {
      checkTemplate(template, attempt);
      const answer = await createCall(() =>
        zun.call({
          operation: 'capsules.create',
          attempt,
          method: 'POST',
          path: '/capsules',
          body: { template },
          timeoutMs: limits.createMs,
          signal,
        }),
      );
      return parseAnswer(capsuleSchema, answer.body, zunSaid(attempt, 'unknown'));
    },
    async get(uuid, signal) {
      const attempt = `reading capsule ${uuid}`;
      const path = `/capsules/${uuidPath(uuid, attempt)}`;
      const answer = await unlessGone(
        zun.call({ operation: 'capsules.get', attempt, method: 'GET', path, timeoutMs: limits.readMs, signal }),
      );
      return answer && parseAnswer(capsuleSchema, answer.body, zunSaid(attempt, 'none'));
    },
    list(signal) {
      const attempt = 'listing capsules';
      return readAllPages('zun', attempt, async (marker) => {
        const answer = await listCall(marker, () =>
          zun.call({
            operation: 'capsules.list',
            attempt,
            method: 'GET',
            path: '/capsules',
            query: { limit: limits.pageSize, marker },
            timeoutMs: limits.listMs,
            signal,
          }),
        );
        const page = parseAnswer(capsulePageSchema, answer.body, zunSaid(attempt, 'none'));
        return { items: page.capsules, next: page.next };
      });
    },
    async delete(uuid, signal) {
      const attempt = `deleting capsule ${uuid}`;
      const path = `/capsules/${uuidPath(uuid, attempt)}`;
      const answer = await unlessGone(
        zun.call({ operation: 'capsules.delete', attempt, method: 'DELETE', path, timeoutMs: limits.deleteMs, signal }),
      );
      return answer !== undefined;
    },
  };
}

/** What is known about an answer that cannot be understood. */
export function zunSaid(attempt: string, effect: Effect) {
  return { service: 'zun', attempt, effect };
}

/**
 * A 404 counts as "it is gone" only in Zun's own words: a proxy without a route, or a wrong endpoint, must not make the
 * node believe that every capsule vanished. Errors: `zun.not-zun`.
 */
export async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (!isKind(error, 'not-found')) throw error;
    if (error.code === 'zun.not-found') return undefined;
    throw notZun(error);
  }
}

/**
 * A create that Zun refuses with 404, 405 or 409 names something that the request needs (a volume, a network): the
 * request, or the project, must change. 409 leaves an unnamed row behind.
 */
export async function createCall<T>(send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (isKind(error, 'not-found', 'conflict') && error.status !== undefined)
      throw copyError(error, { kind: 'invalid' });
    throw error;
  }
}

/** A first page is never "not found": that is another service's answer. */
export async function listCall<T>(marker: string | undefined, send: () => Promise<T>): Promise<T> {
  try {
    return await send();
  } catch (error) {
    if (isKind(error, 'not-found') && (marker === undefined || error.code !== 'zun.not-found')) throw notZun(error);
    throw error;
  }
}

function notZun(error: AppError): AppError {
  return copyError(error, {
    kind: 'retryable',
    code: 'zun.not-zun',
    message: `${error.message}; is this Zun? check the catalog or container_endpoint_override`,
  });
}
