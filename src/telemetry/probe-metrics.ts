import { Counter, Histogram, Registry } from 'prom-client';
import type { Pod } from '../kube/types.ts';

/** What `/metrics/probes` shows. */
export interface ProbeMetrics {
  readonly registry: Registry;
  ran(pod: Pod, container: string, kind: string, result: 'successful' | 'failed', durationMs: number): void;
  /** The probes of this Pod are over: their series go. */
  ended(pod: Pod): void;
}

interface Series {
  probe_type: string;
  container: string;
  pod: string;
  namespace: string;
}

/**
 * Counts the runs of each probe under the kubelet's names. They are the one place where a label holds a Pod, so they have a
 * page of their own and go with the Pod. As in the kubelet, only a success has a duration, and a probe that could not be run
 * is not counted. Source: Kubernetes pkg/kubelet/prober/worker.go, prober_manager.go.
 */
export function createProbeMetrics(): ProbeMetrics {
  const registry = new Registry();
  const registers = [registry];
  const total = new Counter({
    name: 'prober_probe_total',
    help: 'Cumulative number of a liveness, readiness or startup probe for a container by result.',
    labelNames: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'],
    registers,
  });
  const seconds = new Histogram({
    name: 'prober_probe_duration_seconds',
    help: 'Duration in seconds of the successful runs of a probe.',
    labelNames: ['probe_type', 'container', 'pod', 'namespace'],
    registers,
  });
  /** The series of each Pod by its UID. */
  const known = new Map<string, Map<string, Series>>();

  function seriesOf({ metadata }: Pod, container: string, kind: string): Series {
    const series = known.get(metadata.uid) ?? new Map<string, Series>();
    known.set(metadata.uid, series);
    const key = `${container} ${kind}`;
    const { name: pod, namespace } = metadata;
    const found = series.get(key) ?? { probe_type: kind, container, pod, namespace };
    series.set(key, found);
    return found;
  }

  return {
    registry,
    ran(pod, container, kind, result, durationMs) {
      const series = seriesOf(pod, container, kind);
      total.inc({ ...series, result, pod_uid: pod.metadata.uid });
      // Labels are copied: the histogram adds its own to what it is given.
      if (result === 'successful') seconds.observe({ ...series }, durationMs / 1000);
    },
    ended({ metadata: { uid } }) {
      for (const series of known.get(uid)?.values() ?? []) {
        for (const result of ['successful', 'failed']) total.remove({ ...series, result, pod_uid: uid });
        seconds.remove({ ...series });
      }
      known.delete(uid);
    },
  };
}
