import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { generatedPages, pageUrl } from '../../../scripts/docs/pages.ts';

for (const [name, page] of Object.entries(generatedPages)) {
  test(`docs: ${page.file}: as generated (else: node scripts/generate-docs.ts ${name})`, () => {
    assert.equal(readFileSync(pageUrl(page), 'utf8'), page.render());
  });
}
