import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { test } from 'node:test';
import { errorFamilies } from '../../../scripts/docs/errors-page.ts';
import { eventRows } from '../../../scripts/docs/events-page.ts';
import { nodeEvent } from '../../../src/node/reasons.ts';
import { podReason as statusReason } from '../../../src/status/reasons.ts';
import { podReason } from '../../../src/translate/reasons.ts';

const source = resolve(import.meta.dirname, '../../../src');
const texts = globSync('**/*.ts', { cwd: source })
  .filter((file) => !file.startsWith('emulators'))
  .map((file) => ({ file, text: readFileSync(join(source, file), 'utf8') }));

function literals(pattern: RegExp): { file: string; word: string }[] {
  return texts.flatMap(({ file, text }) => [...text.matchAll(pattern)].map(([, word = '']) => ({ file, word })));
}

/** A code of zod's, not ours. */
const foreignCode = 'custom';

test('docs: errors: the first word of every code in the source is in the table', () => {
  const unknown = literals(/\bcode: '([a-z]+)[.']/g).filter(
    ({ word }) => word !== foreignCode && !Object.hasOwn(errorFamilies, word),
  );
  assert.deepEqual(unknown, []);
});

test('docs: events: every reason in the source is in the table', () => {
  const written = literals(/'(?:Normal|Warning)',\s*'([A-Z]\w+)'/g).map(({ word }) => word);
  const tables = [nodeEvent, podReason, statusReason].flatMap((table) => Object.values(table));
  const planned = [...texts.filter(({ file }) => file === join('sync', 'plan.ts'))].flatMap(({ text }) =>
    [...text.matchAll(/\breason: '([A-Z]\w+)'/g)].map(([, word = '']) => word),
  );
  const unknown = [...written, ...tables, ...planned].filter((reason) => !Object.hasOwn(eventRows, reason));
  assert.deepEqual([...new Set(unknown)], []);
});
