import { setImmediate as yieldToLoop } from 'node:timers/promises';
import { isKind } from '../base/errors.ts';
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

function complete<T extends Stored>(page: KubeList<T>, before: T[]): CompleteList<T> & { token: string | undefined } {
  const items = page.items ?? [];
  for (const item of items) delete item.metadata.managedFields;
  return {
    items: before.length === 0 ? items : before.concat(items),
    resourceVersion: page.metadata.resourceVersion,
    token: page.metadata.continue || undefined,
  };
}
