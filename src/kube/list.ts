import { setImmediate as yieldToLoop } from 'node:timers/promises';
import { AppError, isKind } from '../base/errors.ts';
import type { KubeCall, KubeClient } from './client-types.ts';
import type { KubeList } from './types.ts';
import type { Stored } from './watch.ts';

export interface CompleteList<T> {
  items: T[];
  /** Where a watch goes on from. */
  resourceVersion: string;
}

/**
 * Reads a whole collection as of one moment, page by page, so that neither side holds or parses all of it at once. Lets the
 * event loop run between pages. When the API server forgets the moment half way (`kube.expired`), it is read once more in
 * one piece. Drops `managedFields`.
 *
 * No resourceVersion is sent: the answer is as new as the store, never an older cache, because Pods missing from it are
 * taken for deleted.
 * Errors: those of `KubeClient.list`; `retryable` (`kube.garbage`) for an answer that is no list of objects.
 */
export async function listAll<T extends Stored>(
  client: KubeClient,
  path: string,
  call: KubeCall,
  pageSize: number,
): Promise<CompleteList<T>> {
  try {
    return await listPages<T>(client, path, call, pageSize);
  } catch (thrown) {
    if (!isKind(thrown, 'invalid') || thrown.code !== 'kube.expired') throw thrown;
    return complete(await client.list<T>(path, call), []);
  }
}

async function listPages<T extends Stored>(
  client: KubeClient,
  path: string,
  call: KubeCall,
  pageSize: number,
): Promise<CompleteList<T>> {
  let items: T[] = [];
  let token: string | undefined;
  for (;;) {
    const query = { ...call.query, limit: pageSize, continue: token };
    const page = complete(await client.list<T>(path, { ...call, query }), items);
    items = page.items;
    token = page.token;
    if (!token) return page;
    await yieldToLoop();
  }
}

/** Takes a page over. One that is not a list must not pass for an empty one: what is missing from a list is taken for deleted. */
function complete<T extends Stored>(page: KubeList<T>, before: T[]): CompleteList<T> & { token: string | undefined } {
  if (!isPage(page)) {
    const message = 'the API server answered a list with something that is none';
    throw new AppError({ kind: 'retryable', code: 'kube.garbage', message });
  }
  const items = page.items ?? [];
  for (const item of items) delete item.metadata.managedFields;
  return {
    items: before.length === 0 ? items : before.concat(items),
    resourceVersion: page.metadata.resourceVersion,
    token: page.metadata.continue || undefined,
  };
}

function isPage(page: unknown): boolean {
  if (typeof page !== 'object' || page === null || !('metadata' in page)) return false;
  // Only looked at: each step allows for anything.
  const { metadata, items } = page as { metadata?: { resourceVersion?: unknown } | null; items?: unknown };
  const { resourceVersion } = metadata ?? {};
  if (typeof resourceVersion !== 'string' || resourceVersion === '') return false;
  return (items ?? undefined) === undefined ? 'items' in page : Array.isArray(items) && items.every(isStored);
}

function isStored(item: unknown): boolean {
  const stored = item as Partial<Stored> | null | undefined;
  return typeof stored?.metadata?.name === 'string' && typeof stored.metadata.uid === 'string';
}
