import { z } from 'zod';
import { AppError, isKind } from '../base/errors.ts';
import { nextLink, readAllPages } from './paging.ts';
import type { Session } from './session.ts';
import { parseAnswer, uuidPath } from './wire.ts';

/** A Cinder volume, as far as zunlet looks at it. */
export interface Volume {
  id: string;
  name: string;
  description: string;
  /** `available`, `in-use`, `error`, … */
  status: string;
  sizeGiB: number;
  attached: boolean;
  multiattach: boolean;
  /** ISO 8601, UTC without a zone. */
  createdAt: string;
  metadata: Record<string, string>;
}

/** The calls on Cinder that are needed. */
export interface Cinder {
  /** Undefined when there is none. */
  volume(id: string, signal?: AbortSignal): Promise<Volume | undefined>;
  volumes(signal?: AbortSignal): Promise<Volume[]>;
  /** Gone counts as success. Errors: `invalid` for one that is attached. */
  deleteVolume(id: string, signal?: AbortSignal): Promise<void>;
}

const text = z.string().max(65_536);
const volume = z
  .looseObject({
    id: text,
    name: text.nullish(),
    description: text.nullish(),
    status: text,
    size: z.number(),
    attachments: z.array(z.unknown()).max(1000).nullish(),
    multiattach: z.boolean().nullish(),
    created_at: text.nullish(),
    metadata: z.record(z.string(), text).nullish(),
  })
  .transform(
    (value): Volume => ({
      id: value.id,
      name: value.name ?? '',
      description: value.description ?? '',
      status: value.status,
      sizeGiB: value.size,
      attached: (value.attachments ?? []).length > 0,
      multiattach: value.multiattach ?? false,
      createdAt: value.created_at ?? '',
      metadata: value.metadata ?? {},
    }),
  );
const item = z.looseObject({ volume });
const links = z
  .array(z.looseObject({ rel: z.string(), href: z.string().max(8192) }))
  .max(10)
  .nullish();
const page = z.looseObject({ volumes: z.array(volume).max(10_000), volumes_links: links });

const pageSize = 200;

/** Makes a Cinder client. Source: the Block Storage API v3 reference. */
export function createCinder(session: Session): Cinder {
  const said = (attempt: string) => ({ service: 'cinder', attempt, effect: 'none' as const });
  const call = (operation: string, attempt: string, method: 'GET' | 'DELETE', path: string, signal?: AbortSignal) =>
    session.call({ service: 'cinder', operation: `volumes.${operation}`, attempt, method, path, signal });
  return {
    async volume(id, signal) {
      const attempt = `reading volume ${id}`;
      try {
        const answer = await call('get', attempt, 'GET', `/volumes/${uuidPath(id, attempt)}`, signal);
        return parseAnswer(item, answer.body, said(attempt)).volume;
      } catch (error) {
        if (isGone(error)) return undefined;
        throw error;
      }
    },
    volumes(signal) {
      const attempt = 'listing volumes';
      return readAllPages('cinder', attempt, async (marker) => {
        const path = `/volumes/detail?limit=${pageSize}${marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`}`;
        const answer = await call('list', attempt, 'GET', path, signal);
        const found = parseAnswer(page, answer.body, said(attempt));
        return { items: found.volumes, next: nextLink(found.volumes_links) };
      });
    },
    async deleteVolume(id, signal) {
      const attempt = `deleting volume ${id}`;
      try {
        await call('delete', attempt, 'DELETE', `/volumes/${uuidPath(id, attempt)}`, signal);
      } catch (error) {
        if (!isGone(error)) throw error;
      }
    },
  };
}

/** Cinder's 404 names the item; one without an envelope comes from something else. */
function isGone(error: unknown): boolean {
  return error instanceof AppError && isKind(error, 'not-found') && error.code === 'cinder.not-found';
}
