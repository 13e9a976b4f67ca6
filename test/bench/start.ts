import { availableParallelism } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { createApi, readKubeconfig } from '../e2e/lib/api.ts';
import type { AuditMark } from '../e2e/lib/audit.ts';
import { type EmulatedCloud, startEmulatedCloud } from '../e2e/lib/cloud.ts';
import { type ControlPlane, startControlPlane } from '../e2e/lib/control-plane.ts';
import { pod } from '../e2e/lib/manifests.ts';
import { isRunning, observePods, type PodObserver } from '../e2e/lib/observe.ts';
import { startZunlet, untilWatching, type Zunlet } from '../e2e/lib/zunlet.ts';

const podsPath = '/api/v1/namespaces/default/pods';
/** Pods are created over so many connections; the API server, not this process, must set the pace. */
const creators = 32;
const calmSeconds = 20;
const limitMs = 600_000;

/** What to measure. */
export interface StartOptions {
  count: number;
  /** Hears what goes on. */
  say: (line: string) => void;
  /** Where CPU profiles of zunlet go, one for each of its lives. */
  profileFolder?: string;
}

/** What one measurement found. Requests are those that the API server's audit log shows, without Lease renewals. */
export interface StartReport {
  pods: number;
  node: string;
  kubernetes: string;
  cpus: number;
  start: {
    podsPerSecond: number;
    p50Ms: number;
    p99Ms: number;
    totalMs: number;
    requestsPerPod: number;
    zunCallsPerPod: number;
  };
  memory: { emptyMiB: number; runningMiB: number; peakMiB: number };
  calm: { seconds: number; requests: number; zunCalls: number };
  restart: { requests: number; zunCalls: number; readyMs: number };
  remove: { totalMs: number; requestsPerPod: number };
}

interface Bench {
  plane: ControlPlane;
  cloud: EmulatedCloud;
  zunlet: Zunlet;
  pods: PodObserver;
  count: number;
}

/**
 * Starts `count` Pods that are bound from their creation, lets them be, restarts zunlet, and deletes them all. A Pod's
 * latency is from the answer to its creation until its Ready condition came by a watch.
 */
export async function measureStart({ count, say, profileFolder }: StartOptions): Promise<StartReport> {
  say('starting the control plane, the emulated cloud and zunlet');
  const plane = await startControlPlane({ audit: true, scheduler: false });
  const cloud = await startEmulatedCloud();
  const flags = { pods: String(count + 100), cpu: '10000', memory: '100Ti', 'log-level': 'warn' };
  const nodeArgs = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
  const zunlet = await startZunlet({ plane, cloud: cloud.env, nodeName: 'bench', flags, nodeArgs });
  await untilWatching(plane, zunlet);
  const pods = await observePods(plane.api);
  const bench: Bench = { plane, cloud, zunlet, pods, count };
  try {
    const emptyMiB = zunlet.memory().residentMiB;
    say(`creating ${count} Pods`);
    const start = await createAll(bench);
    say(`watching ${calmSeconds} s of calm`);
    const calm = await beCalm(bench);
    const { residentMiB: runningMiB, peakMiB } = zunlet.memory();
    say('restarting zunlet');
    const restart = await restartOnce(bench);
    say('deleting all Pods');
    const remove = await removeAll(bench);
    const { gitVersion } = await plane.api.get<{ gitVersion: string }>('/version');
    const machine = { node: process.version, kubernetes: gitVersion, cpus: availableParallelism() };
    return { pods: count, ...machine, start, memory: { emptyMiB, runningMiB, peakMiB }, calm, restart, remove };
  } finally {
    await pods.stop();
    await zunlet.stop();
    await Promise.all([cloud.stop(), plane.stop()]);
  }
}

async function createAll({ plane, cloud, zunlet, pods, count }: Bench): Promise<StartReport['start']> {
  const api = createApi(readKubeconfig(plane.kubeconfig), creators);
  const createdAt = new Map<string, number>();
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  const began = performance.now();
  const names = Array.from({ length: count }, (_, index) => `pod-${index}`);
  await Promise.all(
    names.map(async (name) => {
      await api.post(podsPath, pod(name, { nodeName: zunlet.nodeName }));
      createdAt.set(name, performance.now());
    }),
  );
  await untilRunning(pods, count);
  await api.close();

  const readyAt = new Map<string, number>();
  for (const change of pods.changes) {
    const { name } = change.pod.metadata;
    if (isRunning(change.pod) && !readyAt.has(name)) readyAt.set(name, change.at);
  }
  const last = Math.max(...readyAt.values());
  const latencies = names.map((name) => (readyAt.get(name) ?? last) - (createdAt.get(name) ?? began));
  const sorted = latencies.toSorted((a, b) => a - b);
  const percentile = (share: number) => Math.round(sorted[Math.ceil(share * sorted.length) - 1] ?? 0);
  // Events follow a moment after the status that they tell of.
  await delay(2_000);
  return {
    podsPerSecond: round(count / ((last - began) / 1000)),
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    totalMs: Math.round(last - began),
    requestsPerPod: round(requestsSince(plane, zunlet, mark) / count),
    zunCallsPerPod: round((await zunCalls(cloud)) / count),
  };
}

/** Counts waiting Pods by watch events, not by asking: asking would slow down what is measured. */
function untilRunning(pods: PodObserver, count: number): Promise<true> {
  const running = new Set<string>();
  let seen = 0;
  return pods.until(
    'all Pods run',
    () => {
      for (; seen < pods.changes.length; seen += 1) {
        const change = pods.changes[seen];
        if (change && isRunning(change.pod)) running.add(change.pod.metadata.name);
      }
      return running.size >= count;
    },
    limitMs,
  );
}

async function beCalm({ plane, cloud, zunlet }: Bench): Promise<StartReport['calm']> {
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  await delay(calmSeconds * 1000);
  return { seconds: calmSeconds, requests: requestsSince(plane, zunlet, mark), zunCalls: await zunCalls(cloud) };
}

async function restartOnce({ plane, cloud, zunlet }: Bench): Promise<StartReport['restart']> {
  await zunlet.stop();
  const mark = plane.audit.mark();
  await cloud.resetCounts();
  const began = performance.now();
  await zunlet.start();
  const readyMs = Math.round(performance.now() - began);
  // What a restart costs may come late: wait out the settling time of a minute.
  await delay(70_000);
  return { requests: requestsSince(plane, zunlet, mark), zunCalls: await zunCalls(cloud), readyMs };
}

async function removeAll({ plane, zunlet, pods, count }: Bench): Promise<StartReport['remove']> {
  const mark = plane.audit.mark();
  const began = performance.now();
  await plane.api.delete(podsPath);
  await pods.until('all Pods are gone', () => pods.count() === 0, limitMs);
  const totalMs = Math.round(performance.now() - began);
  await delay(2_000);
  return { totalMs, requestsPerPod: round(requestsSince(plane, zunlet, mark) / count) };
}

function requestsSince(plane: ControlPlane, zunlet: Zunlet, mark: AuditMark): number {
  const events = plane.audit.since(mark).filter(({ user }) => user.username === zunlet.user);
  // A watch is in the log when it starts and when it ends.
  const once = events.filter(({ verb, stage }) => verb !== 'watch' || stage === 'ResponseStarted');
  return once.filter(({ objectRef }) => objectRef?.resource !== 'leases').length;
}

async function zunCalls(cloud: EmulatedCloud): Promise<number> {
  return Object.values(await cloud.counts()).reduce((sum, { calls }) => sum + calls, 0);
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
