import type { Clock } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import { microTimestamp } from '../base/timestamp.ts';
import type { KubeClient } from '../kube/client-types.ts';
import type { Lease } from '../kube/types.ts';
import { instanceAnnotation } from './reasons.ts';

export interface NodeLeaseOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  clock: Clock;
  node: string;
  /** Name of this process among those that may run the node. */
  instance: string;
  /** How long a renewal holds; 40 as kubelets have it. */
  durationSeconds: number;
  /** Whether anything shows that a process worked for this node before. Asked once, by a new process that finds no Lease. */
  wasWorked: () => Promise<boolean>;
}

/** What an attempt at the Lease came to. */
type Hold = { isHeld: true } | { isHeld: false; holder: string };

/**
 * The node's Lease, which says two things at once: to the controllers, that the node lives; to other zunlet processes, by
 * an annotation, which one of them works. One object for both, because a node identity may touch no other.
 */
export interface NodeLease {
  /** Looks without touching: whether it could be had now. */
  look(): Promise<Hold>;
  /** Takes or renews it for a Node of this uid. Errors: those of `KubeClient`. */
  hold(nodeUid: string): Promise<Hold>;
  /** Lets another process have it at once. Fails like `hold`. */
  release(): Promise<void>;
  /** True while nobody else can have it. */
  isHeld(): boolean;
}

const path = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
/** The holder stops this long before others may start, so that a call in flight ends on its side of the line. */
const marginMs = 5_000;
const callTimeoutMs = 10_000;

/**
 * Makes the lease. Another instance's Lease is respected until it has not changed for its whole duration on our own clock:
 * clocks of two machines are never compared, because one that is an hour off would take the Lease of a holder that lives.
 * Source: pkg/kubelet (nodelease); client-go tools/leaderelection for the rule on observed time.
 */
export function createNodeLease(options: NodeLeaseOptions): NodeLease {
  const { client, clock, node, instance } = options;
  const call = (attempt: string) => ({
    attempt: `${attempt} lease of node ${node}`,
    urgent: true,
    retries: 0,
    timeoutMs: callTimeoutMs,
  });
  let ours: Lease | undefined;
  let seen: { version: string | undefined; atMs: number; holder: string; durationMs: number } | undefined;
  let heldUntilMs = Number.NEGATIVE_INFINITY;
  /** Until this process has seen or made a Lease, or knows why there is none. */
  let isNew = true;

  async function read(): Promise<Lease | undefined> {
    try {
      return await client.get<Lease>(`${path}/${node}`, call('reading'));
    } catch (thrown) {
      if (isKind(thrown, 'not-found')) return undefined;
      throw thrown;
    }
  }
  /** Undefined when the lease may be had; else who holds it. */
  function otherHolder(lease: Lease): string | undefined {
    const holder = lease.metadata.annotations?.[instanceAnnotation];
    if (holder === instance || holder === '') {
      seen = undefined;
      return undefined;
    }
    const version = lease.metadata.resourceVersion;
    const durationMs = (lease.spec?.leaseDurationSeconds ?? options.durationSeconds) * 1000;
    const name = holder ?? 'something that is not zunlet';
    if (!seen || seen.version !== version) seen = { version, atMs: clock.monotonic(), holder: name, durationMs };
    return holderSeen();
  }
  /**
   * Who held the Lease when it was last seen, until that has run out. A Lease that is gone is no release: it goes with a
   * Node that somebody deletes, and its holder works on until it notices.
   */
  function holderSeen(): string | undefined {
    return seen && clock.monotonic() - seen.atMs < seen.durationMs ? seen.holder : undefined;
  }
  /** As `otherHolder`, of a Lease or its absence: to a new process that may be the sign of a Node that was just deleted. */
  async function holderOf(lease: Lease | undefined): Promise<string | undefined> {
    if (isNew && !lease && (await options.wasWorked())) {
      const durationMs = options.durationSeconds * 1000;
      seen = { version: undefined, atMs: clock.monotonic(), holder: 'whoever held the Lease that is gone', durationMs };
    }
    isNew = false;
    return lease ? otherHolder(lease) : holderSeen();
  }
  function wanted(base: Lease | undefined, nodeUid: string): object {
    return {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        ...base?.metadata,
        name: node,
        namespace: 'kube-node-lease',
        annotations: { ...base?.metadata.annotations, [instanceAnnotation]: instance },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: node, uid: nodeUid }],
      },
      spec: {
        ...base?.spec,
        holderIdentity: node,
        leaseDurationSeconds: options.durationSeconds,
        renewTime: microTimestamp(clock.now()),
      },
    };
  }
  async function write(base: Lease | undefined, nodeUid: string): Promise<void> {
    const startedAt = clock.monotonic();
    ours = base
      ? await client.replace<Lease>(`${path}/${node}`, wanted(base, nodeUid), call('renewing'))
      : await client.create<Lease>(path, wanted(undefined, nodeUid), call('creating'));
    heldUntilMs = startedAt + options.durationSeconds * 1000 - marginMs;
  }
  async function takeFresh(nodeUid: string): Promise<Hold> {
    const lease = await read();
    const holder = await holderOf(lease);
    if (holder !== undefined) {
      ours = undefined;
      heldUntilMs = Number.NEGATIVE_INFINITY;
      return { isHeld: false, holder };
    }
    await write(lease, nodeUid);
    return { isHeld: true };
  }

  return {
    async look() {
      const lease = await read();
      const holder = await holderOf(lease);
      return holder === undefined ? { isHeld: true } : { isHeld: false, holder };
    },
    async hold(nodeUid) {
      if (!ours) return takeFresh(nodeUid);
      try {
        await write(ours, nodeUid);
        return { isHeld: true };
      } catch (thrown) {
        if (!isKind(thrown, 'conflict', 'not-found')) throw thrown;
        return takeFresh(nodeUid);
      }
    },
    async release() {
      if (!ours) return;
      const annotations = { ...ours.metadata.annotations, [instanceAnnotation]: '' };
      heldUntilMs = Number.NEGATIVE_INFINITY;
      await client.replace(
        `${path}/${node}`,
        { ...ours, metadata: { ...ours.metadata, annotations } },
        call('releasing'),
      );
      ours = undefined;
    },
    isHeld: () => clock.monotonic() < heldUntilMs,
  };
}
