import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from '../../../src/telemetry/metrics.ts';

function metrics() {
  return createMetrics({
    node: 'zun-1',
    version: '1.2.3',
    kubernetesVersion: 'v1.34.2',
    counts: () => ({ ready: 1, delayed: 2, running: 3, remembered: 4, pods: 5, capsules: 6, listedAt: 7_000 }),
    podsByPhase: () => ({ Running: 4, Pending: 1 }),
    capsulesByStatus: () => ({ Running: 6 }),
    containersByState: () => ({ running: 8 }),
    now: () => 10_000,
    isLeader: () => true,
    eventsLost: () => 0,
    timers: () => 0,
  });
}

for (const line of [
  'kubelet_node_name{node="zun-1"} 1',
  'kubelet_running_pods 4',
  'kubelet_desired_pods 5',
  'zunlet_capsules{status="Running"} 6',
  'zunlet_queue_delayed 2',
  'zunlet_observation_age_seconds 3',
  'zunlet_leader 1',
]) {
  test(`metrics: a scrape: has ${line}`, async () => {
    assert.ok((await metrics().registry.metrics()).split('\n').includes(line));
  });
}

test('metrics: version of Kubernetes: as dashboards compare it', async () => {
  assert.match(
    await metrics().registry.metrics(),
    /^kubernetes_build_info\{git_version="v1.34.2",major="1",minor="34",/m,
  );
});

test('metrics: a call to Zun fails: counted as the kubelet counts operations', async () => {
  const made = metrics();
  made.cloudCall({ service: 'zun', operation: 'capsule.create', code: '500', durationMs: 1200 });
  made.cloudCall({ service: 'keystone', operation: 'login', code: '201', durationMs: 5 });
  const lines = (await made.registry.metrics()).split('\n');
  assert.ok(lines.includes('kubelet_runtime_operations_total{operation_type="capsule.create"} 1'));
  assert.ok(lines.includes('kubelet_runtime_operations_errors_total{operation_type="capsule.create"} 1'));
  assert.ok(lines.some((line) => line.startsWith('zunlet_openstack_request_duration_seconds_sum{service="zun"')));
  assert.equal(lines.filter((line) => /^kubelet_runtime.*login/.test(line)).length, 0);
});

test('metrics: a run fails and a sweep stops: both are counted', async () => {
  const made = metrics();
  made.retry('retryable');
  made.retry('retryable');
  made.sweepStopped();
  const lines = (await made.registry.metrics()).split('\n');
  assert.ok(lines.includes('zunlet_run_retries_total{kind="retryable"} 2'));
  assert.ok(lines.includes('zunlet_orphan_sweeps_stopped_total 1'));
});

test('metrics: processor time: a counter that follows the process at each scrape', async () => {
  const made = metrics();
  const read = async () => Number(/^process_cpu_seconds_total (\S+)$/m.exec(await made.registry.metrics())?.[1]);
  const first = await read();
  assert.ok(first > 0);
  assert.ok((await read()) >= first && (await read()) < first + 60);
});
