/**
 * `npm run soak -- --minutes M [--pods N] [--churn PER_SECOND] [--json]`: a zunlet in its own process with N Pods of which some
 * are replaced each second, on the emulated Zun and Kubernetes API. Samples its health page and reports how memory, files and
 * timers changed an hour, by least squares after a warm-up. Exit 1 when a Pod was lost or doubled.
 */
import { parseArgs } from 'node:util';
import { print } from './report.ts';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    pods: { type: 'string', default: '1000' },
    churn: { type: 'string', default: '2' },
    json: { type: 'boolean', default: false },
  },
});
const wish = { minutes: Number(values.minutes), pods: Number(values.pods), churnPerSecond: Number(values.churn) };
if (!(wish.minutes > 0) || !Number.isInteger(wish.pods) || wish.pods < 1 || !(wish.churnPerSecond >= 0)) {
  process.stderr.write('usage: npm run soak -- [--minutes M] [--pods N] [--churn PER_SECOND] [--json]\n');
  process.exit(2);
}
const report = await soak(wish, (line) => {
  if (!values.json) process.stderr.write(`${line}\n`);
});
process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : print(report));
process.exit(report.notRunning + report.doubles + report.strayCapsules > 0 ? 1 : 0);
