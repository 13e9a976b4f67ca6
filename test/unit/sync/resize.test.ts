import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec, ResourceRequirements } from '../../../src/kube/types.ts';
import { unappliedResize } from '../../../src/sync/resize.ts';
import { capsule, pod } from '../../lib/builders.ts';

const images = { 'zunlet.io/images': 'app=nginx:1.27' };
const made = capsule({ labels: { ...images, 'zunlet.io/resources': 'app=requests.cpu:100m,limits.memory:64Mi' } });

function asking(resources: ResourceRequirements | undefined, spec: Partial<PodSpec> = {}) {
  return pod({ containers: [{ name: 'app', image: 'nginx:1.27', ...(resources && { resources }) }], spec });
}

test('resize: the capsule was made with what the Pod asks for: nothing to say', () => {
  assert.equal(
    unappliedResize(asking({ limits: { memory: '64Mi' }, requests: { cpu: '100m', 'example.org/gpu': '0' } }), made),
    undefined,
  );
  assert.equal(unappliedResize(asking(undefined), capsule({ labels: images })), undefined);
});

test('resize: cpu was raised after the capsule was made: says what is asked for and what there is', () => {
  assert.equal(
    unappliedResize(asking({ requests: { cpu: '200m' }, limits: { memory: '64Mi' } }), made),
    'container app asks for requests.cpu:200m,limits.memory:64Mi and its capsule was made with requests.cpu:100m,limits.memory:64Mi: Zun changes the resources of no capsule, so make the Pod anew to resize it',
  );
});

test('resize: of the Pod itself, and from nothing: said, too', () => {
  const text = unappliedResize(
    asking(undefined, { resources: { requests: { cpu: '1' } } }),
    capsule({ labels: images }),
  );
  assert.match(text ?? '', /^the Pod asks for requests\.cpu:1 and its capsule was made with none: /);
});

test('resize: a capsule whose labels say nothing of its making: left alone', () => {
  assert.equal(unappliedResize(asking({ requests: { cpu: '200m' } }), capsule()), undefined);
});
