import type { Problem } from '../base/problem.ts';
import type { Node, Pod } from '../kube/types.ts';
import { isTerminal } from '../sync/plan.ts';
import type { PodChange } from '../sync/pod-store.ts';
import { admit, type DaemonSetPolicy, daemonSetProblem } from '../translate/admission.ts';
import { type Amounts, podRequests } from '../translate/pod-resources.ts';

/** The kubelet's admission for the Pods of this node. */
export interface Admission {
  /** Keeps the books: hears of every change of a Pod. */
  onPod(uid: string, change: PodChange, pod: Pod): void;
  /** Why the Pod may not start here; empty when it may. */
  admit(pod: Pod): Problem[];
}

/**
 * Makes the admission. What accepted Pods take is kept as a running sum, so that a thousand Pods that start at once do not
 * each add up the other nine hundred and ninety-nine.
 */
export function createAdmission(options: {
  nodeName: string;
  node: () => Node | undefined;
  allocatable: Readonly<Record<string, string>>;
  daemonSetPods: DaemonSetPolicy;
}): Admission {
  const counted = new Map<string, Amounts>();
  const total: Amounts = {};

  function add(amounts: Amounts, sign: 1n | -1n): void {
    for (const [name, amount] of Object.entries(amounts)) total[name] = (total[name] ?? 0n) + sign * amount;
  }

  return {
    onPod(uid, change, pod) {
      const counts = change !== 'deleted' && takesResources(pod);
      const known = counted.get(uid);
      if (counts && !known) {
        const amounts = podRequests(pod);
        counted.set(uid, amounts);
        add(amounts, 1n);
      } else if (!counts && known) {
        counted.delete(uid);
        add(known, -1n);
      }
    },
    admit(pod) {
      const unwelcome = daemonSetProblem(pod, options.daemonSetPods);
      if (unwelcome) return [unwelcome];
      const labels = options.node()?.metadata.labels ?? {};
      const node = { name: options.nodeName, labels, allocatable: options.allocatable };
      return admit(pod, node, { pods: counted.size, amounts: total });
    },
  };
}

/** A Pod takes its share from the moment it was accepted until it has ended. */
function takesResources(pod: Pod): boolean {
  return Boolean(pod.status?.startTime) && !isTerminal(pod);
}
