import type { Pod } from '../../kube/types.ts';

/** The annotation by which an example says how it is meant to go. */
export const expectAnnotation = 'zunlet.io/expect';

/** How a Pod of the demo should stand when it has come to rest. */
export type Expectation = 'Running' | 'Succeeded' | 'Failed' | 'Rejected';
const words: readonly Expectation[] = ['Running', 'Succeeded', 'Failed', 'Rejected'];

/** What a Pod is expected to come to: its annotation, else Running where it restarts for ever, else Succeeded. */
export function expectationOf(pod: Pod): Expectation {
  const told = pod.metadata.annotations?.[expectAnnotation];
  const known = words.find((word) => word === told);
  if (known) return known;
  return pod.spec.restartPolicy === 'Always' ? 'Running' : 'Succeeded';
}

/** Whether a Pod has come to rest, and as expected. */
export function verdictOf(pod: Pod): 'waiting' | 'as expected' | 'otherwise' {
  const expected = expectationOf(pod);
  const { phase, message } = pod.status ?? {};
  const rejected = phase === 'Failed' && (message ?? '').startsWith('Pod was rejected');
  if (rejected) return expected === 'Rejected' ? 'as expected' : 'otherwise';
  if (phase === 'Succeeded' || phase === 'Failed') return phase === expected ? 'as expected' : 'otherwise';
  const ready = pod.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return phase === 'Running' && ready && expected === 'Running' ? 'as expected' : 'waiting';
}
