interface Query {
  expr: string;
  legend: string;
}

interface Panel {
  title: string;
  doc: string;
  /** Grafana's name of a unit. */
  unit: string;
  kind?: 'timeseries' | 'stat';
  stacked?: boolean;
  queries: readonly Query[];
}

/** Every query looks at the chosen nodes only; the name of the node is at one series of each process. */
const ofNode = '* on (instance) group_left (node) kubelet_node_name{node=~"$node"}';
const window = '[$__rate_interval]';

function quantiles(metric: string, by = ''): Query[] {
  const labels = by === '' ? 'le' : `le, ${by}`;
  return [0.5, 0.99].map((quantile) => ({
    expr: `histogram_quantile(${quantile}, sum by (${labels}) (rate(${metric}_bucket${window}) ${ofNode}))`,
    legend: `${by === '' ? '' : `{{${by}}} `}p${quantile * 100}`,
  }));
}

function rates(metric: string, by: string, selector = ''): Query[] {
  return [{ expr: `sum by (${by}) (rate(${metric}${selector}${window}) ${ofNode})`, legend: `{{${by}}}` }];
}

function sums(metric: string, by: string): Query[] {
  return [{ expr: `sum by (${by}) (${metric} ${ofNode})`, legend: `{{${by}}}` }];
}

const rows: Readonly<Record<string, readonly Panel[]>> = {
  'What it is doing': [
    {
      title: 'Working process',
      doc: '1 for the process that holds the Lease.',
      unit: 'none',
      queries: sums('zunlet_leader', 'instance'),
    },
    {
      title: 'Pods',
      doc: 'Pods of the node by phase.',
      unit: 'none',
      stacked: true,
      queries: sums('zunlet_pods', 'phase'),
    },
    {
      title: 'Capsules',
      doc: 'Capsules and standalone containers of the node by what Zun says.',
      unit: 'none',
      stacked: true,
      queries: sums('zunlet_capsules', 'status'),
    },
    {
      title: 'Containers',
      doc: 'Containers of Pods by state.',
      unit: 'none',
      stacked: true,
      queries: sums('kubelet_running_containers', 'container_state'),
    },
  ],
  Speed: [
    {
      title: 'Start of a Pod',
      doc: 'From its creation until all containers have started.',
      unit: 's',
      queries: quantiles('kubelet_pod_start_duration_seconds'),
    },
    {
      title: 'Steps',
      doc: 'What the worker did, a second.',
      unit: 'ops',
      stacked: true,
      queries: rates('zunlet_steps_total', 'step'),
    },
    {
      title: 'Queue',
      doc: 'Pods that wait for a worker, are worked on, and wait for a time.',
      unit: 'none',
      queries: (['ready', 'running', 'delayed'] as const).map((name) => ({
        expr: `sum(zunlet_queue_${name} ${ofNode})`,
        legend: name,
      })),
    },
    {
      title: 'One run of the worker',
      doc: 'Calls to Zun and to the API server included.',
      unit: 's',
      queries: quantiles('kubelet_pod_worker_duration_seconds'),
    },
  ],
  OpenStack: [
    {
      title: 'Age of what is known',
      doc: 'Since the last complete list of capsules.',
      unit: 's',
      queries: [{ expr: `max by (node) (zunlet_observation_age_seconds ${ofNode})`, legend: '{{node}}' }],
    },
    {
      title: 'Duration by service',
      doc: 'Median and slowest hundredth of the calls.',
      unit: 's',
      queries: quantiles('zunlet_openstack_request_duration_seconds', 'service'),
    },
    {
      title: 'Calls by operation',
      doc: 'Calls a second.',
      unit: 'reqps',
      queries: rates('zunlet_openstack_request_duration_seconds_count', 'operation'),
    },
    {
      title: 'Answers that are no success',
      doc: 'By code; some, such as 404 after a deletion, are expected.',
      unit: 'reqps',
      queries: rates('zunlet_openstack_request_duration_seconds_count', 'code', '{code!~"2.."}'),
    },
    {
      title: 'List of capsules',
      doc: 'Duration of a complete list.',
      unit: 's',
      queries: quantiles('kubelet_pleg_relist_duration_seconds'),
    },
    {
      title: 'Runs tried again',
      doc: 'By the kind of the error.',
      unit: 'ops',
      queries: rates('zunlet_run_retries_total', 'kind'),
    },
  ],
  'Kubernetes and the process': [
    {
      title: 'Calls to the API server',
      doc: 'By code.',
      unit: 'reqps',
      queries: rates('rest_client_requests_total', 'code'),
    },
    {
      title: 'Requests to the kubelet API',
      doc: 'By path: logs, exec, metrics.',
      unit: 'reqps',
      queries: rates('kubelet_http_requests_total', 'path'),
    },
    {
      title: 'Memory',
      doc: 'Resident memory of each process.',
      unit: 'bytes',
      queries: sums('process_resident_memory_bytes', 'instance'),
    },
    {
      title: 'Processor',
      doc: 'Cores used by each process.',
      unit: 'none',
      queries: rates('process_cpu_seconds_total', 'instance'),
    },
  ],
};

const width = 12;
const height = 7;
const datasource = { type: 'prometheus', uid: '${datasource}' };

/** Renders charts/zunlet/files/dashboard.json. */
export function dashboardJson(): string {
  let id = 0;
  let y = 0;
  const panels = Object.entries(rows).flatMap(([title, members]) => {
    const row = { id: ++id, type: 'row', title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y: y++ }, panels: [] };
    const placed = members.map((panel, index) => {
      const gridPos = { h: height, w: width, x: (index % 2) * width, y: y + Math.floor(index / 2) * height };
      return panelJson(panel, ++id, gridPos);
    });
    y += Math.ceil(members.length / 2) * height;
    return [row, ...placed];
  });
  return `${JSON.stringify({ ...frame, panels }, null, 2)}\n`;
}

function panelJson(panel: Panel, id: number, gridPos: object): object {
  return {
    id,
    type: panel.kind ?? 'timeseries',
    title: panel.title,
    description: panel.doc,
    datasource,
    gridPos,
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        min: 0,
        custom: { fillOpacity: 10, stacking: { mode: panel.stacked ? 'normal' : 'none' } },
      },
      overrides: [],
    },
    options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    targets: panel.queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource,
      expr,
      legendFormat: legend,
    })),
  };
}

const frame = {
  uid: 'zunlet',
  title: 'zunlet',
  description: 'A Kubernetes node that runs Pods as OpenStack Zun capsules',
  tags: ['kubernetes', 'openstack', 'zun'],
  schemaVersion: 39,
  version: 1,
  editable: true,
  refresh: '30s',
  time: { from: 'now-3h', to: 'now' },
  timezone: '',
  templating: {
    list: [
      { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {}, hide: 0 },
      {
        name: 'node',
        label: 'Node',
        type: 'query',
        datasource,
        query: {
          query: 'query_result(zunlet_build_info * on (instance) group_left (node) kubelet_node_name)',
          refId: 'node',
        },
        regex: '/node="([^"]+)"/',
        refresh: 2,
        multi: true,
        includeAll: true,
        current: {},
        sort: 1,
      },
    ],
  },
  annotations: { list: [] },
};
