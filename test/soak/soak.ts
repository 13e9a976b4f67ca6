import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ownerLabel } from '../../src/base/identity.ts';
import type { Pod } from '../../src/kube/types.ts';
import { type ChaosCloud, startCloud } from '../chaos/cloud.ts';
import { createSeat } from '../chaos/seat.ts';
import { pod as podManifest } from '../e2e/lib/manifests.ts';
import { temporaryFolder, until } from '../e2e/lib/processes.ts';
import type { Quantity, SoakReport } from './report.ts';
import { fitSlope } from './slope.ts';

export interface SoakWish {
  minutes: number;
  pods: number;
  churnPerSecond: number;
}

/** What the health page told at one moment. */
interface Sample {
  atMs: number;
  residentMiB: number;
  heapMiB: number;
  openFiles: number;
  timers: number;
  lagP99Ms: number;
  cpuSeconds: number;
}

const nodeName = 'soak';
const podsPath = '/api/v1/namespaces/default/pods';
const sampleEveryMs = 5000;
const mib = 1 << 20;

/** Runs one soak. */
export async function soak(wish: SoakWish, say: (line: string) => void): Promise<SoakReport> {
  const cloud = await startCloud(['--kube', '--no-listeners', '--cidr', '127.64.0.0/12']);
  const folder = temporaryFolder('soak');
  const node = startNode(cloud, folder, wish.pods);
  try {
    const page = await until('the health page is served', () => healthPage(node.logFile));
    const api = createPods(cloud.kubeUrl);
    await until('the node is registered', async () => (await api.nodes()) === 1);
    say(`making ${wish.pods} Pods`);
    for (let index = 0; index < wish.pods; index += 1) await api.create(`pod-${index}`, index);
    await until('all Pods run', async () => (await api.notRunning()) === 0, { limitMs: 600_000, everyMs: 1000 });
    say(`replacing ${wish.churnPerSecond} Pods a second for ${wish.minutes} min`);
    const lengthMs = wish.minutes * 60_000;
    const [samples, replaced] = await Promise.all([watch(page, lengthMs, say), churn(api, wish, lengthMs)]);
    await until('all Pods run again', async () => (await api.notRunning()) === 0, {
      limitMs: 180_000,
      everyMs: 1000,
    }).catch(() => undefined);
    const uids = new Set((await api.list()).map(({ metadata }) => metadata.uid));
    const { capsules, containers } = await cloud.control.zun.inventory();
    return {
      ...summary(samples, wish),
      replaced,
      notRunning: await api.notRunning(),
      doubles: (await cloud.control.zun.doubles()).length,
      strayCapsules: [...capsules, ...containers].filter(({ labels }) => !uids.has(labels[ownerLabel.uid] ?? ''))
        .length,
    };
  } finally {
    await node.stop();
    await cloud.stop();
  }
}

function startNode(cloud: ChaosCloud, folder: string, pods: number): { logFile: string; stop(): Promise<void> } {
  const kubeconfig = join(folder, 'kubeconfig');
  writeFileSync(kubeconfig, cloud.kubeconfig);
  const logFile = join(folder, 'zunlet.log');
  const seat = createSeat({
    name: 'zunlet',
    flags: {
      ...{ kubeconfig, 'node-name': nodeName, 'node-addresses': '127.0.0.1', 'kubelet-port': '0' },
      ...{ 'health-address': '127.0.0.1:0', pods: String(pods + 200), cpu: '10000', memory: '100Ti' },
    },
    env: cloud.env,
    logFile,
  });
  seat.start();
  return { logFile, stop: () => seat.stop() };
}

/** Finds in the log where the health page is. */
function healthPage(logFile: string): string | undefined {
  const address = /"address":"([^"]+)"[^\n]*health and metrics are served/.exec(readFileSync(logFile, 'utf8'))?.[1];
  return address && `http://${address}/metrics`;
}

interface Pods {
  create(name: string, index: number): Promise<void>;
  remove(name: string): Promise<void>;
  list(): Promise<Pod[]>;
  notRunning(): Promise<number>;
  nodes(): Promise<number>;
}

function createPods(url: string): Pods {
  async function call(method: string, path: string, body?: object): Promise<unknown> {
    const headers = { 'content-type': 'application/json' };
    const answer = await fetch(`${url}${path}`, { method, headers, ...(body && { body: JSON.stringify(body) }) });
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${await answer.text()}`);
    return answer.json();
  }
  // The emulator's own answers.
  const list = async () => ((await call('GET', podsPath)) as { items: Pod[] }).items;
  return {
    list,
    async create(name, index) {
      // Zun's quota is 40 standalone containers a project.
      const annotations = index % 40 === 0 ? { 'zunlet.io/backend': 'container' } : undefined;
      const spec = { terminationGracePeriodSeconds: 2 };
      await call('POST', podsPath, podManifest(name, { nodeName, spec, ...(annotations && { annotations }) }));
    },
    async remove(name) {
      await call('DELETE', `${podsPath}/${name}`);
    },
    notRunning: async () => (await list()).filter(({ status }) => status?.phase !== 'Running').length,
    nodes: async () => ((await call('GET', '/api/v1/nodes')) as { items: object[] }).items.length,
  };
}

/** Replaces Pods, the oldest first, each by one of a new name. Answers how many. */
async function churn(pods: Pods, wish: SoakWish, lengthMs: number): Promise<number> {
  const endAt = performance.now() + lengthMs;
  let made = wish.pods;
  for (; wish.churnPerSecond > 0 && performance.now() < endAt; made += 1) {
    await pods.remove(`pod-${made - wish.pods}`);
    await pods.create(`pod-${made}`, made);
    await delay(1000 / wish.churnPerSecond);
  }
  return made - wish.pods;
}

async function watch(page: string, lengthMs: number, say: (line: string) => void): Promise<Sample[]> {
  const startedAt = performance.now();
  const samples: Sample[] = [];
  while (performance.now() - startedAt < lengthMs) {
    const sample = readSample(await (await fetch(page)).text(), performance.now() - startedAt);
    samples.push(sample);
    if (samples.length % 12 === 0) say(JSON.stringify(sample, (_key, value: unknown) => rounded(value)));
    await delay(sampleEveryMs);
  }
  return samples;
}

function rounded(value: unknown): unknown {
  return typeof value === 'number' ? Math.round(value * 10) / 10 : value;
}

function readSample(text: string, atMs: number): Sample {
  const value = (name: string) => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(text)?.[1]);
  return {
    atMs,
    residentMiB: value('process_resident_memory_bytes') / mib,
    heapMiB: value('nodejs_heap_size_used_bytes') / mib,
    openFiles: value('process_open_fds'),
    timers: value('zunlet_timers'),
    lagP99Ms: value('nodejs_eventloop_lag_p99_seconds') * 1000,
    cpuSeconds: value('process_cpu_seconds_total'),
  };
}

type Summary = Omit<SoakReport, 'replaced' | 'notRunning' | 'doubles' | 'strayCapsules'>;

function summary(all: readonly Sample[], wish: SoakWish): Summary {
  const warmUpMinutes = Math.min(5, wish.minutes / 4);
  const samples = all.filter(({ atMs }) => atMs >= warmUpMinutes * 60_000);
  const quantity = (read: (sample: Sample) => number): Quantity => {
    const values = samples.map(read);
    return {
      first: values[0] ?? Number.NaN,
      last: values.at(-1) ?? Number.NaN,
      min: Math.min(...values),
      max: Math.max(...values),
      slope: fitSlope(samples.map((sample) => ({ atMs: sample.atMs, value: read(sample) }))),
    };
  };
  const lags = samples.map(({ lagP99Ms }) => lagP99Ms).toSorted((a, b) => a - b);
  const [first, last] = [samples[0], samples.at(-1)];
  const wallSeconds = ((last?.atMs ?? 0) - (first?.atMs ?? 0)) / 1000;
  return {
    minutes: wish.minutes,
    warmUpMinutes,
    pods: wish.pods,
    node: process.version,
    cpus: availableParallelism(),
    samples: samples.length,
    residentMiB: quantity((sample) => sample.residentMiB),
    heapMiB: quantity((sample) => sample.heapMiB),
    openFiles: quantity((sample) => sample.openFiles),
    timers: quantity((sample) => sample.timers),
    lagP99Ms: { median: lags[lags.length >> 1] ?? Number.NaN, max: lags.at(-1) ?? Number.NaN },
    cpuShare: ((last?.cpuSeconds ?? 0) - (first?.cpuSeconds ?? 0)) / wallSeconds,
  };
}
