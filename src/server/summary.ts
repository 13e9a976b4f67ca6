import { groupByPod } from './resource-metrics.ts';
import type { ContainerSample, StatsSnapshot } from './stats.ts';

/** What can be written as JSON when 64-bit numbers may be among it; undefined members are left out. */
export type Json = string | number | boolean | bigint | null | undefined | Json[] | { [name: string]: Json };

/** Writes JSON with whole 64-bit numbers, which `JSON.stringify` cannot. */
export function jsonText(value: Json): string {
  if (typeof value === 'bigint') return value.toString();
  if (Array.isArray(value)) return `[${value.map((item) => jsonText(item ?? null)).join(',')}]`;
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${jsonText(member)}`).join(',')}}`;
  }
  return JSON.stringify(value ?? null);
}

/**
 * Makes `/stats/summary`. What Zun does not tell is left out, never zero; the node is the sum of its containers.
 * Source: k8s.io/kubelet/pkg/apis/stats/v1alpha1/types.go.
 */
export function statsSummary(
  snapshot: StatsSnapshot,
  node: { name: string; startedMs: number },
  onlyCpuAndMemory: boolean,
): Json {
  const pods = groupByPod(snapshot.samples);
  const measuredMs = Math.max(0, ...snapshot.samples.map((sample) => sample.measuredMs));
  const hasSamples = snapshot.samples.length > 0;
  return {
    node: {
      nodeName: node.name,
      startTime: new Date(node.startedMs).toISOString(),
      cpu: hasSamples ? cpu(measuredMs, total(snapshot.samples, nanoCores), snapshot.nodeCpuNanoseconds) : undefined,
      memory: hasSamples ? memory(measuredMs, total(snapshot.samples, workingSet)) : undefined,
    },
    pods: pods.map((samples) => podSummary(samples, onlyCpuAndMemory)),
  };
}

function podSummary(samples: ContainerSample[], onlyCpuAndMemory: boolean): Json {
  const [first] = samples;
  const measuredMs = Math.max(...samples.map((sample) => sample.measuredMs));
  return {
    podRef: {
      name: first?.pod.metadata.name,
      namespace: first?.pod.metadata.namespace,
      uid: first?.pod.metadata.uid,
    },
    startTime: first?.pod.status?.startTime,
    containers: samples.map(containerSummary),
    cpu: cpu(measuredMs, total(samples, nanoCores), total(samples, cpuTime)),
    memory: memory(measuredMs, total(samples, workingSet)),
    network: onlyCpuAndMemory || !first ? undefined : network(first),
  };
}

function containerSummary(sample: ContainerSample): Json {
  const { memoryLimitBytes: limit } = sample.stats;
  const used = workingSet(sample);
  const available = limit !== undefined && used !== undefined && limit > used ? limit - used : undefined;
  return {
    name: sample.status.name,
    startTime: sample.status.state?.running?.startedAt,
    cpu: cpu(sample.measuredMs, sample.nanoCores, sample.stats.cpuNanoseconds),
    memory: memory(sample.measuredMs, used, available),
  };
}

function cpu(measuredMs: number, usageNanoCores: bigint | undefined, usageCoreNanoSeconds: bigint | undefined): Json {
  if (usageCoreNanoSeconds === undefined) return undefined;
  return { time: new Date(measuredMs).toISOString(), usageNanoCores, usageCoreNanoSeconds };
}

function memory(measuredMs: number, workingSetBytes: bigint | undefined, availableBytes?: bigint): Json {
  if (workingSetBytes === undefined) return undefined;
  return { time: new Date(measuredMs).toISOString(), availableBytes, workingSetBytes };
}

function network(sample: ContainerSample): Json {
  const { networkReceivedBytes: rxBytes, networkSentBytes: txBytes } = sample.stats;
  if (rxBytes === undefined || txBytes === undefined) return undefined;
  const entry = { name: 'eth0', rxBytes, txBytes };
  return { time: new Date(sample.measuredMs).toISOString(), ...entry, interfaces: [entry] };
}

function nanoCores(sample: ContainerSample): bigint | undefined {
  return sample.nanoCores;
}

function cpuTime(sample: ContainerSample): bigint | undefined {
  return sample.stats.cpuNanoseconds;
}

function workingSet(sample: ContainerSample): bigint | undefined {
  return sample.stats.memoryWorkingSetBytes;
}

/** Adds up; undefined as soon as one part is not known. */
function total(samples: ContainerSample[], value: (sample: ContainerSample) => bigint | undefined): bigint | undefined {
  let result = 0n;
  for (const sample of samples) {
    const part = value(sample);
    if (part === undefined) return undefined;
    result += part;
  }
  return result;
}
