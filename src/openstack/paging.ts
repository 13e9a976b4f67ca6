import { AppError, isKind } from '../base/errors.ts';

/** One page, and where the next one begins. */
export interface Page<T> {
  items: T[];
  /** The link that the service gave; only its `marker` is read: its host and prefix are wrong behind proxies. */
  next: string | null | undefined;
}

/** More than this is not a list but a fault. */
const mostItems = 200_000;
const mostTries = 4;

/**
 * Reads all pages. When the item that a page ended with is deleted before the next page is asked for, Zun answers 404 and
 * the listing starts again; the result is complete or an error.
 * Errors: those of `fetch`; `<service>.list-unsteady` after four tries; `<service>.bad-answer`.
 */
export async function readAllPages<T extends { uuid: string }>(
  service: string,
  attempt: string,
  fetch: (marker: string | undefined) => Promise<Page<T>>,
): Promise<T[]> {
  for (let tries = 0; tries < mostTries; tries += 1) {
    const items = await readOnce(service, attempt, fetch);
    if (items) return items;
  }
  throw new AppError({
    kind: 'retryable',
    code: `${service}.list-unsteady`,
    message: `${attempt}: the list changed under every one of ${mostTries} tries`,
  });
}

async function readOnce<T extends { uuid: string }>(
  service: string,
  attempt: string,
  fetch: (marker: string | undefined) => Promise<Page<T>>,
): Promise<T[] | undefined> {
  const items = new Map<string, T>();
  let marker: string | undefined;
  for (;;) {
    let page: Page<T>;
    try {
      page = await fetch(marker);
    } catch (error) {
      if (marker !== undefined && isKind(error, 'not-found')) return undefined;
      throw error;
    }
    const before = items.size;
    for (const item of page.items) items.set(item.uuid, item);
    const last = page.items.at(-1)?.uuid;
    // A full last page has a link to an empty one.
    if (!page.next || last === undefined) return [...items.values()];
    if (items.size === before || items.size > mostItems) {
      throw new AppError({
        kind: 'retryable',
        code: `${service}.bad-answer`,
        message: `${attempt}: the pages do not end`,
      });
    }
    marker = markerOf(page.next) ?? last;
  }
}

function markerOf(link: string): string | undefined {
  return URL.canParse(link, 'http://zun')
    ? (new URL(link, 'http://zun').searchParams.get('marker') ?? undefined)
    : undefined;
}
