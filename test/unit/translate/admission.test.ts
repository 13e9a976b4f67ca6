import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseQuantity } from '../../../src/base/quantity.ts';
import type { Pod, PodSpec } from '../../../src/kube/types.ts';
import { admit, daemonSetProblem, type NodeFacts, type UsedResources } from '../../../src/translate/admission.ts';
import { podRequests } from '../../../src/translate/pod-resources.ts';
import { pod } from '../../lib/builders.ts';

const node: NodeFacts = {
  name: 'zun-1',
  labels: { 'kubernetes.io/os': 'linux', type: 'virtual-kubelet', zone: 'a', cores: '32' },
  allocatable: { cpu: '4', memory: '8Gi', pods: '3', 'ephemeral-storage': '10Gi' },
};
const idle: UsedResources = { pods: 0, amounts: {} };

function amount(text: string): bigint {
  return parseQuantity(text) ?? 0n;
}

function admitted(spec: Partial<PodSpec>, used: UsedResources = idle) {
  return admit(pod({ spec }), node, used).map(({ reason, message }) => `${reason}: ${message}`);
}

function asking(requests: Record<string, string>): Partial<PodSpec> {
  return { containers: [{ name: 'app', image: 'nginx', resources: { requests } }] };
}

test('admit: an ordinary pod with room: no problem', () => {
  assert.deepEqual(admitted({ nodeSelector: { type: 'virtual-kubelet' }, os: { name: 'linux' } }), []);
});

test('admit: too little of a resource: reason and message of the kubelet', () => {
  const used = { pods: 2, amounts: { cpu: amount('3500m'), memory: amount('1Gi') } };
  assert.deepEqual(admitted(asking({ cpu: '600m' }), used), [
    "OutOfcpu: Node didn't have enough resource: cpu, requested: 600, used: 3500, capacity: 4000",
  ]);
  assert.deepEqual(admitted(asking({ memory: '8Gi' }), used), [
    "OutOfmemory: Node didn't have enough resource: memory, requested: 8589934592, used: 1073741824, capacity: 8589934592",
  ]);
  assert.deepEqual(admitted(asking({ 'ephemeral-storage': '11Gi' })), [
    "OutOfephemeral-storage: Node didn't have enough resource: ephemeral-storage, requested: 11811160064, used: 0, capacity: 10737418240",
  ]);
  assert.deepEqual(admitted({}, { pods: 3, amounts: {} }), [
    "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 3, capacity: 3",
  ]);
  assert.deepEqual(admitted(asking({ cpu: '500m' }), used), []);
});

test('admit: node selector and required affinity: all must hold, one term suffices', () => {
  const wrong = "NodeAffinity: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector";
  const terms = (...matchExpressions: object[][]): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: matchExpressions.map((all) => ({ matchExpressions: all })) as never,
        },
      },
    },
  });
  const cases: [Partial<PodSpec>, boolean][] = [
    [{ nodeSelector: { zone: 'a' } }, true],
    [{ nodeSelector: { zone: 'b' } }, false],
    [{ nodeSelector: { toString: 'x' } }, false],
    [terms([{ key: 'zone', operator: 'In', values: ['a', 'b'] }]), true],
    [terms([{ key: 'zone', operator: 'NotIn', values: ['a'] }]), false],
    [terms([{ key: 'none', operator: 'NotIn', values: ['a'] }]), true],
    [terms([{ key: 'zone', operator: 'Exists' }]), true],
    [terms([{ key: 'zone', operator: 'DoesNotExist' }]), false],
    [terms([{ key: 'cores', operator: 'Gt', values: ['31'] }]), true],
    [terms([{ key: 'cores', operator: 'Gt', values: ['32'] }]), false],
    [terms([{ key: 'cores', operator: 'Lt', values: ['33'] }]), true],
    [terms([{ key: 'zone', operator: 'Gt', values: ['1'] }]), false],
    [terms([{ key: 'zone', operator: 'Unknown' }]), false],
    [terms([{ key: 'none', operator: 'Exists' }], [{ key: 'zone', operator: 'Exists' }]), true],
    [terms([]), false],
    [terms(), false],
  ];
  for (const [spec, matches] of cases) assert.deepEqual(admitted(spec), matches ? [] : [wrong], JSON.stringify(spec));
});

test('admit: the affinity that a DaemonSet writes: the name of the node', () => {
  const named = (name: string): Partial<PodSpec> => ({
    affinity: {
      nodeAffinity: {
        requiredDuringSchedulingIgnoredDuringExecution: {
          nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: [name] }] }],
        },
      },
    },
  });
  assert.deepEqual(admitted(named('zun-1')), []);
  assert.equal(admitted(named('other')).length, 1);
});

test('admit: another operating system: refused with the words of the kubelet', () => {
  assert.deepEqual(admitted({ os: { name: 'windows' } }), [
    "PodOSNotSupported: Failed to admit pod as the OS field doesn't match node OS",
  ]);
  assert.deepEqual(admitted({ nodeSelector: { 'kubernetes.io/os': 'windows' } }), [
    "PodOSSelectorNodeLabelDoesNotMatch: Failed to admit pod as the `kubernetes.io/os` label doesn't match node label",
  ]);
});

test('admit: a pod of the wrong shape: left to translation, which says what is wrong', () => {
  assert.deepEqual(admit({ metadata: {} } as Pod, node, idle), []);
});

test('podRequests: containers, init containers, sidecars, overhead and the whole pod: as the scheduler counts', () => {
  const container = (cpu: string, restartPolicy?: string) => ({
    name: `c${cpu}`,
    resources: { requests: { cpu } },
    ...(restartPolicy && { restartPolicy }),
  });
  const cases: [Partial<PodSpec>, string][] = [
    [{ containers: [container('1'), container('500m')] }, '1500m'],
    [{ containers: [container('1')], initContainers: [container('3')] }, '3'],
    [{ containers: [container('1')], initContainers: [container('1', 'Always'), container('2')] }, '3'],
    [{ containers: [container('3')], initContainers: [container('1', 'Always'), container('2')] }, '4'],
    [{ containers: [container('1')], initContainers: [container('2'), container('1', 'Always')] }, '2'],
    [{ containers: [container('1')], overhead: { cpu: '250m' } }, '1250m'],
    [{ containers: [container('1')], resources: { requests: { cpu: '5' } }, overhead: { cpu: '1' } }, '6'],
    [{ containers: [{ name: 'a', resources: { limits: { cpu: '2' } } }] }, '2'],
  ];
  for (const [spec, expected] of cases)
    assert.equal(podRequests(pod({ spec }))['cpu'], amount(expected), JSON.stringify(spec));
});

function daemonPod(tolerations: PodSpec['tolerations'], kind = 'DaemonSet'): Pod {
  const made = pod({ spec: { tolerations: tolerations ?? [] } });
  made.metadata.ownerReferences = [{ apiVersion: 'apps/v1', kind, name: 'agent', uid: 'u', controller: true }];
  return made;
}

test('daemonSetProblem: an agent that goes everywhere: waits, is refused, or runs, by the policy', () => {
  const everywhere = daemonPod([{ operator: 'Exists' }]);
  assert.deepEqual(
    [daemonSetProblem(everywhere, 'ignore')?.heals, daemonSetProblem(everywhere, 'ignore')?.reason],
    [true, 'DaemonSetIgnored'],
  );
  assert.equal(daemonSetProblem(everywhere, 'reject')?.heals, false);
  assert.equal(daemonSetProblem(everywhere, 'run'), undefined);
});

test('daemonSetProblem: pods that were meant for the node: left alone', () => {
  assert.equal(
    daemonSetProblem(daemonPod([{ key: 'virtual-kubelet.io/provider', operator: 'Exists' }]), 'ignore'),
    undefined,
  );
  assert.equal(daemonSetProblem(daemonPod([{ operator: 'Exists' }], 'ReplicaSet'), 'ignore'), undefined);
  assert.equal(daemonSetProblem(pod(), 'ignore'), undefined);
});
