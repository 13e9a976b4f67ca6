import type { Conversation, Step } from './replay.ts';

const pods = '/api/v1/namespaces/{ns}/pods';
const tokenless = { automountServiceAccountToken: false };

/** Creates a Pod; `spec` adds to one container named `a` on a node. */
export function newPod(name: string, spec: object = {}, more: Partial<Step> & { metadata?: object } = {}): Step {
  const { metadata, ...step } = more;
  return {
    call: 'POST',
    path: pods,
    body: {
      metadata: { name, ...metadata },
      spec: { ...tokenless, nodeName: 'none', containers: [{ name: 'a', image: 'i:1' }], ...spec },
    },
    ...step,
  };
}

/** Writes a Pod's status by strategic merge patch. */
export function status(name: string, body: object, more: Partial<Step> = {}): Step {
  return { call: 'PATCH', path: `${pods}/${name}/status`, type: 'smp', body: { status: body }, ...more };
}

const running = {
  name: 'a',
  image: 'i:1',
  imageID: '',
  ready: true,
  restartCount: 0,
  state: { running: { startedAt: '2026-01-01T00:00:00Z' } },
};
const ended = (exitCode: number) => ({
  ...running,
  ready: false,
  state: { terminated: { exitCode, reason: 'Error' } },
});
const ready = (value: string, more: object = {}) => ({
  type: 'Ready',
  status: value,
  lastTransitionTime: '2026-01-01T00:00:00Z',
  ...more,
});

/** What becomes of Pods: defaults, admission, validation, status. */
export const podConversations: Conversation[] = [
  {
    name: 'pod-defaults',
    steps: [
      newPod('bare', { automountServiceAccountToken: undefined }),
      newPod('full', {
        initContainers: [{ name: 'i', image: 'r.io/x/y', restartPolicy: 'Always' }],
        containers: [
          {
            name: 'a',
            image: 'r.io:5000/x/y@sha256:0123456789012345678901234567890123456789012345678901234567890123',
            ports: [{ containerPort: 80 }],
            env: [
              { name: 'N', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
              { name: 'E', value: '' },
            ],
            resources: { limits: { cpu: '1', memory: '1Gi' } },
            livenessProbe: { httpGet: { port: 80 } },
            readinessProbe: { tcpSocket: { port: 'http' }, periodSeconds: 3 },
            startupProbe: { grpc: { port: 1 } },
            lifecycle: { preStop: { httpGet: { port: 80 } } },
            volumeMounts: [{ name: 'e', mountPath: '/e' }],
          },
        ],
        volumes: [
          { name: 'e' },
          { name: 's', secret: { secretName: 's' } },
          { name: 'c', configMap: { name: 'c' } },
          { name: 'd', downwardAPI: { items: [{ path: 'p', fieldRef: { fieldPath: 'metadata.labels' } }] } },
          { name: 'h', hostPath: { path: '/h' } },
          { name: 'p', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
        ],
        tolerations: [{ operator: 'Exists' }],
        terminationGracePeriodSeconds: 0,
      }),
      newPod('host', { hostNetwork: true, containers: [{ name: 'a', image: 'i', ports: [{ containerPort: 80 }] }] }),
      newPod('guaranteed', {
        containers: [
          { name: 'a', image: 'i', resources: { limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1' } } },
        ],
      }),
      newPod('gated', { nodeName: undefined, schedulingGates: [{ name: 'x.io/g' }] }),
      {
        ...newPod('x'),
        body: {
          metadata: { generateName: 'gen-' },
          spec: { ...tokenless, nodeName: 'n', containers: [{ name: 'a', image: 'i' }] },
        },
      },
    ],
  },
  {
    name: 'pod-refused',
    steps: [
      newPod('no-containers', { containers: [] }),
      newPod('Upper'),
      newPod('no-image', { containers: [{ name: 'a' }] }),
      newPod('twice', {
        containers: [
          { name: 'a', image: 'i' },
          { name: 'a', image: 'i' },
        ],
      }),
      newPod('policy', { restartPolicy: 'Sometimes' }),
      newPod('mount', { containers: [{ name: 'a', image: 'i', volumeMounts: [{ name: 'nope', mountPath: '/x' }] }] }),
      newPod('requests', {
        containers: [{ name: 'a', image: 'i', resources: { limits: { cpu: '1' }, requests: { cpu: '2' } } }],
      }),
      newPod('probe', { containers: [{ name: 'a', image: 'i', livenessProbe: {} }] }),
      newPod('dns', { dnsPolicy: 'None' }),
      newPod('account', { serviceAccountName: 'nobody' }),
      newPod('class', { runtimeClassName: 'nobody' }),
      newPod('priority', { priorityClassName: 'nobody' }),
      newPod('label', {}, { metadata: { labels: { a: 'not valid' } } }),
      newPod('versioned', {}, { metadata: { resourceVersion: '1' } }),
      newPod('elsewhere', {}, { metadata: { namespace: 'default' } }),
      newPod('same'),
      newPod('same'),
      { ...newPod('x'), path: '/api/v1/namespaces/no-such-namespace/pods' },
      { call: 'POST', path: pods, body: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } } },
    ],
  },
  {
    name: 'pod-update',
    steps: [
      newPod('p', {}, { keep: { uid: 'metadata.uid', rv: 'metadata.resourceVersion' } }),
      { call: 'PATCH', path: `${pods}/p`, type: 'smp', body: { spec: { containers: [{ name: 'a', image: 'i:2' }] } } },
      { call: 'PATCH', path: `${pods}/p`, type: 'smp', body: { spec: { restartPolicy: 'Never' } } },
      {
        call: 'PATCH',
        path: `${pods}/p`,
        type: 'smp',
        body: { spec: { tolerations: [{ key: 'k', operator: 'Exists' }] } },
      },
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { resourceVersion: '{rv}' } } },
      {
        call: 'PATCH',
        path: `${pods}/p`,
        type: 'merge',
        body: { metadata: { uid: '00000000-0000-0000-0000-000000000000' } },
      },
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { status: { phase: 'Running' } } },
      {
        call: 'PATCH',
        path: `${pods}/p`,
        type: 'json-patch',
        body: [{ op: 'add', path: '/metadata/labels/c', value: 'd' }],
      },
      {
        call: 'PATCH',
        path: `${pods}/p`,
        type: 'json-patch',
        body: [{ op: 'test', path: '/metadata/name', value: 'q' }],
      },
      { call: 'PATCH', path: `${pods}/q`, type: 'merge', body: { metadata: { labels: { a: 'b' } } } },
      {
        call: 'PUT',
        path: `${pods}/p`,
        body: {
          metadata: { name: 'p', uid: '00000000-0000-0000-0000-000000000000' },
          spec: { containers: [{ name: 'a', image: 'i' }] },
        },
      },
      { call: 'DELETE', path: `${pods}/p?gracePeriodSeconds=0`, scene: true },
      newPod('p', {}, { scene: true }),
      {
        call: 'PATCH',
        path: `${pods}/p/status`,
        type: 'smp',
        body: { metadata: { uid: '{uid}' }, status: { phase: 'Failed' } },
      },
    ],
  },
  {
    name: 'pod-status',
    steps: [
      newPod('p', {}, { keep: { uid: 'metadata.uid' } }),
      status('p', {
        phase: 'Running',
        observedGeneration: 1,
        hostIP: '192.0.2.1',
        hostIPs: [{ ip: '192.0.2.1' }],
        podIP: '10.0.0.1',
        podIPs: [{ ip: '10.0.0.1' }],
        startTime: '2026-01-01T00:00:00.123Z',
        conditions: [ready('True', { observedGeneration: 1 }), { type: 'PodScheduled', status: 'True' }],
        containerStatuses: [running],
      }),
      status('p', { conditions: [ready('False')] }),
      status('p', { conditions: [{ type: 'example.com/x', status: 'True', lastProbeTime: null }] }),
      status('p', { conditions: [{ $patch: 'delete', type: 'Ready' }] }),
      status('p', { podIP: '10.0.0.2', podIPs: [{ $patch: 'delete', ip: '10.0.0.1' }, { ip: '10.0.0.2' }] }),
      status('p', { podIPs: [{ $patch: 'replace' }, { ip: '10.0.0.3' }], podIP: '10.0.0.3' }),
      status('p', { podIP: '10.0.0.4' }),
      status('p', { podIPs: [{ ip: 'nonsense' }], podIP: 'nonsense' }),
      status('p', { podIPs: [{ ip: '10.0.0.5' }, { ip: '10.0.0.6' }] }),
      status('p', { hostIP: '192.0.2.2' }),
      status('p', { hostIP: '192.0.2.2', hostIPs: [{ $patch: 'replace' }, { ip: '192.0.2.2' }] }),
      status('p', { hostIPs: [{ $patch: 'replace' }] }),
      status('p', { podIP: null }),
      status('p', { podIP: null, podIPs: null }),
      status('p', { podIPs: [{ ip: '10.0.0.7' }] }),
      status('p', { podIP: '10.0.0.7', podIPs: [{ ip: '10.0.0.7' }, { ip: '2001:db8::7' }] }),
      status('p', { qosClass: 'Guaranteed' }),
      status('p', { observedGeneration: -1 }),
      status('p', { observedGeneration: null }),
      status('p', { reason: 'Why', message: 'because' }),
      status('p', { reason: null, message: null }),
      status('p', { nominatedNodeName: 'x' }),
      status('p', { containerStatuses: null }),
      {
        call: 'PATCH',
        path: `${pods}/p/status`,
        type: 'smp',
        body: { metadata: { uid: '{uid}', labels: { a: 'b' } }, status: { phase: 'Running' } },
      },
      {
        call: 'PATCH',
        path: `${pods}/p/status`,
        type: 'smp',
        body: { metadata: { uid: '00000000-0000-0000-0000-000000000000' }, status: { phase: 'Failed' } },
      },
      {
        call: 'PATCH',
        path: `${pods}/p/status`,
        type: 'smp',
        body: { spec: { restartPolicy: 'Never' }, status: { phase: 'Running' } },
      },
      { call: 'GET', path: `${pods}/p/status` },
    ],
  },
  {
    name: 'pod-comes-back',
    steps: [
      newPod('never', { restartPolicy: 'Never', initContainers: [{ name: 'i', image: 'i' }] }, { scene: true }),
      status(
        'never',
        { containerStatuses: [ended(1)], initContainerStatuses: [{ ...ended(0), name: 'i' }] },
        { scene: true },
      ),
      status('never', { containerStatuses: [running] }),
      status('never', { initContainerStatuses: [{ ...running, name: 'i' }] }),
      newPod('on-failure', { restartPolicy: 'OnFailure' }, { scene: true }),
      status('on-failure', { containerStatuses: [ended(0)] }, { scene: true }),
      status('on-failure', { containerStatuses: [running] }),
      newPod('failed', { restartPolicy: 'OnFailure' }, { scene: true }),
      status('failed', { containerStatuses: [ended(1)] }, { scene: true }),
      status('failed', { containerStatuses: [running] }),
      newPod('always', { initContainers: [{ name: 'i', image: 'i' }] }, { scene: true }),
      status(
        'always',
        { initContainerStatuses: [{ ...ended(0), name: 'i' }], containerStatuses: [ended(0)] },
        { scene: true },
      ),
      status('always', { initContainerStatuses: [{ ...running, name: 'i' }] }),
      status('always', { containerStatuses: [running] }),
      status('always', { phase: 'Succeeded' }),
      status('always', { phase: 'Running' }),
    ],
  },
  {
    name: 'pod-binding',
    steps: [
      newPod('p', { nodeName: undefined }),
      { call: 'POST', path: `${pods}/p/binding`, body: { target: { kind: 'Node', name: 'n' } } },
      {
        call: 'POST',
        path: `${pods}/p/binding`,
        body: { metadata: { name: 'p' }, target: { kind: 'Node', name: 'n' } },
      },
      { call: 'GET', path: `${pods}/p` },
      {
        call: 'POST',
        path: `${pods}/p/binding`,
        body: { metadata: { name: 'p' }, target: { kind: 'Node', name: 'm' } },
      },
      {
        call: 'PATCH',
        path: `${pods}/p/ephemeralcontainers`,
        type: 'smp',
        body: { spec: { ephemeralContainers: [{ name: 'dbg', image: 'i' }] } },
      },
      {
        call: 'POST',
        path: `${pods}/p/eviction`,
        body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } },
      },
      { call: 'GET', path: `${pods}/p/log?container=nope` },
      { call: 'GET', path: `${pods}/nope/log` },
    ],
  },
];
