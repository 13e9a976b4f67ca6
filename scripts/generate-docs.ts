/**
 * Writes the generated pages of the documentation: `node scripts/generate-docs.ts [page …]`, all of them without a name.
 * A test compares what is on disk with what would be written.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generatedPages, pageUrl } from './docs/pages.ts';

const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !Object.hasOwn(generatedPages, name));
if (unknown.length > 0) {
  process.stderr.write(`there is no page ${unknown.join(', ')}; pages: ${Object.keys(generatedPages).join(', ')}\n`);
  process.exit(2);
}
for (const [name, page] of Object.entries(generatedPages)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const path = fileURLToPath(pageUrl(page));
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, page.render());
  process.stdout.write(`${page.file} written\n`);
}
