import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { test } from 'node:test';

/** Who may import what: the table of docs/architecture.md. `types` folders may only be reached by `import type`. */
const table: Record<string, { values: string[]; types: string[]; pure?: boolean; builtins?: boolean }> = {
  base: { values: [], types: [], pure: true },
  translate: { values: ['base'], types: ['kube', 'openstack'], pure: true },
  status: { values: ['base'], types: ['kube', 'openstack'], pure: true },
  http: { values: ['base'], types: [], builtins: true },
  kube: { values: ['base', 'http'], types: ['sync'], builtins: true },
  openstack: { values: ['base', 'http'], types: [], builtins: true },
  sync: { values: ['base', 'translate', 'status'], types: ['kube', 'openstack', 'telemetry', 'probes'] },
  node: { values: ['base', 'translate', 'status'], types: ['kube', 'openstack', 'telemetry', 'sync'] },
  probes: {
    values: ['base', 'translate', 'status'],
    types: ['kube', 'openstack', 'telemetry', 'sync'],
    builtins: true,
  },
  server: { values: ['base', 'http'], types: ['kube', 'openstack', 'sync', 'telemetry'], builtins: true },
  telemetry: { values: ['base'], types: ['kube', 'openstack', 'sync'], builtins: true },
  config: { values: ['base'], types: [], builtins: true },
  emulators: { values: ['base'], types: ['kube', 'openstack'], builtins: true },
};
/** Files that are pure although their folder is not. */
const pureFiles = [
  'src/sync/plan.ts',
  'src/sync/next-reads.ts',
  'src/sync/memory.ts',
  'src/sync/failure.ts',
  'src/sync/failed-start.ts',
  'src/sync/restarts.ts',
  'src/node/node.ts',
  'src/node/capacity.ts',
];
/** Files that stand above the table. */
const free = ['src/main.ts'];
const freeFolders = ['cli', 'agent'];
const impure =
  /\b(Date\.now|new Date\(\)|Math\.random|setTimeout|setInterval|setImmediate|performance\.|process\.|globalThis|fetch\()/;
const importLine = /^\s*(import|export)\s+(type\s+)?([^'"]*?\s+from\s+)?['"]([^'"]+)['"]/gm;

function importsOf(file: string): { type: boolean; from: string }[] {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(importLine)].map(([, , type, , from = '']) => ({ type: type !== undefined, from }));
}

const files = globSync('src/**/*.ts').sort();

test('imports: every file of a folder in the table: keeps to its row', () => {
  assert.ok(files.length > 20);
  const broken: string[] = [];
  for (const file of files) {
    const folder = file.split('/')[1] ?? '';
    const row = table[folder];
    if (!row) {
      if (!freeFolders.includes(folder) && !free.includes(file))
        broken.push(`${file}: folder ${folder} is not in the table`);
      continue;
    }
    for (const { type, from } of importsOf(file)) {
      if (from.startsWith('.')) {
        const target = normalize(join(dirname(file), from)).split('/')[1] ?? '';
        const allowed = target === folder || row.values.includes(target) || (type && row.types.includes(target));
        if (!allowed) broken.push(`${file}: ${type ? 'type' : 'value'} import of ${from}`);
      } else if (from.startsWith('node:') && !row.builtins && !type) {
        broken.push(`${file}: built-in ${from}`);
      }
    }
  }
  assert.deepEqual(broken, []);
});

test('imports: pure files: no clock, random, timer, process or network', () => {
  const pure = files.filter((file) => table[file.split('/')[1] ?? '']?.pure === true || pureFiles.includes(file));
  const allowed = ['src/base/clock.ts', 'src/base/random.ts'];
  const broken = pure.filter(
    (file) => !allowed.includes(file) && impure.test(withoutComments(readFileSync(file, 'utf8'))),
  );
  assert.deepEqual(broken, []);
});

test('imports: client-node at run time: in kube/auth alone', () => {
  const users = files.filter((file) =>
    /(?:from|import\()\s*['"]@kubernetes\/client-node/.test(readFileSync(file, 'utf8')),
  );
  for (const file of users) {
    if (file === 'src/kube/auth.ts') continue;
    assert.ok(
      importsOf(file).every(({ type, from }) => from !== '@kubernetes/client-node' || type),
      file,
    );
    assert.doesNotMatch(readFileSync(file, 'utf8'), /import\(\s*['"]@kubernetes/, file);
  }
});

test('sizes: every source file: under 300 lines unless it is a table', () => {
  const tables = /^src\/(translate\/support|config\/options\.ts|emulators\/kube\/table-printers\.ts)/;
  const long = files.filter((file) => readFileSync(file, 'utf8').split('\n').length > 301 && !tables.test(file));
  assert.deepEqual(long, []);
});

function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/.*$/gm, '');
}
