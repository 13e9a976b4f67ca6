/**
 * The test command: type check, format, lint, dead code, then every quick test. Arguments are test files or patterns and
 * skip the checks: `npm test -- test/unit/plan.test.ts`.
 */
import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';

const report = 'test-report.log';
const folders = ['unit', 'golden', 'simulation', 'component', 'contract', 'fuzz'];
const chosen = process.argv.slice(2);

function run(command: string, args: string[]): void {
  const started = performance.now();
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    process.stderr.write(`${command} ${args[0] ?? ''}: exit ${status}\n`);
    process.exit(status ?? 1);
  }
  process.stdout.write(`ok ${command} ${args[0] ?? ''} (${Math.round(performance.now() - started)} ms)\n`);
}

if (chosen.length === 0) {
  run('tsc', ['--noEmit']);
  run('biome', ['ci', '.', '--error-on-warnings', '--max-diagnostics=50']);
  run('oxlint', ['--type-aware', '--deny-warnings', 'src', 'test']);
  run('knip', []);
}
const files = chosen.length > 0 ? chosen : folders.flatMap((folder) => globSync(`test/${folder}/**/*.test.ts`).sort());
run(process.execPath, [
  '--test',
  '--test-timeout=300000',
  '--test-concurrency=2',
  '--test-reporter=dot',
  '--test-reporter-destination=stdout',
  '--test-reporter=spec',
  `--test-reporter-destination=${report}`,
  ...files,
]);
// What the tests counted and measured, and the totals.
const figures = readFileSync(report, 'utf8').matchAll(/^ *\u2139 (.*)$/gm);
process.stdout.write(`${[...figures].map(([, figure]) => figure).join('\n')}\n`);
