import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AppError } from '../../../src/base/errors.ts';
import { silentLog } from '../../../src/base/log.ts';
import { cadvisorMetrics } from '../../../src/server/cadvisor-metrics.ts';
import { resourceMetrics } from '../../../src/server/resource-metrics.ts';
import type { ContainerRuntime, ContainerStats } from '../../../src/server/runtime.ts';
import { createStatsCache } from '../../../src/server/stats.ts';
import { jsonText, statsSummary } from '../../../src/server/summary.ts';
import { createCpuCounter, parseProcStat } from '../../../src/server/zun-cpu.ts';
import { capsuleMembers } from '../../../src/status/members.ts';
import { noRuntime, runningPod } from '../../lib/kubelet-bed.ts';
import { createManualClock, type ManualClock } from '../../lib/manual-clock.ts';

const someStats: ContainerStats = {
  cpuNanoseconds: 10_000_000_000n,
  memoryWorkingSetBytes: 67_108_864n,
  memoryLimitBytes: 536_870_912n,
  networkReceivedBytes: 1000n,
  networkSentBytes: 2000n,
  blockReadBytes: 4096n,
  blockWrittenBytes: 8192n,
};

interface Scene {
  clock: ManualClock;
  calls: () => number;
  read: ReturnType<typeof createStatsCache>['read'];
}

function scene(stats: () => ContainerStats | AppError, delayMs = 0): Scene {
  const clock = createManualClock();
  const { pod, capsule } = runningPod();
  let calls = 0;
  const runtime: ContainerRuntime = {
    ...noRuntime,
    ensureServed: () => Promise.resolve(),
    async stats() {
      calls += 1;
      if (delayMs > 0) await new Promise<void>((resolve) => void clock.after(delayMs, resolve));
      const answer = stats();
      if (answer instanceof AppError) throw answer;
      return answer;
    },
  };
  const sources = {
    pods: { get: () => pod, byName: () => pod, all: () => [pod], isComplete: () => true },
    capsules: { ofPod: () => [capsule], all: () => [capsule] },
    members: capsuleMembers,
  };
  const cache = createStatsCache({ sources, runtime, clock, log: silentLog });
  return { clock, calls: () => calls, read: cache.read };
}

async function snapshotOf(stats: ContainerStats) {
  const { read } = scene(() => stats);
  return read();
}

test('stats: ten readers at once and again within ten seconds: one sweep', async () => {
  const { read, calls, clock } = scene(() => someStats);
  await Promise.all(Array.from({ length: 10 }, read));
  await clock.advance(9_000);
  await read();
  assert.equal(calls(), 1);
  await clock.advance(2_000);
  await read();
  await clock.advance(0);
  assert.equal(calls(), 2);
});

test('stats: a slow cloud: later readers get the last measurement at once', async () => {
  const { read, clock, calls } = scene(() => someStats, 3_000);
  const first = read();
  await clock.advance(3_000);
  assert.equal((await first).samples.length, 1);
  await clock.advance(10_000);
  assert.equal((await read()).samples.length, 1);
  assert.equal(calls(), 2);
});

test('stats: a cloud that never answers: the first reader waits five seconds at most', async () => {
  const { read, clock } = scene(() => someStats, 3_600_000);
  const first = read();
  await clock.advance(5_001);
  assert.deepEqual((await first).samples, []);
});

test('stats: use between two measurements: the rate, and a sum for the node that only grows', async () => {
  let cpu = 10_000_000_000n;
  const { read, clock } = scene(() => ({ ...someStats, cpuNanoseconds: cpu }));
  await read();
  cpu = 25_000_000_000n;
  await clock.advance(30_000);
  await read();
  await clock.advance(0);
  const grown = await read();
  assert.equal(grown.samples[0]?.nanoCores, 500_000_000n);
  assert.equal(grown.nodeCpuNanoseconds, 25_000_000_000n);
  cpu = 1_000_000_000n;
  await clock.advance(30_000);
  await read();
  await clock.advance(0);
  assert.equal((await read()).nodeCpuNanoseconds, 25_000_000_000n);
});

test('stats: the cloud fails: the old measurement stays for two minutes, then the pod is incomplete', async () => {
  let answer: ContainerStats | AppError = someStats;
  const { read, clock } = scene(() => answer);
  await read();
  answer = new AppError({ kind: 'retryable', code: 'x', message: 'no answer' });
  for (let passed = 0; passed < 110_000; passed += 11_000) {
    await clock.advance(11_000);
    await read();
  }
  await clock.advance(0);
  assert.equal((await read()).samples.length, 1);
  await clock.advance(20_000);
  await read();
  await clock.advance(0);
  const late = await read();
  assert.deepEqual([late.samples.length, late.incomplete.size, late.hasError], [0, 1, true]);
});

test('metrics/resource: a running container: names, labels and times as metrics-server wants them', async () => {
  const text = resourceMetrics(await snapshotOf({ ...someStats, cpuNanoseconds: 18_446_744_073_709_551_615n }));
  const at = Date.parse('2026-01-01T00:00:00Z');
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  const labels = 'container="app",namespace="default",pod="web"';
  assert.deepEqual(samples, [
    `node_cpu_usage_seconds_total 18446744073.709551615 ${at}`,
    `node_memory_working_set_bytes 67108864 ${at}`,
    `container_cpu_usage_seconds_total{${labels}} 18446744073.709551615 ${at}`,
    `container_memory_working_set_bytes{${labels}} 67108864 ${at}`,
    `container_start_time_seconds{${labels}} ${at / 1000}`,
    `pod_cpu_usage_seconds_total{namespace="default",pod="web"} 18446744073.709551615 ${at}`,
    `pod_memory_working_set_bytes{namespace="default",pod="web"} 67108864 ${at}`,
    'resource_scrape_error 0',
  ]);
});

for (const [name, stats] of Object.entries<ContainerStats>({
  'no processor time': { memoryWorkingSetBytes: 1n },
  'no memory': { cpuNanoseconds: 1n },
  'memory of zero': { cpuNanoseconds: 1n, memoryWorkingSetBytes: 0n },
})) {
  test(`metrics/resource: a container with ${name}: nothing of its pod`, async () => {
    assert.doesNotMatch(resourceMetrics(await snapshotOf(stats)), /\{/);
  });
}

test('metrics/resource: a container that has used nothing yet: a nanosecond, since zero drops its pod', async () => {
  const text = resourceMetrics(await snapshotOf({ ...someStats, cpuNanoseconds: 0n }));
  assert.match(text, /^container_cpu_usage_seconds_total\{.*\} 0\.000000001 /m);
});

test('stats/summary: numbers over 2^53: exact', async () => {
  const snapshot = await snapshotOf({ ...someStats, cpuNanoseconds: 9_007_199_254_740_993n });
  const text = jsonText(statsSummary(snapshot, { name: 'zun-1', startedMs: 0 }, false));
  assert.match(text, /"usageCoreNanoSeconds":9007199254740993\b/);
  const summary = JSON.parse(text) as { node: { nodeName: string }; pods: { podRef: object; containers: object[] }[] };
  assert.equal(summary.node.nodeName, 'zun-1');
  assert.equal(summary.pods[0]?.containers.length, 1);
});

test('stats/summary: only processor and memory: no network', async () => {
  const snapshot = await snapshotOf(someStats);
  const node = { name: 'zun-1', startedMs: 0 };
  assert.match(jsonText(statsSummary(snapshot, node, false)), /"rxBytes":1000/);
  assert.doesNotMatch(jsonText(statsSummary(snapshot, node, true)), /network/);
});

test('JSON text: every kind of value: as JSON.stringify, and whole numbers of any size', () => {
  const value = { a: [1, 'x"\n', null, true, { b: undefined, c: {} }], d: -1.5 };
  assert.equal(jsonText(value), JSON.stringify(value));
  assert.equal(jsonText({ n: 2n ** 64n, u: undefined }), '{"n":18446744073709551616}');
});

test('metrics/cadvisor: a running container: image and name on its rows, none on the network of the pod', async () => {
  const text = cadvisorMetrics(await snapshotOf(someStats), { cpuCores: 8, memoryBytes: 1024n });
  assert.match(text, /^container_cpu_usage_seconds_total\{container="app",.*image="busybox:1",.*cpu="total"\} 10 /m);
  assert.match(text, /^container_network_receive_bytes_total\{container="",.*interface="eth0"\} 1000 /m);
  assert.match(text, /^machine_cpu_cores 8$/m);
});

const procStat = 'cpu  100 0 100 9000 100 50 50 600 0 0\ncpu0 1 2 3\ncpu1 1 2 3\nintr 5\n';

test('processor time: of Zun’s share of the host since its start: the container’s own, growing with the host', async () => {
  const clock = createManualClock();
  const counter = createCpuCounter({
    clock,
    execute: () => Promise.resolve({ output: procStat, exitCode: 0 }),
  });
  const { signal } = new AbortController();
  // The host has done 94 s of work and idling; two processors add two seconds a second.
  assert.equal(await counter.nanoseconds('c', 50, signal), 47_000_000_000n);
  await clock.advance(10_000);
  assert.equal(await counter.nanoseconds('c', 50, signal), 57_000_000_000n);
  assert.equal(await counter.nanoseconds('c', 40, signal), 57_000_000_000n);
});

test('processor time: an image without cat: not known', async () => {
  const clock = createManualClock();
  const counter = createCpuCounter({ clock, execute: () => Promise.resolve({ output: 'no cat', exitCode: 127 }) });
  assert.equal(await counter.nanoseconds('c', 50, new AbortController().signal), undefined);
});

test('proc stat: not one: not known', () => {
  assert.equal(parseProcStat('hello', 0), undefined);
});
