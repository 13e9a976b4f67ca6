import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceRequirements } from '../../../src/kube/types.ts';
import { containerResources } from '../../../src/translate/resources.ts';
import { containerContext } from '../../lib/translation.ts';

function granted(resources: ResourceRequirements | undefined, podLevel?: ResourceRequirements) {
  const context = containerContext(resources ? { resources } : {});
  const result = containerResources(context, podLevel);
  return { result, problems: context.findings.problems(), notes: context.findings.notes() };
}

test('containerResources: requests and limits: the share of cpu, the limit of memory, rounded up', () => {
  const cases: [ResourceRequirements | undefined, object][] = [
    [undefined, {}],
    [{}, {}],
    [{ requests: { cpu: '250m' } }, { cpu: 0.25 }],
    [{ limits: { cpu: '2' } }, { cpu: 2 }],
    [{ requests: { cpu: '1500.5m' }, limits: { cpu: '4' } }, { cpu: 1.501 }],
    [{ requests: { memory: '64Mi' } }, { memoryMiB: 64 }],
    [{ requests: { memory: '64Mi' }, limits: { memory: '100M' } }, { memoryMiB: 96 }],
    [{ requests: { cpu: '0', memory: '0' } }, {}],
    [{ requests: { 'ephemeral-storage': '1Gi' } }, {}],
    [{ requests: { cpu: 1 as unknown as string } }, { cpu: 1 }],
  ];
  for (const [resources, expected] of cases) {
    const { result, problems } = granted(resources);
    assert.deepEqual(result, expected, JSON.stringify(resources));
    assert.deepEqual(problems, []);
  }
});

test("containerResources: below zun's minimum: raised, and noted", () => {
  const { result, notes } = granted({ requests: { cpu: '10m' }, limits: { memory: '1Mi' } });
  assert.deepEqual(result, { cpu: 0.1, memoryMiB: 4 });
  assert.deepEqual(
    notes.map(({ path, level }) => [path, level]),
    [
      ['spec.containers[0].resources.requests', 'defaulted'],
      ['spec.containers[0].resources.limits', 'defaulted'],
    ],
  );
});

test("containerResources: above zun's maximum: refused with the bound", () => {
  const { problems } = granted({ requests: { cpu: '16001m', memory: '8193Mi' } });
  assert.deepEqual(
    problems.map(({ path, heals }) => [path, heals]),
    [
      ['spec.containers[0].resources.requests.cpu', false],
      ['spec.containers[0].resources.requests.memory', false],
    ],
  );
  assert.match(problems[0]?.message ?? '', /at most 16 cpus/);
  assert.deepEqual(granted({ requests: { cpu: '16', memory: '8Gi' } }).problems, []);
});

test('containerResources: resources that zun does not have: refused, unless none is asked for', () => {
  const { problems } = granted({ limits: { 'nvidia.com/gpu': '1', 'hugepages-2Mi': '4Mi', 'example.com/none': '0' } });
  assert.deepEqual(
    problems.map(({ path }) => path),
    ['spec.containers[0].resources.limits["nvidia.com/gpu"]', 'spec.containers[0].resources.limits["hugepages-2Mi"]'],
  );
});

test('containerResources: amounts that are none: refused', () => {
  for (const cpu of ['much', '-1', '1 ', '']) {
    assert.equal(granted({ requests: { cpu } }).problems[0]?.code, 'resources.malformed', cpu);
  }
});

test('containerResources: resources of the whole pod: used where the container has none', () => {
  const podLevel = { requests: { cpu: '2' }, limits: { memory: '1Gi' } };
  assert.deepEqual(granted({ requests: { cpu: '1' } }, podLevel).result, { cpu: 1, memoryMiB: 1024 });
});
