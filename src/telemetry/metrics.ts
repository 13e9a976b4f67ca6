import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { LoopCounts } from '../sync/loop.ts';

/** What the metrics are read from at each scrape. */
export interface MetricSources {
  node: string;
  counts: () => LoopCounts | undefined;
  podsByPhase: () => Record<string, number>;
  capsulesByStatus: () => Record<string, number>;
  containersByState: () => Record<string, number>;
  /** Monotonic ms. */
  now: () => number;
  isLeader: () => boolean;
  eventsLost: () => number;
}

/** The instruments that the program writes to, and the page that Prometheus reads. */
export interface Metrics {
  readonly registry: Registry;
  kubeCall(call: { verb: string; resource: string; code: number; durationMs: number }): void;
  cloudCall(call: { service: string; operation: string; code: string; durationMs: number }): void;
  step(kind: string): void;
  /** A worker's run for one Pod, as the kubelet's `pod_worker_duration_seconds`. */
  run(durationMs: number): void;
  podStarted(sinceCreationMs: number): void;
  list(durationMs: number): void;
}

const callBuckets = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const startBuckets = [0.5, 1, 2, 3, 5, 10, 20, 30, 60, 120, 300, 600];

/**
 * Makes the metrics. Where a dashboard expects a name of the kubelet, that name is used; what only Zun has is under
 * `zunlet_`. No label ever holds a Pod, so the number of series does not grow with the Pods.
 * Source: kubernetes.io/docs/reference/instrumentation/metrics.
 */
export function createMetrics(sources: MetricSources): Metrics {
  const registry = new Registry();
  const registers = [registry];
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
  const steps = new Counter({
    name: 'zunlet_steps_total',
    help: 'Steps with an effect: create, delete, fail, reject, remove-pod.',
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
  registerGauges(registry, sources);

  return {
    registry,
    kubeCall({ verb, resource, code, durationMs }) {
      kubeCalls.inc({ verb, resource, code: String(code) });
      kubeSeconds.observe({ verb, resource }, durationMs / 1000);
    },
    cloudCall({ service, operation, code, durationMs }) {
      cloudSeconds.observe({ service, operation, code }, durationMs / 1000);
      if (service !== 'zun') return;
      operations.inc({ operation_type: operation });
      if (!code.startsWith('2')) operationErrors.inc({ operation_type: operation });
    },
    step: (kind) => steps.inc({ step: kind }),
    run: (durationMs) => runs.observe({ operation_type: 'sync' }, durationMs / 1000),
    podStarted: (ms) => starts.observe(ms / 1000),
    list: (durationMs) => lists.observe(durationMs / 1000),
  };
}

/** Gauges whose value is asked for at the scrape and never kept. */
function registerGauges(registry: Registry, sources: MetricSources): void {
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers: [registry],
      collect() {
        this.set(read());
      },
    });
  const byLabel = (name: string, help: string, label: string, read: () => Record<string, number>) =>
    new Gauge({
      name,
      help,
      labelNames: [label],
      registers: [registry],
      collect() {
        this.reset();
        for (const [value, count] of Object.entries(read())) this.set({ [label]: value }, count);
      },
    });
  const counts = (read: (counts: LoopCounts) => number) => () => {
    const now = sources.counts();
    return now ? read(now) : 0;
  };
  new Gauge({
    name: 'kubelet_node_name',
    help: 'The name of the node; always 1.',
    labelNames: ['node'],
    registers: [registry],
  }).set({ node: sources.node }, 1);
  gauge('kubelet_running_pods', 'Pods with a capsule that runs.', () => sources.podsByPhase()['Running'] ?? 0);
  byLabel('kubelet_running_containers', 'Containers by state.', 'container_state', sources.containersByState);
  byLabel('zunlet_pods', 'Pods of this node by phase.', 'phase', sources.podsByPhase);
  byLabel('zunlet_capsules', 'Capsules of this node by status.', 'status', sources.capsulesByStatus);
  gauge(
    'kubelet_desired_pods',
    'Pods bound to this node.',
    counts(({ pods }) => pods),
  );
  gauge(
    'zunlet_queue_ready',
    'Pods that wait for a worker.',
    counts(({ ready }) => ready),
  );
  gauge(
    'zunlet_queue_delayed',
    'Pods that wait for a time.',
    counts(({ delayed }) => delayed),
  );
  gauge(
    'zunlet_queue_running',
    'Pods that are worked on.',
    counts(({ running }) => running),
  );
  gauge('zunlet_observation_age_seconds', 'Age of the last complete list of capsules; -1 before the first.', () => {
    const now = sources.counts();
    return now && Number.isFinite(now.listedAt) ? (sources.now() - now.listedAt) / 1000 : -1;
  });
  gauge('zunlet_leader', '1 while this process works for the node.', () => (sources.isLeader() ? 1 : 0));
  gauge('zunlet_events_lost', 'Events that were not sent.', sources.eventsLost);
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss());
  gauge('process_cpu_seconds_total', 'Processor time used.', () => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  });
  gauge('process_start_time_seconds', 'Start of the process, seconds since 1970.', () => performance.timeOrigin / 1000);
}
