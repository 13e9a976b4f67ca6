import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container, ContainerStatus } from '../../../src/kube/types.ts';
import { type Phase, podPhase } from '../../../src/status/phase.ts';
import { pod } from '../../lib/builders.ts';

type State = 'none' | 'waiting' | 'running' | 'crash0' | 'crash1' | `exit${number}`;

function status(name: string, state: State, started = true): ContainerStatus | undefined {
  if (state === 'none') return undefined;
  const base: ContainerStatus = {
    name,
    image: 'a',
    imageID: '',
    ready: false,
    restartCount: 0,
    started,
    lastState: {},
  };
  if (state === 'waiting') return { ...base, state: { waiting: { reason: 'ContainerCreating' } } };
  if (state === 'running') return { ...base, state: { running: { startedAt: '2026-01-01T00:00:00Z' } } };
  const exitCode = Number(/\d+/.exec(state)?.[0]);
  if (state.startsWith('exit')) return { ...base, state: { terminated: { exitCode } } };
  return { ...base, state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: { terminated: { exitCode } } };
}

interface Case {
  policy: 'Always' | 'OnFailure' | 'Never';
  mains: State[];
  inits?: State[];
  /** `running-` is a sidecar that runs but has not started. */
  sidecars?: (State | 'running-')[];
  finishing?: boolean;
  rules?: Partial<Container>;
  phase: Phase;
}

const cases: Record<string, Case> = {
  'nothing known': { policy: 'Always', mains: ['none'], phase: 'Pending' },
  'one waiting': { policy: 'Always', mains: ['waiting'], phase: 'Pending' },
  'one running': { policy: 'Always', mains: ['running'], phase: 'Running' },
  'one running, one waiting': { policy: 'Always', mains: ['running', 'waiting'], phase: 'Pending' },
  'one running, one unknown': { policy: 'Always', mains: ['running', 'none'], phase: 'Pending' },
  'one running, one in back-off': { policy: 'Always', mains: ['running', 'crash1'], phase: 'Running' },
  'one running, one ended': { policy: 'Never', mains: ['running', 'exit1'], phase: 'Running' },
  'ended 0, Always': { policy: 'Always', mains: ['exit0'], phase: 'Running' },
  'ended 0, OnFailure': { policy: 'OnFailure', mains: ['exit0'], phase: 'Succeeded' },
  'ended 1, OnFailure': { policy: 'OnFailure', mains: ['exit1'], phase: 'Running' },
  'ended 0 and 1, OnFailure': { policy: 'OnFailure', mains: ['exit0', 'exit1'], phase: 'Running' },
  'ended 0, Never': { policy: 'Never', mains: ['exit0'], phase: 'Succeeded' },
  'ended 1, Never': { policy: 'Never', mains: ['exit1'], phase: 'Failed' },
  'ended 0 and 1, Never': { policy: 'Never', mains: ['exit0', 'exit1'], phase: 'Failed' },
  'back-off after 0, Never': { policy: 'Never', mains: ['crash0'], phase: 'Failed' },
  'back-off after 1, OnFailure': { policy: 'OnFailure', mains: ['crash1'], phase: 'Running' },
  'ended, one unknown': { policy: 'Never', mains: ['exit0', 'none'], phase: 'Pending' },
  'finishing, ended 0, Always': { policy: 'Always', mains: ['exit0'], finishing: true, phase: 'Succeeded' },
  'finishing, ended 137, Always': { policy: 'Always', mains: ['exit137'], finishing: true, phase: 'Failed' },
  'finishing, in back-off after 0': { policy: 'Always', mains: ['crash0'], finishing: true, phase: 'Failed' },
  'finishing, never started': { policy: 'Always', mains: ['waiting'], finishing: true, phase: 'Pending' },
  'init unknown': { policy: 'Always', inits: ['none'], mains: ['waiting'], phase: 'Pending' },
  'init waiting': { policy: 'Always', inits: ['waiting'], mains: ['waiting'], phase: 'Pending' },
  'init running': { policy: 'Always', inits: ['running'], mains: ['waiting'], phase: 'Pending' },
  'init done, main waiting': { policy: 'Always', inits: ['exit0'], mains: ['waiting'], phase: 'Pending' },
  'init done, main running': { policy: 'Always', inits: ['exit0'], mains: ['running'], phase: 'Running' },
  'init failed, Never': { policy: 'Never', inits: ['exit1'], mains: ['waiting'], phase: 'Failed' },
  'init failed, OnFailure': { policy: 'OnFailure', inits: ['exit1'], mains: ['waiting'], phase: 'Pending' },
  'init failed, Always': { policy: 'Always', inits: ['exit1'], mains: ['waiting'], phase: 'Pending' },
  'init in back-off, Never': { policy: 'Never', inits: ['crash1'], mains: ['waiting'], phase: 'Failed' },
  'init in back-off, Always': { policy: 'Always', inits: ['crash1'], mains: ['waiting'], phase: 'Pending' },
  'init waits again after success': { policy: 'Never', inits: ['crash0'], mains: ['running'], phase: 'Running' },
  'second init failed, main runs': { policy: 'Never', inits: ['exit0', 'exit3'], mains: ['running'], phase: 'Failed' },
  'sidecar waiting, main waiting': { policy: 'Always', sidecars: ['waiting'], mains: ['waiting'], phase: 'Pending' },
  'sidecar running, not started': { policy: 'Always', sidecars: ['running-'], mains: ['waiting'], phase: 'Pending' },
  'sidecar not started, main ran': { policy: 'Always', sidecars: ['running-'], mains: ['running'], phase: 'Running' },
  'sidecar waiting, main runs': { policy: 'Always', sidecars: ['waiting'], mains: ['running'], phase: 'Pending' },
  'sidecar running, mains done': { policy: 'Never', sidecars: ['running'], mains: ['exit0'], phase: 'Running' },
  'sidecar ended, main done': { policy: 'Never', sidecars: ['exit137'], mains: ['exit0'], phase: 'Succeeded' },
  'sidecar in back-off, main runs': { policy: 'Never', sidecars: ['crash1'], mains: ['running'], phase: 'Running' },
  'sidecar unknown, main runs': { policy: 'Always', sidecars: ['none'], mains: ['running'], phase: 'Pending' },
  'container policy Never under Always': {
    policy: 'Always',
    mains: ['exit1'],
    rules: { restartPolicy: 'Never' },
    phase: 'Failed',
  },
  'container rule restarts 42 under Never': {
    policy: 'Never',
    mains: ['exit42'],
    rules: {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    },
    phase: 'Running',
  },
  'container rule does not name 43': {
    policy: 'Never',
    mains: ['exit43'],
    rules: {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }],
    },
    phase: 'Failed',
  },
  'container rule restarts all but 42': {
    policy: 'Never',
    mains: ['exit43'],
    rules: {
      restartPolicy: 'Never',
      restartPolicyRules: [{ action: 'Restart', exitCodes: { operator: 'NotIn', values: [42] } }],
    },
    phase: 'Running',
  },
};

for (const [name, { policy, mains, inits = [], sidecars = [], finishing = false, rules = {}, phase }] of Object.entries(
  cases,
)) {
  test(`phase: ${name}: ${phase}`, () => {
    const main = (index: number) => `main-${index}`;
    const defined = (list: (ContainerStatus | undefined)[]) => list.filter((item) => item !== undefined);
    const subject = pod({
      containers: mains.map((_, index) => ({ name: main(index), image: 'a', ...rules })),
      spec: {
        restartPolicy: policy,
        initContainers: [
          ...inits.map((_, index) => ({ name: `init-${index}`, image: 'a' })),
          ...sidecars.map((_, index) => ({ name: `side-${index}`, image: 'a', restartPolicy: 'Always' })),
        ],
      },
    });
    const result = podPhase(
      subject,
      {
        containerStatuses: defined(mains.map((state, index) => status(main(index), state))),
        initContainerStatuses: defined([
          ...inits.map((state, index) => status(`init-${index}`, state)),
          ...sidecars.map((state, index) =>
            state === 'running-' ? status(`side-${index}`, 'running', false) : status(`side-${index}`, state),
          ),
        ]),
      },
      finishing,
    );
    assert.equal(result, phase);
  });
}
