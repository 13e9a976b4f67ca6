/**
 * Measurements: `npm run bench -- start [--pods 1000] [--json]`. Real API server, emulated Zun and zunlet, each in a
 * process of its own on this machine; `--profile FOLDER` leaves a CPU profile of zunlet there, which costs some speed. `npm run bench -- streams [--megabytes 500] [--json]`: the kubelet API's streams.
 * `npm run bench -- probes [--pods 3000] [--json]`: what probing that many Pods each 10 s costs.
 */
import { missingForControlPlane } from '../e2e/lib/control-plane-binary.ts';
import { readFlags, wrongUsage } from '../lib/flags.ts';
import { measureProbes, showProbes } from './probes.ts';
import { measureStart, type StartReport } from './start.ts';
import { measureStreams, showStreams } from './streams.ts';

const help = `npm run bench -- start [--pods N] [--profile FOLDER] [--json]
npm run bench -- streams [--megabytes N] [--json]
npm run bench -- probes [--pods N] [--json]

start    a thousand Pods from bound to Ready, a calm while, a restart and their deletion: Pods a second, requests a Pod, memory.
         A real control plane, an emulated Zun and zunlet, each in a process of its own; --profile leaves a CPU profile of
         zunlet in a folder, which costs some speed.
streams  exec in both directions and forwarded connections, beside a plain TLS copy in the same run.
probes   what probing N Pods each 10 s costs, in shares of one core; the aim is 3,000 Pods for less than 30 %.

  --pods N       how many Pods; default 1000
  --megabytes N  how much each direction of exec carries; default 500
  --json         the report as one object
`;

function show(report: StartReport): string {
  const { start, memory, calm, restart, remove } = report;
  return [
    `${report.pods} Pods on one node; Node.js ${report.node}, Kubernetes ${report.kubernetes}, ${report.cpus} CPUs for all processes`,
    `start     ${start.podsPerSecond} Pods/s; to Ready p50 ${start.p50Ms} ms, p99 ${start.p99Ms} ms; all after ${start.totalMs} ms`,
    `          ${start.requestsPerPod} API requests and ${start.zunCallsPerPod} calls to Zun a Pod`,
    `memory    ${memory.runningMiB} MiB resident with all Pods running, ${memory.emptyMiB} with none, ${memory.peakMiB} at most`,
    `calm      ${calm.requests} API requests and ${calm.zunCalls} calls to Zun in ${calm.seconds} s`,
    `restart   ${restart.requests} API requests, ${restart.zunCalls} calls to Zun, Node ready after ${restart.readyMs} ms`,
    `delete    all gone after ${remove.totalMs} ms; ${remove.requestsPerPod} API requests a Pod`,
    '',
  ].join('\n');
}

const { values, positionals } = readFlags(help, {
  pods: { type: 'string', default: '1000' },
  megabytes: { type: 'string', default: '500' },
  json: { type: 'boolean', default: false },
  profile: { type: 'string' },
});
const pods = Number(values.pods);
const megabytes = Number(values.megabytes);
const missing = missingForControlPlane();
if (positionals[0] === 'streams' && megabytes > 0) {
  const report = await measureStreams(megabytes, 3000);
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : showStreams(report));
} else if (positionals[0] === 'probes' && pods > 0) {
  const reports = [await measureProbes(pods, 20, 'http'), await measureProbes(pods, 20, 'tcp')];
  process.stdout.write(values.json ? `${JSON.stringify(reports)}\n` : showProbes(reports));
} else if (positionals[0] !== 'start' || !Number.isInteger(pods) || pods < 1) {
  wrongUsage(help, `a bench is start, streams or probes, with numbers above 0: ${process.argv.slice(2).join(' ')}`);
} else if (missing) {
  process.stdout.write(`skipped: ${missing}\n`);
} else {
  const report = await measureStart({
    count: pods,
    say: (line) => process.stderr.write(`${line}\n`),
    ...(values.profile !== undefined && { profileFolder: values.profile }),
  });
  process.stdout.write(values.json ? `${JSON.stringify(report)}\n` : show(report));
}
