import { relative } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

/** The most that one file may take, its control plane included. */
const fileLimitMs = 10 * 60_000;

/** Runs test files one after the other, each in a process of its own, and prints a summary; answers the exit code. */
export async function runSuites(files: string[]): Promise<number> {
  const results = new Map<string, { passed: number; failed: number; ms: number }>();
  const started = performance.now();
  const stream = run({ files, concurrency: 1, isolation: 'process', timeout: fileLimitMs });
  const count = (file: string | undefined, outcome: 'passed' | 'failed', ms: number) => {
    const name = relative(process.cwd(), file ?? '');
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
  stream.compose(new spec()).pipe(process.stdout);
  await new Promise((resolve) => stream.once('end', resolve));

  let passed = 0;
  let failed = 0;
  for (const [name, result] of results) {
    passed += result.passed;
    failed += result.failed;
    const verdict = result.failed > 0 ? 'FAILED' : 'passed';
    process.stdout.write(
      `${verdict} ${name}: ${result.passed} of ${result.passed + result.failed}, ${seconds(result.ms)}\n`,
    );
  }
  const silent = files.filter((file) => !results.has(relative(process.cwd(), file)));
  for (const file of silent) process.stdout.write(`FAILED ${relative(process.cwd(), file)}: no test ran\n`);
  process.stdout.write(`${passed} passed, ${failed + silent.length} failed\n`);
  process.stdout.write(`took ${seconds(performance.now() - started)}\n`);
  return failed + silent.length > 0 || passed === 0 ? 1 : 0;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
