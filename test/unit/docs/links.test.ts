import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';
import { anchors, links, type Page, pages, repository } from '../../lib/markdown.ts';

const all = pages();
const byFile = new Map(all.map((page) => [page.file, page]));

/** Why a link leads nowhere; undefined for one that does, and for those that leave the repository. */
function broken(page: Page, link: string): string | undefined {
  if (/^[a-z]+:/.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? page.file : normalize(join(dirname(page.file), path));
  if (!existsSync(join(repository, file))) return `${link}: no such file`;
  const target = byFile.get(file);
  return anchor === undefined || !target || anchors(target).has(anchor) ? undefined : `${link}: no such heading`;
}

for (const page of all) {
  test(`docs: ${page.file}: every link leads to a file and a heading`, () => {
    assert.deepEqual(
      links(page).flatMap((link) => broken(page, link) ?? []),
      [],
    );
  });
}

test('docs: every page of docs/: can be reached from the README', () => {
  const reached = new Set<string>();
  const queue = ['README.md'];
  for (let file = queue.pop(); file !== undefined; file = queue.pop()) {
    const page = byFile.get(file);
    if (reached.has(file) || !page) continue;
    reached.add(file);
    for (const link of links(page)) queue.push(normalize(join(dirname(file), link.split('#')[0] ?? '')));
  }
  const lost = all.map(({ file }) => file).filter((file) => file.startsWith('docs/') && !reached.has(file));
  assert.deepEqual(
    lost.filter((file) => !file.startsWith('docs/decisions/')),
    [],
  );
});
