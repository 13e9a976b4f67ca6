import { metricRows } from './metric-names.ts';

/** Renders docs/reference/metrics.md. */
export function metricsPage(): string {
  const lines = metricRows().map(
    ({ name, type, labels, help }) =>
      `| \`${name}\` | ${type} | ${labels.map((label) => `\`${label}\``).join(', ')} | ${help} |\n`,
  );
  return `<!-- Generated from src/telemetry and src/server/metrics.ts by: node scripts/generate-docs.ts metrics -->

# Metrics

\`/metrics\` is served twice: without authentication on the option \`healthAddress\`, and on the kubelet API for those who may
\`get nodes/metrics\`. Names that begin with \`kubelet_\`, \`kubernetes_\`, \`rest_client_\` and \`process_\` are those of a kubelet, so
that the dashboards and alerts of a cluster count this node like any other; the rest is zunlet's own. No label holds a Pod:
the number of series does not grow with Pods. The kubelet API also serves \`/metrics/resource\` (kubectl top, HPA) and
\`/metrics/cadvisor\`, whose numbers come from Zun and exist for standalone containers only. \`/metrics/probes\` there counts the runs of
each probe (\`prober_probe_total\`, \`prober_probe_duration_seconds\`), the one page whose labels hold Pods.

Alerts are in [charts/zunlet/files/alerts.yaml](../../charts/zunlet/files/alerts.yaml), a Grafana dashboard in
[charts/zunlet/files/dashboard.json](../../charts/zunlet/files/dashboard.json).

| Metric | Type | Labels | Meaning |
| --- | --- | --- | --- |
${lines.join('')}`;
}
