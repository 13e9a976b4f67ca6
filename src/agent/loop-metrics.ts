import type { LoopDeps, SyncLoop } from '../sync/loop.ts';
import type { MetricSources, Metrics } from '../telemetry/metrics.ts';

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

/** What of the metrics the loop writes as things happen. */
export function loopHooks(
  metrics: Metrics,
): Required<Pick<LoopDeps, 'onStep' | 'onRun' | 'onList' | 'onRetry' | 'onFuse'>> {
  return {
    onStep: (step) => metrics.step(step),
    onRun: metrics.run,
    onList: metrics.list,
    onRetry: metrics.retry,
    onFuse: metrics.sweepStopped,
  };
}

function count<T>(items: readonly T[], by: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[by(item)] = (counts[by(item)] ?? 0) + 1;
  return counts;
}
