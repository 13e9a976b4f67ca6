import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('./main.ts', import.meta.url));

interface Report {
  violations: number;
  failed: number[];
  pods: number;
  restarts: number;
  faults: number;
}

/** Runs seeds in a process of their own, so that both cores help. */
function run(seeds: number, from: number, ...flags: string[]): Promise<Report> {
  return new Promise((resolve, reject) => {
    const child = spawn(
      process.execPath,
      [program, '--seeds', String(seeds), '--from', String(from), '--json', ...flags],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString();
    });
    child.on('error', reject);
    child.on('close', () => {
      // Our own program's report.
      const report = JSON.parse(out) as Report;
      resolve(report);
    });
  });
}

test('simulation: 10,000 seeds of faults, restarts and force deletes: no violation', async (t) => {
  const reports = await Promise.all([run(5000, 1), run(5000, 5001)]);
  const failed = reports.flatMap((report) => report.failed);
  const sum = (of: (report: Report) => number) => reports.reduce((total, report) => total + of(report), 0);
  t.diagnostic(
    `10000 seeds: ${sum((r) => r.pods)} pods, ${sum((r) => r.restarts)} restarts, ${sum((r) => r.faults)} faulty calls`,
  );
  assert.deepEqual(failed, [], failed.map((seed) => `npm run sim -- --seeds 1 --from ${seed} --verbose`).join('\n'));
});

test('simulation: the rule about time switched off: finds violations', async () => {
  const { violations } = await run(100, 1, '--without-time-rule');
  assert.ok(violations > 50, `only ${violations}`);
});
