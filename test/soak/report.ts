import type { Slope } from './slope.ts';

/** One quantity over the whole run, after the warm-up. */
export interface Quantity {
  first: number;
  last: number;
  min: number;
  max: number;
  slope: Slope;
}

/** What a soak found. */
export interface SoakReport {
  minutes: number;
  warmUpMinutes: number;
  pods: number;
  replaced: number;
  node: string;
  cpus: number;
  samples: number;
  residentMiB: Quantity;
  heapMiB: Quantity;
  openFiles: Quantity;
  timers: Quantity;
  /** Milliseconds: the 99th percentile of each interval between two samples. */
  lagP99Ms: { median: number; max: number };
  /** Share of one processor. */
  cpuShare: number;
  /** Pods that did not run at the end, Pods with two capsules at any moment, capsules without a Pod at the end. */
  notRunning: number;
  doubles: number;
  strayCapsules: number;
}

/** Writes a report as the Markdown that `docs/measurements.md` holds. */
export function print(report: SoakReport): string {
  const row = (name: string, { first, last, min, max, slope }: Quantity) =>
    `| ${name} | ${show(first)} | ${show(last)} | ${show(min)} | ${show(max)} | ${show(slope.perHour)} ± ${show(slope.plusMinus)} |`;
  return `${[
    `${report.pods} Pods, ${report.replaced} replaced in ${report.minutes} min; Node.js ${report.node}, ${report.cpus} processors; ${report.samples} samples after ${report.warmUpMinutes} min of warm-up.`,
    '',
    '| | first | last | least | most | an hour |',
    '| --- | --- | --- | --- | --- | --- |',
    row('resident memory, MiB', report.residentMiB),
    row('heap in use, MiB', report.heapMiB),
    row('open files and sockets', report.openFiles),
    row('timers', report.timers),
    '',
    `Delay of the event loop, 99th percentile of each 5 s: median ${show(report.lagP99Ms.median)} ms, most ${show(report.lagP99Ms.max)} ms. Processor: ${show(report.cpuShare * 100)} % of one.`,
    `At the end: ${report.notRunning} Pods do not run, ${report.doubles} had two capsules at any moment, ${report.strayCapsules} capsules have no Pod.`,
  ].join('\n')}\n`;
}

function show(value: number): string {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Math.round(value * 10) / 10);
}
