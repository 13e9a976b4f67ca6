import { Registry } from 'prom-client';
import { createServerMetrics } from '../../src/server/metrics.ts';
import { createMetrics } from '../../src/telemetry/metrics.ts';

/** A metric as the program registers it. */
export interface MetricRow {
  name: string;
  help: string;
  type: string;
  labels: string[];
}

/** Every metric of /metrics, sorted by name. */
export function metricRows(): MetricRow[] {
  const none = () => ({});
  const own = createMetrics({
    node: '',
    version: '',
    kubernetesVersion: 'v1.0.0',
    counts: () => undefined,
    podsByPhase: none,
    capsulesByStatus: none,
    containersByState: none,
    now: () => 0,
    isLeader: () => false,
    eventsLost: () => 0,
    timers: () => 0,
  }).registry;
  const server = new Registry();
  const serving = () => ({ notAfterMs: 0, renewErrors: 0, isSelfSigned: false, rotationAgesSeconds: [] });
  createServerMetrics({ registry: server, serving, now: () => 0, monotonic: () => 0 });
  return [own, server]
    .flatMap((registry) => registry.getMetricsAsArray())
    .map((metric) => ({
      name: metric.name,
      help: metric.help,
      type: String(metric.type),
      // prom-client keeps them on the metric and leaves them out of its types.
      labels: (metric as { labelNames?: string[] }).labelNames ?? [],
    }))
    .toSorted((a, b) => a.name.localeCompare(b.name));
}

/** Every name of a series, those of a histogram included. */
export function metricNames(): string[] {
  return metricRows().flatMap(({ name, type }) =>
    type === 'histogram' ? ['_bucket', '_sum', '_count'].map((ending) => `${name}${ending}`) : [name],
  );
}
