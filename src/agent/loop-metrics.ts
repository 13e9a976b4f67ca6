import type { SyncLoop } from '../sync/loop.ts';
import type { MetricSources } from '../telemetry/metrics.ts';

/** What of the metrics is read from the loop at each scrape. */
export function loopMetrics(
  loop: () => SyncLoop | undefined,
): Pick<MetricSources, 'counts' | 'podsByPhase' | 'capsulesByStatus' | 'containersByState' | 'isLeader'> {
  return {
    counts: () => loop()?.counts(),
    podsByPhase: () => count(loop()?.pods.all() ?? [], (pod) => pod.status?.phase ?? 'Unknown'),
    capsulesByStatus: () => count(loop()?.capsules.all() ?? [], ({ status }) => status),
    containersByState: () =>
      count(
        (loop()?.pods.all() ?? []).flatMap((pod) => pod.status?.containerStatuses ?? []),
        ({ state }) => (state?.running ? 'running' : state?.terminated ? 'exited' : 'created'),
      ),
    isLeader: () => loop() !== undefined,
  };
}

function count<T>(items: readonly T[], by: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[by(item)] = (counts[by(item)] ?? 0) + 1;
  return counts;
}
