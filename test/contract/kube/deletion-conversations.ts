import { newPod, status } from './pod-conversations.ts';
import type { Conversation, Step } from './replay.ts';

const pods = '/api/v1/namespaces/{ns}/pods';
const maps = '/api/v1/namespaces/{ns}/configmaps';

const remove = (path: string, body?: object): Step => ({
  call: 'DELETE',
  path,
  ...(body && { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...body } }),
});
const version: Step = { call: 'GET', path: `${pods}`, keep: { from: 'metadata.resourceVersion' }, scene: true };
const watch: Step = { call: 'WATCH', path: `${pods}?resourceVersion={from}` };

/** How objects go. */
export const deletionConversations: Conversation[] = [
  {
    name: 'delete-grace',
    steps: [
      version,
      newPod('p'),
      remove(`${pods}/p`),
      remove(`${pods}/p`),
      remove(`${pods}/p`, { gracePeriodSeconds: 60 }),
      remove(`${pods}/p`, { gracePeriodSeconds: 5 }),
      remove(`${pods}/p?gracePeriodSeconds=2`),
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { deletionTimestamp: null } } },
      remove(`${pods}/p`, { gracePeriodSeconds: 0 }),
      remove(`${pods}/p`),
      watch,
    ],
  },
  {
    name: 'delete-at-once',
    steps: [
      version,
      newPod('force'),
      remove(`${pods}/force`, { gracePeriodSeconds: 0 }),
      newPod('unbound', { nodeName: undefined }),
      remove(`${pods}/unbound`),
      newPod('ended'),
      status('ended', { phase: 'Succeeded' }),
      remove(`${pods}/ended`),
      newPod('no-grace', { terminationGracePeriodSeconds: 0 }),
      remove(`${pods}/no-grace`),
      newPod('negative', { terminationGracePeriodSeconds: -5 }),
      remove(`${pods}/negative`),
      watch,
    ],
  },
  {
    name: 'delete-preconditions',
    steps: [
      newPod('p', {}, { keep: { uid: 'metadata.uid', rv: 'metadata.resourceVersion' } }),
      remove(`${pods}/p`, { preconditions: { uid: '00000000-0000-0000-0000-000000000000' } }),
      remove(`${pods}/p`, { preconditions: { resourceVersion: '1' } }),
      remove(`${pods}/p`, { gracePeriodSeconds: 0, preconditions: { uid: '{uid}' } }),
      remove(`${pods}/p`, { gracePeriodSeconds: 0, preconditions: { uid: '{uid}' } }),
    ],
  },
  {
    name: 'delete-finalizers',
    steps: [
      version,
      newPod('p', {}, { metadata: { finalizers: ['x.io/a'] } }),
      remove(`${pods}/p`),
      remove(`${pods}/p`, { gracePeriodSeconds: 0 }),
      remove(`${pods}/p`, { gracePeriodSeconds: 0 }),
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { finalizers: ['x.io/a', 'x.io/b'] } } },
      { call: 'PATCH', path: `${pods}/p`, type: 'merge', body: { metadata: { finalizers: null } } },
      { call: 'GET', path: `${pods}/p` },
      newPod('early', {}, { metadata: { finalizers: ['x.io/a'] } }),
      remove(`${pods}/early`),
      { call: 'PATCH', path: `${pods}/early`, type: 'merge', body: { metadata: { finalizers: null } } },
      remove(`${pods}/early`, { gracePeriodSeconds: 0 }),
      watch,
    ],
  },
  {
    name: 'delete-plain',
    steps: [
      { call: 'POST', path: maps, body: { metadata: { name: 'c' }, data: { a: 'b' } } },
      remove(`${maps}/c`),
      remove(`${maps}/c`),
      { call: 'POST', path: maps, body: { metadata: { name: 'f', finalizers: ['x.io/a'] } } },
      remove(`${maps}/f`),
      { call: 'PATCH', path: `${maps}/f`, type: 'merge', body: { metadata: { finalizers: [] } } },
      { call: 'GET', path: `${maps}/f` },
      { call: 'POST', path: maps, body: { metadata: { name: 'g' } } },
      remove(`${maps}/g`, { propagationPolicy: 'Foreground' }),
      { call: 'POST', path: maps, body: { metadata: { name: 'd' } } },
      remove(`${maps}/d?dryRun=All`),
      { call: 'GET', path: `${maps}/d`, accept: 'application/json' },
      remove(`${maps}?fieldSelector=metadata.name=d`),
    ],
  },
];
