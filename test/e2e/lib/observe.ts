import type { Pod } from '../../../src/kube/types.ts';
import type { Api } from './api.ts';

/** One change of a Pod as the API server told it. */
export interface PodChange {
  type: 'ADDED' | 'MODIFIED' | 'DELETED';
  pod: Pod;
  /** When it arrived here, monotonic milliseconds. */
  at: number;
}

/** The Pods of one namespace as they are and were, from a watch. */
export interface PodObserver {
  /** Every change so far, in order. */
  readonly changes: readonly PodChange[];
  get(name: string): Pod | undefined;
  all(): Pod[];
  count(): number;
  /**
   * Waits until `condition` answers something true; it is asked again after each change. Rejects after `limitMs` with
   * what the Pods look like by then.
   */
  until<T>(what: string, condition: () => T | undefined | false, limitMs?: number): Promise<T>;
  stop(): Promise<void>;
}

/** Watches the Pods of a namespace; resolves once those that are there are known. */
export async function observePods(api: Api, namespace = 'default'): Promise<PodObserver> {
  const path = `/api/v1/namespaces/${namespace}/pods`;
  const changes: PodChange[] = [];
  const pods = new Map<string, Pod>();
  const waiting = new Set<() => void>();
  const stopping = new AbortController();
  let version = '';

  async function list(): Promise<void> {
    const answer = await api.get<{ metadata: { resourceVersion: string }; items: Pod[] }>(path);
    const listed = new Map(answer.items.map((pod) => [pod.metadata.name, pod]));
    // A watch that broke off may have missed changes; the difference stands in for them.
    for (const known of [...pods.values()]) if (!listed.has(known.metadata.name)) apply('DELETED', known);
    for (const pod of listed.values()) {
      const known = pods.get(pod.metadata.name);
      if (known?.metadata.resourceVersion !== pod.metadata.resourceVersion) apply(known ? 'MODIFIED' : 'ADDED', pod);
    }
    version = answer.metadata.resourceVersion;
  }

  function apply(type: PodChange['type'], pod: Pod): void {
    version = pod.metadata.resourceVersion ?? version;
    if (type === 'DELETED') pods.delete(pod.metadata.name);
    else pods.set(pod.metadata.name, pod);
    changes.push({ type, pod, at: performance.now() });
    for (const check of [...waiting]) check();
  }

  async function follow(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        for await (const { type, object } of api.watch<Pod>(`${path}?resourceVersion=${version}`, stopping.signal)) {
          if (type === 'ERROR') break;
          if (type !== 'BOOKMARK') apply(type, object);
        }
        if (!stopping.signal.aborted) await list();
      } catch {
        // The API server is away in some tests; nothing is lost, because a list follows.
        await new Promise((resolve) => setTimeout(resolve, 200));
        await list().catch(() => undefined);
      }
    }
  }

  await list();
  changes.length = 0;
  const following = follow();
  return {
    changes,
    get: (name) => pods.get(name),
    all: () => [...pods.values()],
    count: () => pods.size,
    until(what, condition, limitMs = 30_000) {
      return new Promise((resolve, reject) => {
        const finish = (end: () => void) => {
          clearTimeout(late);
          waiting.delete(check);
          end();
        };
        const check = () => {
          try {
            const answer = condition();
            if (answer) finish(() => resolve(answer));
          } catch (error) {
            finish(() => reject(error instanceof Error ? error : new Error(String(error))));
          }
        };
        const late = setTimeout(() => {
          const shown = [...pods.values()].map(describePod).join('\n  ');
          finish(() => reject(new Error(`waited ${limitMs} ms in vain: ${what}\n  ${shown || '(no pods)'}`)));
        }, limitMs);
        waiting.add(check);
        check();
      });
    },
    async stop() {
      stopping.abort();
      await following;
    },
  };
}

/** One line about a Pod, for failed waits. */
function describePod(pod: Pod): string {
  const { phase, reason, message, containerStatuses = [] } = pod.status ?? {};
  const states = containerStatuses.map(({ name, state }) => `${name}=${JSON.stringify(state)}`);
  const leaving = pod.metadata.deletionTimestamp ? ' terminating' : '';
  return [`${pod.metadata.name}: ${phase}${leaving}`, reason, message, ...states].filter(Boolean).join(' ');
}

/** True when the Pod's Ready condition says so. */
export function isReady(pod: Pod | undefined): boolean {
  return pod?.status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True';
}

/** True when the Pod runs and is ready. */
export function isRunning(pod: Pod | undefined): boolean {
  return pod?.status?.phase === 'Running' && isReady(pod);
}
