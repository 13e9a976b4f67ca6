import type { Pod } from '../../src/kube/types.ts';
import { type PodWish, pod as podManifest } from '../e2e/lib/manifests.ts';
import { isRunning } from '../e2e/lib/observe.ts';

/** The Pods of these tests, each a way through the node's steps of its own. */
export type PodKind =
  | 'capsule'
  | 'container'
  | 'volume'
  | 'networked'
  | 'attached'
  | 'finite'
  | 'hooked'
  | 'late-secret'
  | 'sick'
  | 'rejected'
  | 'deadline';

/** Names the kind on the Pod itself. */
export const kindLabel = 'chaos';

const asContainer = { 'zunlet.io/backend': 'container' };
/** The security group of the Pods of the kind `networked`. */
export const networkedGroup = 'chaos';
const deadlineSeconds = 4;
const ends: PodWish = { command: ['sleep', '2'], annotations: asContainer, restartPolicy: 'Never' };
const mainContainer = (extra: object) => ({
  containers: [
    { name: 'main', image: 'nginx:1.27', resources: { requests: { cpu: '100m', memory: '32Mi' } }, ...extra },
  ],
});

const wishes: Record<PodKind, (name: string) => PodWish> = {
  capsule: () => ({}),
  container: () => ({ annotations: asContainer }),
  volume: () => ({
    spec: {
      volumes: [{ name: 'data', emptyDir: {} }],
      ...mainContainer({ volumeMounts: [{ name: 'data', mountPath: '/data' }] }),
    },
  }),
  networked: () => ({
    annotations: { 'zunlet.io/floating-ip': 'public', 'zunlet.io/security-groups': networkedGroup },
  }),
  attached: (name) => ({
    spec: {
      volumes: [{ name: 'disk', cinder: { volumeID: diskOf(name) } }],
      ...mainContainer({ volumeMounts: [{ name: 'disk', mountPath: '/disk' }] }),
    },
  }),
  finite: () => ends,
  hooked: () => ({ spec: mainContainer({ lifecycle: { preStop: { sleep: { seconds: 1 } } } }) }),
  'late-secret': (name) => ({
    env: [{ name: 'SECRET', valueFrom: { secretKeyRef: { name: secretName(name), key: 'value' } } }],
  }),
  // The node restarts the one in place and makes the other anew.
  sick: (name) => ({
    ...(/[02468]$/.test(name) && { annotations: asContainer }),
    spec: mainContainer({ livenessProbe: { tcpSocket: { port: 9 }, periodSeconds: 1, failureThreshold: 1 } }),
  }),
  rejected: () => ({ spec: { hostNetwork: true } }),
  deadline: () => ({ spec: { activeDeadlineSeconds: deadlineSeconds } }),
};

/** The Cinder volume of a Pod of the kind `attached`: the same for every Pod of that name. */
export function diskOf(podName: string): string {
  return `c1d30000-0000-4000-8000-${(podName.split('-')[1] ?? '').padStart(12, '0')}`;
}

/** Names the Secret that a Pod of the kind `late-secret` waits for. */
export function secretName(podName: string): string {
  return `secret-${podName}`;
}

/** Makes the manifest of a Pod; every other one goes to the node past the scheduler. */
export function chaosPod(name: string, kind: PodKind, nodeName: string | undefined): object {
  const wish = wishes[kind](name);
  return podManifest(name, {
    ...wish,
    labels: { [kindLabel]: kind },
    ...(nodeName !== undefined && { nodeName }),
    spec: { terminationGracePeriodSeconds: 3, ...wish.spec },
  });
}

/** The wish of a Job's Pods: they end with 0. */
export const jobWish: PodWish = { ...ends, labels: { [kindLabel]: 'finite' } };

/** Reads the kind of a Pod. */
export function kindOf(pod: Pod): PodKind {
  // Only the kinds above are ever written there.
  return (pod.metadata.labels?.[kindLabel] ?? 'capsule') as PodKind;
}

/** The phase in which a Pod of a kind may end by itself, if it may. */
export function expectedEnd(kind: PodKind): 'Succeeded' | 'Failed' | undefined {
  if (kind === 'finite') return 'Succeeded';
  return kind === 'rejected' || kind === 'deadline' ? 'Failed' : undefined;
}

/** True when a Pod has come to where its kind comes to once nothing fails any more. */
export function isAtRest(pod: Pod): boolean {
  const kind = kindOf(pod);
  const end = expectedEnd(kind);
  // A start time that was written while the node's clock was ahead puts the deadline as far ahead, as on any node.
  const startedMs = Date.parse(pod.status?.startTime ?? '');
  if (kind === 'deadline' && startedMs + deadlineSeconds * 1000 > Date.now()) return true;
  if (end !== undefined) return pod.status?.phase === end;
  // A container that is restarted for ever stands now here, now there.
  if (kind === 'sick') return pod.status?.phase === 'Running' || pod.status?.phase === 'Pending';
  return isRunning(pod);
}
