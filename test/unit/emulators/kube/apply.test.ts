import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createApply } from '../../../../src/emulators/kube/apply.ts';
import type { JsonObject, KubeObject } from '../../../../src/emulators/kube/objects.ts';

const pod = (spec: JsonObject): KubeObject => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p', uid: 'u', resourceVersion: '1', creationTimestamp: '' },
  spec,
});

test('apply: what the manager applied before and leaves out now: removed; the rest stays', () => {
  const apply = createApply();
  const first = {
    spec: { nodeName: 'n', containers: [{ name: 'a', env: [{ name: 'X' }, { name: 'Y' }] }, { name: 'b' }] },
  };
  apply.remember('u', 'helm', first);
  const live = pod({
    nodeName: 'n',
    dnsPolicy: 'Default',
    containers: [
      { name: 'a', image: 'set-by-another', env: [{ name: 'X' }, { name: 'Y' }, { name: 'Z' }] },
      { name: 'b' },
    ],
  });
  const wanted = { spec: { containers: [{ name: 'a', env: [{ name: 'Y', value: '1' }] }] } };
  assert.deepEqual(apply.merge(live, wanted, 'helm')['spec'], {
    dnsPolicy: 'Default',
    containers: [{ name: 'a', image: 'set-by-another', env: [{ name: 'Y', value: '1' }, { name: 'Z' }] }],
  });
});

test('apply: another manager: removes nothing of the first', () => {
  const apply = createApply();
  apply.remember('u', 'helm', { spec: { nodeName: 'n' } });
  assert.deepEqual(apply.merge(pod({ nodeName: 'n' }), { spec: { hostname: 'h' } }, 'kubectl')['spec'], {
    nodeName: 'n',
    hostname: 'h',
  });
});

test('apply: finalizers left out: only those go', () => {
  const apply = createApply();
  apply.remember('u', 'm', { metadata: { finalizers: ['a', 'b'] } });
  const live = pod({});
  live.metadata['finalizers'] = ['a', 'b', 'c'];
  const merged = apply.merge(live, { metadata: { finalizers: ['b'] } }, 'm');
  assert.deepEqual((merged['metadata'] as JsonObject)['finalizers'], ['b', 'c']);
});
