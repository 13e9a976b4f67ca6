import { Counter, Histogram, Registry } from 'prom-client';
import type { LoopCounts } from '../sync/loop.ts';
import { registerGauges } from './gauges.ts';
import { createProbeMetrics, type ProbeMetrics } from './probe-metrics.ts';

/** What the metrics are read from at each scrape. */
export interface MetricSources {
  node: string;
  /** Version of the program. */
  version: string;
  /** Version of the kubelet contract that the Node reports. */
  kubernetesVersion: string;
  counts: () => LoopCounts | undefined;
  podsByPhase: () => Record<string, number>;
  capsulesByStatus: () => Record<string, number>;
  containersByState: () => Record<string, number>;
  /** Monotonic ms. */
  now: () => number;
  isLeader: () => boolean;
  eventsLost: () => number;
  timers: () => number;
}

/** The instruments that the program writes to, and the page that Prometheus reads. */
export interface Metrics {
  readonly registry: Registry;
  /** The page of the probes, apart from the rest: its labels hold Pods. */
  readonly probes: ProbeMetrics;
  kubeCall(call: { verb: string; resource: string; code: number; durationMs: number }): void;
  cloudCall(call: { service: string; operation: string; code: string; durationMs: number }): void;
  step(kind: string): void;
  /** A worker's run for one Pod, as the kubelet's `pod_worker_duration_seconds`. */
  run(durationMs: number): void;
  podStarted(sinceCreationMs: number): void;
  list(durationMs: number): void;
  /** A run that failed and will be tried again, by the kind of the error. */
  retry(kind: string): void;
  /** A sweep of orphans that stopped because it would have taken too many. */
  sweepStopped(): void;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const startBuckets = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600];

/**
 * Makes the metrics. Where a dashboard expects a name of the kubelet, that name is used; what only Zun has is under
 * `zunlet_`. No label of `registry` ever holds a Pod, so the number of series does not grow with the Pods.
 * Source: kubernetes.io/docs/reference/instrumentation/metrics.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const kube = kubeMetrics([registry]);
  const cloud = cloudMetrics([registry]);
  const work = workMetrics([registry]);
  registerGauges(registry, sources);
  return { registry, probes: createProbeMetrics(), kubeCall: kube.call, cloudCall: cloud.call, ...work };
}

type KubeCall = Parameters<Metrics['kubeCall']>[0];
type CloudCall = Parameters<Metrics['cloudCall']>[0];

function kubeMetrics(registers: Registry[]) {
  const kubeCalls = new Counter({
    name: 'rest_client_requests_total',
    help: 'Calls to the API server by verb, resource and code; code 0 is no answer.',
    labelNames: ['verb', 'resource', 'code'],
    registers,
  });
  const kubeSeconds = new Histogram({
    name: 'rest_client_request_duration_seconds',
    help: 'Duration of calls to the API server.',
    labelNames: ['verb', 'resource'],
    buckets: callBuckets,
    registers,
  });
  return {
    call({ verb, resource, code, durationMs }: KubeCall) {
      kubeCalls.inc({ verb, resource, code: String(code) });
      kubeSeconds.observe({ verb, resource }, durationMs / 1000);
    },
  };
}

function cloudMetrics(registers: Registry[]) {
  const cloudSeconds = new Histogram({
    name: 'zunlet_openstack_request_duration_seconds',
    help: 'Duration of calls to OpenStack by service, operation and code.',
    labelNames: ['service', 'operation', 'code'],
    buckets: callBuckets,
    registers,
  });
  const operations = new Counter({
    name: 'kubelet_runtime_operations_total',
    help: 'Operations on capsules.',
    labelNames: ['operation_type'],
    registers,
  });
  const operationErrors = new Counter({
    name: 'kubelet_runtime_operations_errors_total',
    help: 'Operations on capsules that failed.',
    labelNames: ['operation_type'],
    registers,
  });
  const operationSeconds = new Histogram({
    name: 'kubelet_runtime_operations_duration_seconds',
    help: 'Duration of operations on capsules.',
    labelNames: ['operation_type'],
    buckets: callBuckets,
    registers,
  });
  return {
    call({ service, operation, code, durationMs }: CloudCall) {
      cloudSeconds.observe({ service, operation, code }, durationMs / 1000);
      if (service !== 'zun') return;
      operations.inc({ operation_type: operation });
      operationSeconds.observe({ operation_type: operation }, durationMs / 1000);
      if (!code.startsWith('2')) operationErrors.inc({ operation_type: operation });
    },
  };
}

/** What the worker, the poller and the Pods are counted by. */
function workMetrics(registers: Registry[]) {
  const steps = new Counter({
    name: 'zunlet_steps_total',
    help: 'Steps with an effect: create, delete, restart, fail, reject, remove-pod.',
    labelNames: ['step'],
    registers,
  });
  const runs = new Histogram({
    name: 'kubelet_pod_worker_duration_seconds',
    help: 'Duration of one run of the worker for one Pod.',
    labelNames: ['operation_type'],
    buckets: callBuckets,
    registers,
  });
  const starts = new Histogram({
    name: 'kubelet_pod_start_duration_seconds',
    help: 'From the creation of a Pod to its containers having started.',
    buckets: startBuckets,
    registers,
  });
  const lists = new Histogram({
    name: 'kubelet_pleg_relist_duration_seconds',
    help: 'Duration of a complete list of capsules.',
    buckets: callBuckets,
    registers,
  });
  const retries = new Counter({
    name: 'zunlet_run_retries_total',
    help: 'Runs that failed and are tried again, by the kind of the error.',
    labelNames: ['kind'],
    registers,
  });
  const sweepsStopped = new Counter({
    name: 'zunlet_orphan_sweeps_stopped_total',
    help: 'Sweeps of orphans that stopped because they would have taken too many capsules.',
    registers,
  });
  return {
    step: (kind: string) => steps.inc({ step: kind }),
    run: (durationMs: number) => runs.observe({ operation_type: 'sync' }, durationMs / 1000),
    podStarted: (ms: number) => starts.observe(ms / 1000),
    list: (durationMs: number) => lists.observe(durationMs / 1000),
    retry: (kind: string) => retries.inc({ kind }),
    sweepStopped: () => sweepsStopped.inc(),
  };
}
