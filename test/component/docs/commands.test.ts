import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { flagOf, options } from '../../../src/config/options.ts';
import { elsewhere } from '../../e2e/lib/elsewhere.ts';
import { createHelms } from '../../lib/helm.ts';
import { blocks, pages, repository } from '../../lib/markdown.ts';

const all = pages().flatMap(blocks);
const commands = all
  .filter(({ language }) => language === 'sh')
  .flatMap(({ page, marker, lines }) => lines.map((line) => ({ page, marker, line: line.replace(/\s+#.*$/, '') })));

function zunlet(...args: string[]) {
  return spawnSync(process.execPath, ['src/main.ts', ...args], { cwd: repository, encoding: 'utf8', env: {} });
}

/** The command lines of zunlet in a page, whatever stands before them: `npx`, a pipe, an example of several. */
function zunletCalls(line: string): string[] {
  const [, call] = /(?:^|\| *|npx )zunlet (.*)$/.exec(line) ?? [];
  if (call === undefined) return [];
  // Tables of commands have their meaning behind three blanks.
  const [text = ''] = call.split(/ {3,}/);
  return [text];
}

const help = new Map<string, string>();

function helpOf(command: string): string {
  const known = help.get(command) ?? zunlet(command, '--help').stdout;
  help.set(command, known);
  return known;
}

const optionFlags = new Set(Object.keys(options).map(flagOf));
const names = /zunlet (\w+) {2,}/g;
const commandNames = new Set([...zunlet('--help').stdout.matchAll(names)].map(([, name]) => name));

for (const { page, line } of commands) {
  for (const call of zunletCalls(line)) {
    test(`docs: ${page}: zunlet ${call}: a command with these flags`, () => {
      const [command = ''] = call.split(' ');
      assert.ok(commandNames.has(command) || command === '--help', `no command ${command}`);
      const flags = [...call.matchAll(/(?<=\s)--(?:no-)?([a-z-]+)/g)].map(([, flag = '']) => flag);
      const text = helpOf(command);
      const takesOptions = command === 'run' || command === 'check';
      const unknown = flags.filter(
        (flag) =>
          flag !== 'help' &&
          flag !== 'config' &&
          !(takesOptions && optionFlags.has(flag)) &&
          !new RegExp(`--${flag}(?![\\w-])`).test(text),
      );
      assert.deepEqual(unknown, []);
    });
  }
}

test('docs: npm run …: every script is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { scripts: object };
  const missing = commands.flatMap(({ page, line }) =>
    [...line.matchAll(/npm run ([\w:]+)/g)]
      .filter(([, name = '']) => !Object.hasOwn(scripts, name))
      .map(() => `${page}: ${line}`),
  );
  assert.deepEqual(missing, []);
});

test('docs: every block with commands: is shell and says where it can be run', () => {
  const command = /^(kubectl|helm|zunlet|npx|npm|docker|openstack|systemctl|export) /;
  const unmarked = all.filter(
    ({ language, marker, lines }) =>
      (language === 'sh' && !['local', 'cluster', 'cloud'].includes(marker)) ||
      (language === '' && lines.some((line) => command.test(line))),
  );
  assert.deepEqual(
    unmarked.map(({ page, lines }) => `${page}: ${lines[0]}`),
    [],
  );
});

test('docs: reasons not to run a command: each has its command', () => {
  const idle = elsewhere.filter(([start]) => !commands.some(({ line }) => line.startsWith(start)));
  assert.deepEqual(idle, []);
});

const ci = readFileSync(join(repository, '.ci/run'), 'utf8').split('\n');
const local = commands
  // The scripts of CONTRIBUTING.md take hours together; that they are there is a test above.
  .filter(({ marker, page }) => marker === 'local' && page !== 'CONTRIBUTING.md')
  .flatMap(({ page, line }) => line.split(' && ').map((part) => ({ page, line: part })));
for (const { page, line } of local) {
  const [call] = zunletCalls(line);
  if (line === 'npm run demo') continue;
  test(`docs: ${page}: ${line}: works`, () => {
    if (call === undefined)
      return assert.ok(
        ci.some((one) => one.startsWith(line)),
        `.ci/run does not run ${line}`,
      );
    const { status, stderr, stdout } = zunlet(...call.split(' '));
    assert.equal(status, 0, stderr + stdout);
  });
}

test('docs: npm run demo: shows how each Pod goes, until Ctrl-C', async () => {
  const child = spawn(process.execPath, ['src/main.ts', 'demo'], { cwd: repository, env: {} });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  while (!/ Running/.test(out) || !/Ctrl-C ends the demo/.test(out)) await once(child.stdout, 'data');
  child.kill('SIGINT');
  const [code] = (await once(child, 'close')) as [number | null];
  assert.equal(code, 0, out);
});

for (const helm of (await createHelms()).slice(-1)) {
  for (const { page, line } of commands.filter((one) => /^helm (install|upgrade) /.test(one.line))) {
    test(`docs: ${page}: ${line}: the chart takes these values`, () => {
      const args = line
        .split(' ')
        .slice(2)
        .filter((arg) => arg !== '--reuse-values');
      const credentials = line.startsWith('helm upgrade') ? ['--set', 'openstack.existingSecret=x'] : [];
      const { code, err } = helm.run(
        'template',
        ...args.map((arg) => arg.replace(/^charts\//, `${repository}/charts/`)),
        ...credentials,
      );
      assert.equal(code, 0, err);
    });
  }
}
