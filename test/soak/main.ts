/**
 * `npm run soak -- --minutes M [--pods N] [--churn PER_SECOND] [--json]`: a zunlet in its own process with N Pods of which some
 * are replaced each second, on the emulated Zun and Kubernetes API. Samples its health page and reports how memory, files and
 * timers changed an hour, by least squares after a warm-up. Exit 1 when a Pod was lost or doubled.
 */
import { readFlags, wrongUsage } from '../lib/flags.ts';
import { print } from './report.ts';
import { soak } from './soak.ts';

const help = `npm run soak -- [--minutes M] [--pods N] [--churn PER_SECOND] [--json]

Runs a zunlet in a process of its own with N Pods, of which some are replaced each second, on the emulated Zun and Kubernetes
API, and reports how its memory, open files and timers changed an hour. Exit 0 only if no Pod was lost or doubled.

  --minutes M         how long; default 30. A quarter of it, at most 5, is the warm-up, which no figure counts
  --pods N            default 1000
  --churn PER_SECOND  Pods replaced a second; default 2
  --json              the report as one object
`;

const { values } = readFlags(help, {
  minutes: { type: 'string', default: '30' },
  pods: { type: 'string', default: '1000' },
  churn: { type: 'string', default: '2' },
  json: { type: 'boolean', default: false },
});
const wish = { minutes: Number(values.minutes), pods: Number(values.pods), churnPerSecond: Number(values.churn) };
if (!(wish.minutes > 0)) wrongUsage(help, `--minutes ${values.minutes} is no number above 0`);
if (!Number.isInteger(wish.pods) || wish.pods < 1) wrongUsage(help, `--pods ${values.pods} is no whole number from 1`);
if (!(wish.churnPerSecond >= 0)) wrongUsage(help, `--churn ${values.churn} is no number from 0`);
const report = await soak(wish, (line) => {
  if (!values.json) process.stderr.write(`${line}\n`);
});
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : print(report));
process.exit(report.notRunning + report.doubles + report.strayCapsules > 0 ? 1 : 0);
