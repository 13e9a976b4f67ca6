import { newPod, status } from './pod-conversations.ts';
import type { Conversation } from './replay.ts';

const pods = '/api/v1/namespaces/{ns}/pods';
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json';
const state = (name: string, one: object, more: object = {}) => ({
  name,
  image: 'i',
  imageID: '',
  ready: false,
  restartCount: 0,
  state: one,
  ...more,
});
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };

/** Lists, watches, tables, refusals. */
export const readingConversations: Conversation[] = [
  {
    name: 'read-lists',
    steps: [
      newPod('a', {}, { metadata: { labels: { app: 'x', tier: '1' } }, scene: true }),
      newPod('b', { nodeName: 'other' }, { metadata: { labels: { app: 'y' } }, scene: true }),
      newPod('c', {}, { scene: true }),
      status('c', { phase: 'Failed' }, { scene: true }),
      { call: 'GET', path: `${pods}?labelSelector=app%3Dx` },
      { call: 'GET', path: `${pods}?labelSelector=app+in+(x,y),tier!=1` },
      { call: 'GET', path: `${pods}?labelSelector=!app` },
      { call: 'GET', path: `${pods}?fieldSelector=spec.nodeName%3Dother` },
      { call: 'GET', path: `${pods}?fieldSelector=status.phase!%3DFailed,metadata.name!%3Da` },
      { call: 'GET', path: `${pods}?fieldSelector=spec.foo%3Da` },
      { call: 'GET', path: `${pods}?limit=2`, keep: { next: 'metadata.continue' } },
      { call: 'GET', path: `${pods}?limit=2&continue={next}` },
      { call: 'GET', path: `${pods}?resourceVersion=999999999` },
      { call: 'GET', path: '/api/v1/pods?fieldSelector=metadata.namespace%3D{ns},metadata.name%3Da' },
      { call: 'GET', path: `${pods}/a`, accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
      { call: 'GET', path: `${pods}/nope` },
      { call: 'GET', path: '/api/v1/nonsense' },
      { call: 'GET', path: '/apis/none/v1/things' },
      { call: 'POST', path: `${pods}/a`, body: {} },
      { call: 'GET', path: '/apis/apps/v1/namespaces/{ns}/deployments/nope' },
    ],
  },
  {
    name: 'read-watches',
    steps: [
      { call: 'GET', path: pods, keep: { from: 'metadata.resourceVersion' }, scene: true },
      newPod('a', { nodeName: undefined }, { metadata: { labels: { app: 'x' } }, scene: true }),
      {
        call: 'POST',
        path: `${pods}/a/binding`,
        body: { metadata: { name: 'a' }, target: { kind: 'Node', name: 'mine' } },
        scene: true,
      },
      { call: 'PATCH', path: `${pods}/a`, type: 'merge', body: { metadata: { labels: { app: 'y' } } }, scene: true },
      newPod('b', {}, { scene: true }),
      { call: 'DELETE', path: `${pods}/b?gracePeriodSeconds=0`, scene: true },
      { call: 'WATCH', path: `${pods}?resourceVersion={from}` },
      { call: 'WATCH', path: `${pods}?resourceVersion={from}&fieldSelector=spec.nodeName%3Dmine` },
      { call: 'WATCH', path: `${pods}?resourceVersion={from}&labelSelector=app%3Dx` },
      { call: 'WATCH', path: `${pods}` },
      {
        call: 'WATCH',
        path: `${pods}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
      },
      { call: 'WATCH', path: `${pods}?sendInitialEvents=true` },
      { call: 'WATCH', path: `${pods}?resourceVersionMatch=NotOlderThan` },
      { call: 'WATCH', path: `${pods}?resourceVersion=nonsense` },
      { call: 'WATCH', path: `${pods}`, accept: table },
    ],
  },
  {
    name: 'read-tables',
    steps: [
      newPod('pending', {}, { scene: true }),
      newPod('creating', {}, { scene: true }),
      status(
        'creating',
        { containerStatuses: [state('a', { waiting: { reason: 'ContainerCreating' } })] },
        { scene: true },
      ),
      newPod('running', { readinessGates: [{ conditionType: 'x.io/g' }] }, { scene: true }),
      status(
        'running',
        {
          phase: 'Running',
          podIP: '10.0.0.9',
          podIPs: [{ ip: '10.0.0.9' }],
          conditions: [
            { type: 'Ready', status: 'True' },
            { type: 'x.io/g', status: 'True' },
          ],
          containerStatuses: [
            state('a', running, {
              ready: true,
              restartCount: 3,
              lastState: { terminated: { exitCode: 1, finishedAt: '2020-01-01T00:00:00Z' } },
            }),
          ],
        },
        { scene: true },
      ),
      newPod(
        'init',
        {
          initContainers: [
            { name: 'i', image: 'i' },
            { name: 'j', image: 'i' },
          ],
        },
        { scene: true },
      ),
      status(
        'init',
        { initContainerStatuses: [state('i', { terminated: { exitCode: 0 } }), state('j', running)] },
        { scene: true },
      ),
      newPod('init-error', { restartPolicy: 'Never', initContainers: [{ name: 'i', image: 'i' }] }, { scene: true }),
      status(
        'init-error',
        { phase: 'Failed', initContainerStatuses: [state('i', { terminated: { exitCode: 3 } })] },
        { scene: true },
      ),
      newPod('sidecar', { initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always' }] }, { scene: true }),
      status(
        'sidecar',
        {
          phase: 'Running',
          initContainerStatuses: [state('s', running, { started: true, ready: true, restartCount: 2 })],
          containerStatuses: [state('a', running, { ready: true })],
        },
        { scene: true },
      ),
      newPod('completed', {}, { scene: true }),
      status(
        'completed',
        { phase: 'Succeeded', containerStatuses: [state('a', { terminated: { exitCode: 0, reason: 'Completed' } })] },
        { scene: true },
      ),
      newPod('exit-code', {}, { scene: true }),
      status(
        'exit-code',
        { phase: 'Failed', containerStatuses: [state('a', { terminated: { exitCode: 7 } })] },
        { scene: true },
      ),
      newPod('signal', {}, { scene: true }),
      status(
        'signal',
        { phase: 'Failed', containerStatuses: [state('a', { terminated: { exitCode: 137, signal: 9 } })] },
        { scene: true },
      ),
      newPod('rejected', {}, { scene: true }),
      status('rejected', { phase: 'Failed', reason: 'OutOfcpu' }, { scene: true }),
      newPod('going', {}, { scene: true }),
      { call: 'DELETE', path: `${pods}/going`, scene: true },
      newPod(
        'mixed',
        {
          containers: [
            { name: 'a', image: 'i' },
            { name: 'b', image: 'i' },
          ],
        },
        { scene: true },
      ),
      status(
        'mixed',
        {
          phase: 'Running',
          containerStatuses: [
            state('a', { terminated: { exitCode: 0, reason: 'Completed' } }),
            state('b', running, { ready: true }),
          ],
        },
        { scene: true },
      ),
      { call: 'GET', path: pods, accept: table },
      { call: 'GET', path: `${pods}?includeObject=None`, accept: table },
      { call: 'GET', path: '/api/v1/namespaces/{ns}', accept: table },
      { call: 'GET', path: '/api/v1/namespaces/{ns}/serviceaccounts', accept: table },
      { call: 'GET', path: `${pods}/nope`, accept: table },
    ],
  },
];
