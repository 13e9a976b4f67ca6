import { cpuMillicores, parseQuantity, wholeUnits } from '../base/quantity.ts';
import { type Family, prometheusText, type Sample, secondsText } from './prometheus-text.ts';
import { groupByPod } from './resource-metrics.ts';
import type { ContainerSample, StatsSnapshot } from './stats.ts';

type Value = bigint | string | undefined;

interface ContainerFamily {
  name: string;
  type: Family['type'];
  help: string;
  labels?: Record<string, string>;
  value: (sample: ContainerSample) => Value;
}

/** Families of one row a container. What Zun does not tell (cache, rss, swap, throttling, packets) has no family. */
const containerFamilies: ContainerFamily[] = [
  {
    name: 'container_cpu_usage_seconds_total',
    type: 'counter',
    help: 'Processor time used',
    labels: { cpu: 'total' },
    value: ({ stats }) => (stats.cpuNanoseconds === undefined ? undefined : secondsText(stats.cpuNanoseconds)),
  },
  {
    name: 'container_memory_working_set_bytes',
    type: 'gauge',
    help: 'Memory in use without reclaimable cache',
    value: ({ stats }) => stats.memoryWorkingSetBytes,
  },
  {
    name: 'container_fs_reads_bytes_total',
    type: 'counter',
    help: 'Bytes read from block devices',
    labels: { device: '' },
    value: ({ stats }) => stats.blockReadBytes,
  },
  {
    name: 'container_fs_writes_bytes_total',
    type: 'counter',
    help: 'Bytes written to block devices',
    labels: { device: '' },
    value: ({ stats }) => stats.blockWrittenBytes,
  },
  {
    name: 'container_start_time_seconds',
    type: 'gauge',
    help: 'Start time since unix epoch',
    value: ({ status }) => seconds(status.state?.running?.startedAt),
  },
  {
    name: 'container_last_seen',
    type: 'gauge',
    help: 'When the container was measured last',
    value: ({ measuredMs }) => String(Math.floor(measuredMs / 1000)),
  },
  {
    name: 'container_spec_memory_limit_bytes',
    type: 'gauge',
    help: 'Limit of memory, 0 without one',
    value: (sample) => String(wholeUnits(parseQuantity(limitsOf(sample)?.['memory']) ?? 0n)),
  },
  {
    name: 'container_spec_cpu_period',
    type: 'gauge',
    help: 'Period of the processor quota in microseconds',
    value: () => '100000',
  },
  {
    name: 'container_spec_cpu_quota',
    type: 'gauge',
    help: 'Processor quota in microseconds a period',
    value: (sample) => {
      const limit = parseQuantity(limitsOf(sample)?.['cpu']);
      return limit === undefined ? undefined : String(cpuMillicores(limit) * 100);
    },
  },
];

const networkFamilies: { name: string; help: string; value: (sample: ContainerSample) => Value }[] = [
  {
    name: 'container_network_receive_bytes_total',
    help: 'Bytes received',
    value: ({ stats }) => stats.networkReceivedBytes,
  },
  { name: 'container_network_transmit_bytes_total', help: 'Bytes sent', value: ({ stats }) => stats.networkSentBytes },
];

/** What the node has, for the two machine families. */
export interface MachineSize {
  cpuCores: number;
  memoryBytes: bigint;
}

/**
 * Writes `/metrics/cadvisor`: the families that dashboards read and Zun can fill. Network belongs to the Pod: its rows
 * have no container. Source: cadvisor's metrics/prometheus.go; kubernetes-mixin.
 */
export function cadvisorMetrics(snapshot: StatsSnapshot, machine: MachineSize | undefined): string {
  const rows = containerFamilies.map(({ name, type, help, labels, value }) => ({
    name,
    type,
    help,
    samples: snapshot.samples.flatMap((sample) =>
      row({ ...containerLabels(sample), ...labels }, value(sample), sample.measuredMs),
    ),
  }));
  const networks = networkFamilies.map(({ name, help, value }) => ({
    name,
    type: 'counter' as const,
    help,
    samples: groupByPod(snapshot.samples).flatMap(([sample]) =>
      sample ? row({ ...podLabels(sample), interface: 'eth0' }, value(sample), sample.measuredMs) : [],
    ),
  }));
  const machines: Family[] = machine
    ? [
        gauge('machine_cpu_cores', 'Processors of the node', String(machine.cpuCores)),
        gauge('machine_memory_bytes', 'Memory of the node', machine.memoryBytes),
      ]
    : [];
  return prometheusText([...rows, ...networks, ...machines]);
}

function gauge(name: string, help: string, value: bigint | string): Family {
  return { name, type: 'gauge', help, samples: [{ labels: {}, value }] };
}

function row(labels: Record<string, string>, value: Value, timestampMs: number): Sample[] {
  return value === undefined ? [] : [{ labels, value, timestampMs }];
}

function containerLabels(sample: ContainerSample): Record<string, string> {
  const { namespace, name: pod } = sample.pod.metadata;
  const { container: uuid } = sample.target;
  return { container: sample.status.name, id: `/zun/${uuid}`, image: sample.status.image, name: uuid, namespace, pod };
}

function podLabels(sample: ContainerSample): Record<string, string> {
  const { namespace, name: pod } = sample.pod.metadata;
  return { container: '', id: `/zun/${sample.target.capsule}`, image: '', name: sample.target.capsule, namespace, pod };
}

function limitsOf(sample: ContainerSample): Record<string, string> | undefined {
  const all = [...(sample.pod.spec.initContainers ?? []), ...sample.pod.spec.containers];
  return all.find((container) => container.name === sample.status.name)?.resources?.limits;
}

function seconds(time: string | undefined): string | undefined {
  const ms = Date.parse(time ?? '');
  return Number.isNaN(ms) ? undefined : String(ms / 1000);
}
