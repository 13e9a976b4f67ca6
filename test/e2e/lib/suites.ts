import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** The most that one file may take, its control plane included. */
const fileLimitMs = 10 * 60_000;

interface Result {
  passed: number;
  failed: number;
  ms: number;
}

/**
 * Runs test files one after the other, each in a process of its own, and prints a summary; answers the exit code. A file
 * that fails is run once more, since it shares the machine with whatever else runs there; that it needed the second try is
 * printed, and a file that fails twice has failed.
 */
export async function runSuites(files: string[]): Promise<number> {
  const started = performance.now();
  const results = await runOnce(files);
  const again = files.filter((file) => hasFailed(results.get(nameOf(file))));
  if (again.length > 0 && again.length < files.length) {
    process.stdout.write(`once more: ${again.map(nameOf).join(', ')}\n`);
    for (const [name, result] of await runOnce(again)) results.set(name, result);
  }
  let passed = 0;
  let failed = 0;
  for (const file of files) {
    const name = nameOf(file);
    const result = results.get(name) ?? { passed: 0, failed: 1, ms: 0 };
    passed += result.passed;
    failed += result.failed;
    const verdict = hasFailed(results.get(name)) ? 'FAILED' : 'passed';
    const tries = again.includes(file) && verdict === 'passed' ? ', at the second try' : '';
    const share = `${result.passed} of ${result.passed + result.failed}`;
    process.stdout.write(`${verdict} ${name}: ${share}, ${seconds(result.ms)}${tries}\n`);
  }
  process.stdout.write(`took ${seconds(performance.now() - started)}\n`);
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

/** A file in which no test ran has failed, too. */
function hasFailed(result: Result | undefined): boolean {
  return result === undefined || result.failed > 0 || result.passed === 0;
}

function nameOf(file: string): string {
  return relative(process.cwd(), file);
}

async function runOnce(files: string[]): Promise<Map<string, Result>> {
  const results = new Map<string, Result>();
  const stream = run({ files, concurrency: 1, isolation: 'process', timeout: fileLimitMs });
  const count = (file: string | undefined, outcome: 'passed' | 'failed', ms: number) => {
    const name = nameOf(file ?? '');
    const result = results.get(name) ?? { passed: 0, failed: 0, ms: 0 };
    result[outcome] += 1;
    results.set(name, { ...result, ms: result.ms + ms });
  };
  stream.on('test:pass', ({ file, nesting, details, name }) => {
    if (nesting === 0 && name !== file) count(file, 'passed', details.duration_ms);
  });
  stream.on('test:fail', ({ file, nesting, details }) => {
    if (nesting === 0) count(file, 'failed', details.duration_ms);
  });
  stream.compose(new spec()).pipe(process.stdout, { end: false });
  await new Promise((resolve) => stream.once('end', resolve));
  return results;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
