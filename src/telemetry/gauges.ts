import { Gauge, type Registry } from 'prom-client';
import type { LoopCounts } from '../sync/loop.ts';
import type { MetricSources } from './metrics.ts';
import { registerProcessGauges } from './process-gauges.ts';

/** Gauges whose value is asked for at the scrape and never kept. */
export function registerGauges(registry: Registry, sources: MetricSources): void {
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
    'zunlet_remembered_pods',
    'Pods, gone ones included, that the worker remembers something about.',
    counts(({ remembered }) => remembered),
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
  gauge('zunlet_timers', 'Timers that are set; none of them keeps the process alive.', sources.timers);
  gauge('zunlet_events_lost', 'Events that were not sent.', sources.eventsLost);
  registerIdentity(registry, sources);
  registerProcessGauges(registry);
}

function registerIdentity(registry: Registry, sources: MetricSources): void {
  const registers = [registry];
  new Gauge({
    name: 'kubelet_node_name',
    help: 'The name of the node; always 1.',
    labelNames: ['node'],
    registers,
  }).set({ node: sources.node }, 1);
  const names = ['git_version', 'major', 'minor', 'platform'];
  const [, major = '', minor = ''] = /^v?(\d+)\.(\d+)/.exec(sources.kubernetesVersion) ?? [];
  new Gauge({
    name: 'kubernetes_build_info',
    help: 'The version of Kubernetes whose contract the node keeps; always 1.',
    labelNames: names,
    registers,
  }).set({ git_version: sources.kubernetesVersion, major, minor, platform: `${process.platform}/${process.arch}` }, 1);
  new Gauge({
    name: 'zunlet_build_info',
    help: 'The version of zunlet and of its Node; always 1.',
    labelNames: ['version', 'node_version'],
    registers,
  }).set({ version: sources.version, node_version: process.version }, 1);
}
