import { type Family, prometheusText, type Sample, secondsText } from './prometheus-text.ts';
import type { ContainerSample, StatsSnapshot } from './stats.ts';

/**
 * Writes `/metrics/resource` as metrics-server wants it: times of measurement on each sample, containers only with both
 * numbers above zero, since one without drops its whole Pod, Pods only when all their running containers are there.
 * Source: pkg/kubelet/metrics/collectors/resource_metrics.go; metrics-server pkg/scraper/client/resource.
 */
export function resourceMetrics(snapshot: StatsSnapshot): string {
  const usable = snapshot.samples.filter(isUsable);
  const isComplete = (uid: string): boolean =>
    !snapshot.incomplete.has(uid) && !snapshot.samples.some((s) => s.pod.metadata.uid === uid && !isUsable(s));
  const shown = usable.filter((sample) => isComplete(sample.pod.metadata.uid));
  const pods = groupByPod(shown);
  return prometheusText([
    ...nodeFamilies(snapshot, shown),
    family('container_cpu_usage_seconds_total', 'counter', 'Processor time used by the container', shown, cpuSample),
    family('container_memory_working_set_bytes', 'gauge', 'Working set of the container', shown, (sample) => ({
      labels: containerLabels(sample),
      value: sample.stats.memoryWorkingSetBytes ?? 0n,
      timestampMs: sample.measuredMs,
    })),
    {
      name: 'container_start_time_seconds',
      type: 'gauge',
      help: 'Start time of the container since unix epoch in seconds',
      samples: shown.flatMap(startSample),
    },
    family('pod_cpu_usage_seconds_total', 'counter', 'Processor time used by the pod', pods, (pod) => ({
      ...podSample(pod),
      value: secondsText(sum(pod, cpuOf)),
    })),
    family('pod_memory_working_set_bytes', 'gauge', 'Working set of the pod', pods, (pod) => ({
      ...podSample(pod),
      value: sum(pod, memoryOf),
    })),
    {
      name: 'resource_scrape_error',
      type: 'gauge',
      help: '1 if there was an error while getting container metrics, 0 otherwise',
      samples: [{ labels: {}, value: snapshot.hasError ? '1' : '0' }],
    },
  ]);
}

function nodeFamilies(snapshot: StatsSnapshot, shown: ContainerSample[]): Family[] {
  if (shown.length === 0 || snapshot.nodeCpuNanoseconds === 0n) return [];
  const timestampMs = Math.max(...shown.map((sample) => sample.measuredMs));
  return [
    {
      name: 'node_cpu_usage_seconds_total',
      type: 'counter',
      help: 'Processor time used by the containers of the node',
      samples: [{ labels: {}, value: secondsText(snapshot.nodeCpuNanoseconds), timestampMs }],
    },
    {
      name: 'node_memory_working_set_bytes',
      type: 'gauge',
      help: 'Working set of the containers of the node',
      samples: [{ labels: {}, value: sum(shown, memoryOf), timestampMs }],
    },
  ];
}

function family<T>(name: string, type: Family['type'], help: string, items: T[], sample: (item: T) => Sample): Family {
  return { name, type, help, samples: items.map(sample) };
}

function isUsable(sample: ContainerSample): boolean {
  return sample.stats.cpuNanoseconds !== undefined && memoryOf(sample) > 0n;
}

/** A running container whose counter still stands at zero has used a nanosecond at least. */
function cpuOf(sample: ContainerSample): bigint {
  return sample.stats.cpuNanoseconds || 1n;
}

function memoryOf(sample: ContainerSample): bigint {
  return sample.stats.memoryWorkingSetBytes ?? 0n;
}

function cpuSample(sample: ContainerSample): Sample {
  return { labels: containerLabels(sample), value: secondsText(cpuOf(sample)), timestampMs: sample.measuredMs };
}

function startSample(sample: ContainerSample): Sample[] {
  const startedAt = Date.parse(sample.status.state?.running?.startedAt ?? '');
  return Number.isNaN(startedAt) ? [] : [{ labels: containerLabels(sample), value: String(startedAt / 1000) }];
}

function containerLabels(sample: ContainerSample): Record<string, string> {
  const { namespace, name } = sample.pod.metadata;
  return { container: sample.status.name, namespace, pod: name };
}

function podSample(samples: ContainerSample[]): { labels: Record<string, string>; timestampMs: number } {
  const { namespace = '', name: pod = '' } = samples[0]?.pod.metadata ?? {};
  return { labels: { namespace, pod }, timestampMs: Math.max(...samples.map((sample) => sample.measuredMs)) };
}

function sum(samples: ContainerSample[], value: (sample: ContainerSample) => bigint): bigint {
  return samples.reduce((total, sample) => total + value(sample), 0n);
}

/** Brings the samples of each Pod together, in the order of the first. */
export function groupByPod(samples: ContainerSample[]): ContainerSample[][] {
  const pods = new Map<string, ContainerSample[]>();
  for (const sample of samples) {
    const { uid } = sample.pod.metadata;
    pods.set(uid, [...(pods.get(uid) ?? []), sample]);
  }
  return [...pods.values()];
}
