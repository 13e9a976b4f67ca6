import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { systemClock } from '../../src/base/clock.ts';
import { silentLog } from '../../src/base/log.ts';
import { systemRandom } from '../../src/base/random.ts';
import { grpcHealth } from '../../src/http/grpc-health.ts';
import { oneShotGet, tcpDial } from '../../src/http/one-shot.ts';
import type { Pod, Probe } from '../../src/kube/types.ts';
import { createPodHealth, type PodHealth } from '../../src/probes/pod-health.ts';
import { pod, uuid } from '../lib/builders.ts';

/** What probing a node full of Pods costs this process. */
export interface ProbesReport {
  pods: number;
  seconds: number;
  kind: 'http' | 'tcp';
  probesPerSecond: number;
  /** Share of one core, 0 to 100. */
  cpuPercent: number;
  residentMiB: number;
  failures: number;
}

const maxInFlight = 256;

/** A Pod that has run for an hour, so that its probes are spread over their period. */
function runningPod(index: number, probe: Probe): Pod {
  const uid = uuid(index + 1);
  const startedAt = new Date(Date.now() - 3_600_000).toISOString();
  return pod({
    uid,
    containers: [{ name: 'app', image: 'a', readinessProbe: probe }],
    status: {
      phase: 'Running',
      podIP: '127.0.0.1',
      containerStatuses: [
        {
          ...{ name: 'app', image: 'a', imageID: '', ready: true, started: true, restartCount: 0 },
          ...{ containerID: `zun://${uid}`, state: { running: { startedAt } } },
        },
      ],
    },
  });
}

/** Probes `count` Pods every 10 s for `seconds`, after one period to settle, and reads what it cost. */
export async function measureProbes(count: number, seconds: number, kind: 'http' | 'tcp'): Promise<ProbesReport> {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'probe-server.ts')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await once(server.stdout, 'data')) as [Buffer];
  const port = Number(line.toString());
  const probe: Probe = kind === 'http' ? { httpGet: { port, path: '/healthz' } } : { tcpSocket: { port } };
  let probes = 0;
  let failures = 0;
  const health: PodHealth = createPodHealth({
    ...{ clock: systemClock, random: systemRandom, log: silentLog, maxInFlight },
    ports: {
      get: (request) => {
        probes += 1;
        return oneShotGet(request);
      },
      dial: (host, port_, timeoutMs) => {
        probes += 1;
        return tcpDial(host, port_, timeoutMs);
      },
      health: grpcHealth,
    },
    event: () => {
      failures += 1;
    },
    onChange: () => {},
    onKill: () => {},
  });
  for (let index = 0; index < count; index += 1) health.sync(runningPod(index, probe));
  await delay(10_000);
  probes = 0;
  const before = process.cpuUsage();
  const begun = performance.now();
  await delay(seconds * 1000);
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - begun;
  health.close();
  server.stdin.end();
  return {
    ...{ pods: count, seconds, kind, failures },
    probesPerSecond: Math.round((probes / elapsedMs) * 1000),
    cpuPercent: Math.round((user + system) / 10 / elapsedMs),
    residentMiB: Math.round(process.memoryUsage.rss() / 2 ** 20),
  };
}

/** Writes a report for people. */
export function showProbes(reports: ProbesReport[]): string {
  const lines = reports.map(
    ({ kind, pods, probesPerSecond, cpuPercent, residentMiB, failures }) =>
      `${kind.padEnd(5)} ${pods} Pods, a probe each 10 s: ${probesPerSecond} probes/s cost ${cpuPercent} % of one core; ` +
      `${residentMiB} MiB resident; ${failures} failed\n`,
  );
  return lines.join('');
}
