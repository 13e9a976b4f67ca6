/**
 * `npm run sim -- --seeds N --from S [--without-time-rule] [--verbose]`: lives N random histories and counts what went
 * wrong. Exit 1 if anything did; each failing seed prints the command that replays it.
 */
import type { Log } from '../../src/base/log.ts';
import { readFlags, wrongUsage } from '../lib/flags.ts';
import { type Outcome, simulate } from './simulate.ts';

const help = `npm run sim -- [--seeds N] [--from S] [--without-time-rule] [--verbose] [--json]

Lives N random histories of Pods, faults and restarts on a virtual clock, without a process or a socket, and counts what went
wrong: double capsules, leaks, lost Pods, terminal phases taken back. Exit 0 only if nothing did.

  --seeds N            how many histories; default 1000, about 10 s
  --from S             the first seed; default 1
  --without-time-rule  switches the rule about time off, to see that the histories are hard enough: it finds violations
  --verbose            every step of every history; for one seed
  --json               the counts as one object
`;

const { values, positionals } = readFlags(help, {
  seeds: { type: 'string', default: '1000' },
  from: { type: 'string', default: '1' },
  'without-time-rule': { type: 'boolean', default: false },
  verbose: { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
});
const seeds = Number(values.seeds);
const from = Number(values.from);
if (!Number.isInteger(seeds) || seeds < 1) wrongUsage(help, `--seeds ${values.seeds} is no whole number from 1`);
if (!Number.isInteger(from) || from < 0) wrongUsage(help, `--from ${values.from} is no whole number from 0`);
if (positionals.length > 0) wrongUsage(help, `unexpected ${positionals[0]}`);

const printing: Log = {
  debug: (message, fields) => process.stdout.write(`  ${message} ${JSON.stringify(fields ?? {})}\n`),
  info: (message, fields) => process.stdout.write(`  ${message} ${JSON.stringify(fields ?? {})}\n`),
  warn: (message, fields) => process.stdout.write(`  ${message} ${JSON.stringify(fields ?? {})}\n`),
  error: (message, fields) => process.stdout.write(`  ${message} ${JSON.stringify(fields ?? {})}\n`),
  child: () => printing,
};

const total = { faults: 0, restarts: 0, pods: 0, statusWrites: 0, violations: 0, failed: [] as number[] };
const options = { timeRule: !values['without-time-rule'], ...(values.verbose && { log: printing }) };
const flag = values['without-time-rule'] ? ' --without-time-rule' : '';
const began = performance.now();
for (let seed = from; seed < from + seeds; seed += 1) {
  add(await simulate(seed, options));
  if (!values.json && (seed - from + 1) % 10_000 === 0)
    process.stderr.write(`${seed - from + 1} seeds, ${total.violations} violations\n`);
}
const seconds = Math.round(performance.now() - began) / 1000;
if (values.json) {
  process.stdout.write(`${JSON.stringify({ seeds, from, seconds, ...total, failed: total.failed.slice(0, 100) })}\n`);
} else {
  process.stdout.write(
    `${seeds} seeds from ${from}: ${total.violations} violations in ${total.failed.length} seeds; ${total.pods} pods, ${total.restarts} restarts, ${total.faults} faulty calls, ${total.statusWrites} status writes; ${seconds} s\n`,
  );
}
process.exit(total.violations > 0 ? 1 : 0);

function add(outcome: Outcome): void {
  const { none: _, ...faulty } = outcome.faults;
  total.faults += Object.values(faulty).reduce((sum, n) => sum + n, 0);
  total.restarts += outcome.restarts;
  total.pods += outcome.pods;
  total.statusWrites += outcome.statusWrites;
  total.violations += outcome.violations.length;
  if (outcome.violations.length === 0) return;
  total.failed.push(outcome.seed);
  if (total.failed.length > 5 || values.json) return;
  process.stdout.write(
    `seed ${outcome.seed}: replay with: npm run sim -- --seeds 1 --from ${outcome.seed}${flag} --verbose\n`,
  );
  for (const violation of outcome.violations) process.stdout.write(`  ${violation}\n`);
}
