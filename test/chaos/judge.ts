import type { Pod } from '../../src/kube/types.ts';
import type { Api } from '../e2e/lib/api.ts';
import { expectedEnd, kindOf } from './pods.ts';

/** What went wrong, by the four things that must never happen. */
export interface Verdict {
  lostPods: string[];
  doubleCapsules: string[];
  leaks: string[];
  phasesTakenBack: string[];
}

/** What is known of one Pod UID. */
interface Case {
  last: Pod;
  wasLeaving: boolean;
  isGone: boolean;
}

/** Watches every Pod and says at once what must not be. */
export interface Judge {
  readonly verdict: Verdict;
  /** A user asks for the end of this Pod. */
  asked(uid: string): void;
  /** How many Pods there were, and how many of them the cluster itself removed. */
  counts(): { pods: number; removedByCluster: number };
  stop(): Promise<void>;
}

const path = '/api/v1/namespaces/default/pods';

/** Starts watching; resolves once the Pods that are there are known. */
export async function startJudge(api: Api): Promise<Judge> {
  const verdict: Verdict = { lostPods: [], doubleCapsules: [], leaks: [], phasesTakenBack: [] };
  const cases = new Map<string, Case>();
  const asked = new Set<string>();
  const stopping = new AbortController();
  let version = '0';

  function see(pod: Pod): void {
    const { uid, deletionTimestamp } = pod.metadata;
    const before = cases.get(uid);
    if (before && isTerminal(before.last) && before.last.status?.phase !== pod.status?.phase) {
      verdict.phasesTakenBack.push(`${describe(pod)}: was ${before.last.status?.phase}`);
    }
    const endsNow = isTerminal(pod) && !(before && isTerminal(before.last));
    const asExpected = pod.status?.phase === expectedEnd(kindOf(pod));
    if (endsNow && !asExpected && !deletionTimestamp && !isDisrupted(pod)) {
      verdict.lostPods.push(`${describe(pod)}: ${pod.status?.reason}: ${pod.status?.message}`);
    }
    cases.set(uid, {
      last: pod,
      wasLeaving: (before?.wasLeaving ?? false) || Boolean(deletionTimestamp),
      isGone: false,
    });
  }

  function gone(uid: string): void {
    const known = cases.get(uid);
    if (!known || known.isGone) return;
    known.isGone = true;
    const isOwned = known.last.metadata.ownerReferences !== undefined;
    if (asked.has(uid) || known.wasLeaving || isOwned || isDisrupted(known.last)) return;
    verdict.lostPods.push(`${describe(known.last)}: removed, and nobody had asked`);
  }

  async function list(): Promise<void> {
    const answer = await api.get<{ metadata: { resourceVersion: string }; items: Pod[] }>(path);
    version = answer.metadata.resourceVersion;
    const present = new Set(answer.items.map(({ metadata }) => metadata.uid));
    for (const pod of answer.items) see(pod);
    for (const uid of cases.keys()) if (!present.has(uid)) gone(uid);
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const { type, object } of api.watch<Pod>(`${path}?resourceVersion=${version}`, stopping.signal)) {
          if (type === 'ERROR') break;
          version = object.metadata.resourceVersion ?? version;
          see(object);
          if (type === 'DELETED') gone(object.metadata.uid);
        }
        if (!stopping.signal.aborted) await list();
      } catch {
        // The API server is away; a list follows when it is back.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await list().catch(() => undefined);
      }
    }
  }

  await list();
  const following = follow();
  return {
    verdict,
    asked: (uid) => void asked.add(uid),
    counts: () => ({
      pods: cases.size,
      removedByCluster: [...cases.entries()].filter(([uid, { isGone }]) => isGone && !asked.has(uid)).length,
    }),
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

/** Names a Pod in a verdict. */
export function describe(pod: Pod): string {
  return `pod ${pod.metadata.name} ${pod.metadata.uid} (${kindOf(pod)}, ${pod.status?.phase})`;
}

/** True in a phase that never changes again. */
export function isTerminal(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

/** Ended by the cluster: evicted, or swept away because its Node was gone for long. */
function isDisrupted(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === 'DisruptionTarget' && status === 'True') ?? false;
}
