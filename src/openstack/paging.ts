import { AppError, isKind } from '../base/errors.ts';

/** One page. */
export interface Page<T> {
  items: T[];
  /** A link to the next page, of which only the `marker` is read: Zun's host and prefix are wrong behind proxies. */
  next: string | null | undefined;
}

/** More than this is not a list but a fault. */
const mostItems = 200_000;
const mostTries = 4;

/**
 * Reads all pages. When the item that a page ended with is deleted before the next page is asked for, the service answers
 * 404 and the listing starts again; the result is complete or an error.
 * Errors: those of `fetch`; `<service>.list-unsteady` after four tries; `<service>.bad-answer`.
 */
export async function readAllPages<T extends { uuid: string } | { id: string }>(
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

/** Undefined when the marker vanished. */
async function readOnce<T extends { uuid: string } | { id: string }>(
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
    for (const item of page.items) items.set(itemId(item), item);
    const last = page.items.at(-1);
    // A full last page has a link to an empty one.
    if (!page.next || last === undefined) return [...items.values()];
    if (items.size === before || items.size > mostItems) {
      throw new AppError({
        kind: 'retryable',
        code: `${service}.bad-answer`,
        message: `${attempt}: the pages of ${service} do not end`,
      });
    }
    marker = markerOf(page.next) ?? itemId(last);
  }
}

function itemId(item: { uuid: string } | { id: string }): string {
  return 'uuid' in item ? item.uuid : item.id;
}

function markerOf(link: string): string | undefined {
  const base = 'http://service';
  return URL.canParse(link, base) ? (new URL(link, base).searchParams.get('marker') ?? undefined) : undefined;
}

/** The link to the next page in the form that Cinder and Neutron use. */
export function nextLink(links: { rel: string; href: string }[] | null | undefined): string | undefined {
  return links?.find((link) => link.rel === 'next')?.href;
}
