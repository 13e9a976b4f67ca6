import type { Conversation } from './replay.ts';

const core = '/api/v1/namespaces/{ns}';
const leases = '/apis/coordination.k8s.io/v1/namespaces/{ns}/leases';
const events = `${core}/events`;
const node = { kind: 'Node', apiVersion: 'v1', metadata: { name: 'node-{ns}' } };

/** What writes do to objects other than Pods. */
export const writingConversations: Conversation[] = [
  {
    name: 'write-node',
    steps: [
      {
        call: 'POST',
        path: '/api/v1/nodes',
        body: {
          ...node,
          metadata: { name: 'node-{ns}', labels: { type: 'virtual-kubelet' } },
          spec: { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] },
          status: {
            capacity: { cpu: '1', pods: '10' },
            conditions: [
              {
                type: 'Ready',
                status: 'True',
                lastHeartbeatTime: '2026-01-01T00:00:00.5Z',
                lastTransitionTime: '2026-01-01T00:00:00Z',
              },
            ],
            addresses: [{ type: 'InternalIP', address: '192.0.2.1' }],
          },
        },
      },
      { call: 'POST', path: '/api/v1/nodes', body: node },
      {
        call: 'PATCH',
        path: '/api/v1/nodes/node-{ns}/status',
        type: 'smp',
        body: {
          status: {
            conditions: [
              { type: 'Ready', status: 'False' },
              { type: 'DiskPressure', status: 'False' },
            ],
          },
        },
      },
      {
        call: 'PATCH',
        path: '/api/v1/nodes/node-{ns}/status',
        type: 'smp',
        body: {
          status: {
            addresses: [
              { type: 'InternalIP', address: '192.0.2.1' },
              { type: 'InternalIP', address: '2001:db8::1' },
              { $patch: 'replace' },
            ],
          },
        },
      },
      {
        call: 'PATCH',
        path: '/api/v1/nodes/node-{ns}/status',
        type: 'smp',
        body: { metadata: { annotations: { a: 'b' }, labels: { c: 'd' } }, spec: { unschedulable: true }, status: {} },
      },
      {
        call: 'PATCH',
        path: '/api/v1/nodes/node-{ns}',
        type: 'smp',
        body: { spec: { taints: [{ key: 'k', effect: 'NoExecute' }], providerID: 'zun://r/n' } },
      },
      { call: 'PATCH', path: '/api/v1/nodes/node-{ns}', type: 'smp', body: { spec: { providerID: 'zun://r/other' } } },
      {
        call: 'PATCH',
        path: '/api/v1/nodes/node-{ns}',
        type: 'smp',
        body: { spec: { unschedulable: true }, status: { phase: 'Running' } },
      },
      { call: 'PATCH', path: '/api/v1/nodes/node-{ns}', type: 'smp', body: { spec: { taints: null } } },
      { call: 'DELETE', path: '/api/v1/nodes/node-{ns}' },
    ],
  },
  {
    name: 'write-lease',
    steps: [
      {
        call: 'POST',
        path: leases,
        body: {
          metadata: { name: 'l' },
          spec: { holderIdentity: 'me', leaseDurationSeconds: 40, renewTime: '2026-01-01T00:00:00.123000Z' },
        },
        keep: { rv: 'metadata.resourceVersion' },
      },
      {
        call: 'PUT',
        path: `${leases}/l`,
        body: {
          metadata: { name: 'l', resourceVersion: '{rv}' },
          spec: { holderIdentity: 'you', leaseDurationSeconds: 40 },
        },
      },
      {
        call: 'PUT',
        path: `${leases}/l`,
        body: {
          metadata: { name: 'l', resourceVersion: '{rv}' },
          spec: { holderIdentity: 'he', leaseDurationSeconds: 40 },
        },
      },
      { call: 'PUT', path: `${leases}/l`, body: { metadata: { name: 'l' }, spec: { holderIdentity: 'she' } } },
      { call: 'PUT', path: `${leases}/new`, body: { metadata: { name: 'new' }, spec: { holderIdentity: 'it' } } },
      { call: 'PUT', path: `${leases}/l`, body: { metadata: { name: 'other' }, spec: {} } },
      { call: 'POST', path: leases, body: { metadata: { name: 'z' }, spec: { leaseDurationSeconds: 0 } } },
    ],
  },
  {
    name: 'write-event',
    steps: [
      {
        call: 'POST',
        path: events,
        body: {
          metadata: { name: 'e.1' },
          involvedObject: { kind: 'Pod', namespace: '{ns}', name: 'p', uid: 'u', fieldPath: 'spec.containers{a}' },
          reason: 'Started',
          message: 'Container started',
          type: 'Normal',
          source: { component: 'zunlet', host: 'n' },
          firstTimestamp: '2026-01-01T00:00:00Z',
          lastTimestamp: '2026-01-01T00:00:00Z',
          count: 1,
        },
      },
      {
        call: 'PATCH',
        path: `${events}/e.1`,
        type: 'smp',
        body: { count: 2, lastTimestamp: '2026-01-01T00:01:00Z', message: 'again' },
      },
      { call: 'PATCH', path: `${events}/e.2`, type: 'smp', body: { count: 2 } },
      {
        call: 'POST',
        path: events,
        body: {
          metadata: { name: 'e.3' },
          involvedObject: { namespace: 'default', name: 'p' },
          reason: 'R',
          message: 'm',
          type: 'Normal',
        },
      },
      { call: 'GET', path: `${events}?fieldSelector=involvedObject.name=p,involvedObject.kind=Pod,reason!=Other` },
      { call: 'GET', path: `/apis/events.k8s.io/v1/namespaces/{ns}/events/e.1` },
      { call: 'GET', path: `${events}/e.1`, accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    ],
  },
  {
    name: 'write-config',
    steps: [
      { call: 'POST', path: `${core}/secrets`, body: { metadata: { name: 's' }, stringData: { a: 'b' } } },
      { call: 'POST', path: `${core}/secrets`, body: { metadata: { name: 'bad' }, data: { 'a b': 'eA==' } } },
      { call: 'PATCH', path: `${core}/secrets/s`, type: 'merge', body: { immutable: true } },
      { call: 'PATCH', path: `${core}/secrets/s`, type: 'merge', body: { data: { a: 'eA==' } } },
      { call: 'POST', path: `${core}/configmaps`, body: { metadata: { name: 'c' }, data: { a: '1', b: '2' } } },
      { call: 'PATCH', path: `${core}/configmaps/c`, type: 'smp', body: { data: { a: null, c: '3' } } },
      { call: 'PATCH', path: `${core}/configmaps/c`, type: 'smp', body: { data: { $patch: 'replace', z: '9' } } },
      { call: 'PUT', path: `${core}/configmaps/nope`, body: { metadata: { name: 'nope' } } },
      {
        call: 'POST',
        path: `${core}/services`,
        body: { metadata: { name: 'svc' }, spec: { selector: { a: 'b' }, ports: [{ port: 80 }] } },
      },
      {
        call: 'POST',
        path: `${core}/services`,
        body: {
          metadata: { name: 'headless' },
          spec: { clusterIP: 'None', ports: [{ port: 80, targetPort: 'http' }] },
        },
      },
      { call: 'POST', path: `${core}/services`, body: { metadata: { name: 'no-ports' }, spec: {} } },
      { call: 'GET', path: '/api/v1/namespaces/{ns}' },
      {
        call: 'PATCH',
        path: `${core}/configmaps/c`,
        type: 'smp',
        body: { data: { a: '1' } },
        accept: 'application/json',
      },
      { call: 'POST', path: `${core}/serviceaccounts/default/token`, body: { spec: { expirationSeconds: 60 } } },
    ],
  },
  {
    name: 'write-apply',
    steps: [
      {
        call: 'POST',
        path: '/apis/apps/v1/namespaces/{ns}/deployments',
        body: {
          metadata: { name: 'd', labels: { a: 'b' } },
          spec: {
            selector: { matchLabels: { a: 'b' } },
            template: {
              metadata: { labels: { a: 'b' } },
              spec: {
                containers: [
                  { name: 'a', image: 'i' },
                  { name: 'b', image: 'i' },
                ],
              },
            },
          },
        },
      },
      {
        call: 'PATCH',
        path: '/apis/apps/v1/namespaces/{ns}/deployments/d',
        type: 'smp',
        body: {
          spec: {
            template: {
              spec: {
                '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
                containers: [
                  { name: 'c', image: 'j' },
                  { $patch: 'delete', name: 'b' },
                ],
              },
            },
          },
        },
      },
      {
        call: 'PATCH',
        path: '/apis/apps/v1/namespaces/{ns}/deployments/d',
        type: 'smp',
        body: {
          spec: {
            strategy: { $retainKeys: ['type'], type: 'Recreate' },
            template: {
              spec: {
                '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }],
                containers: [{ name: 'a', env: [{ name: 'X', value: '1' }] }],
              },
            },
          },
        },
      },
      {
        call: 'POST',
        path: '/apis/apps/v1/namespaces/{ns}/deployments',
        body: {
          metadata: { name: 'e' },
          spec: {
            selector: { matchLabels: { a: 'c' } },
            template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'i' }] } },
          },
        },
      },
      {
        call: 'POST',
        path: '/apis/batch/v1/namespaces/{ns}/jobs',
        body: {
          metadata: { name: 'j' },
          spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'i' }] } } },
        },
      },
      {
        call: 'POST',
        path: '/apis/batch/v1/namespaces/{ns}/jobs',
        body: { metadata: { name: 'k' }, spec: { template: { spec: { containers: [{ name: 'a', image: 'i' }] } } } },
      },
    ],
  },
];
