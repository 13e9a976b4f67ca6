import { jitterMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { type AppError, isKind, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { KubeClient } from '../kube/client-types.ts';
import type { Node, Pod } from '../kube/types.ts';
import type { EventRecorder } from '../sync/ports.ts';
import { createFailureNote, createLeadership, nodeSubject } from './leadership.ts';
import { createNodeLease } from './lease.ts';
import { nodeObject } from './node.ts';
import { instanceAnnotation, nodeEvent } from './reasons.ts';
import { registerNode } from './register.ts';
import { createStatusWriter } from './status-writer.ts';
import type { CloudHealth, NodeFacts, NodeOptions } from './types.ts';

export interface HeartbeatOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'replace' | 'patch'>;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  options: NodeOptions;
  /** Asked for each status. */
  facts: () => NodeFacts;
  /** Asked for each status. */
  cloudHealth: () => CloudHealth;
  /**
   * Names this process among those that may run the node. A new process with the same name takes over at once, one with
   * another name waits until the Lease of the last one ran out or was released.
   */
  instance: string;
  /** How long the cloud may be out of reach before the Node is not Ready; 0: it stays Ready. */
  notReadyAfterMs: number;
  /** Called when this process may work from now on (true) or may not any more (false). */
  onChange?: (mayWork: boolean) => void;
  /** The kubelet's own by default: 40 s, renewed every 10 s; status every 10 s, written at least every 5 min. */
  leaseSeconds?: number;
  renewEveryMs?: number;
  statusEveryMs?: number;
  reportEveryMs?: number;
}

interface HeartbeatHealth {
  mayWork: boolean;
  /** Who runs the node instead of this process. */
  holder: string | undefined;
  /** Monotonic ms of the last renewal. */
  leaseRenewedAtMs: number | undefined;
  /** Why the last beat of the Lease or the status failed. */
  error: AppError | undefined;
}

/** Keeps the Node registered and alive, and says whether this process is the one that works for it. */
export interface Heartbeat {
  start(): void;
  /** Releases the Lease for the next process; the Node stays. */
  stop(): Promise<void>;
  /** True while this process holds the node's Lease, so that nobody else touches its Pods and capsules. */
  mayWork(): boolean;
  /** Resolves as soon as this process holds the Lease for the first time. */
  whenLeader(): Promise<void>;
  /** The Node as last written or read. */
  node(): Node | undefined;
  health(): HeartbeatHealth;
}

const quickTries = 5;
const quickRetryMs = 200;
const standbyEveryMs = 5_000;

/**
 * Makes the heartbeat: registers the node, renews its Lease and writes its status, each in its own time, so that a slow
 * cloud or a slow status never costs the Lease. Never deletes the Node, because that would delete its Pods.
 * Source: pkg/kubelet/kubelet_node_status.go; kubernetes.io/docs/reference/node/node-status (heartbeats).
 */
export function createHeartbeat(deps: HeartbeatOptions): Heartbeat {
  const { clock, log, options } = deps;
  const stopping = new AbortController();
  const leadership = createLeadership(deps);
  const lease = createNodeLease({ ...deps, node: options.name, durationSeconds: deps.leaseSeconds ?? 40, wasWorked });
  const status = createStatusWriter({ ...deps, reportEveryMs: deps.reportEveryMs ?? 300_000 });
  const failures = { lease: createFailureNote(deps), status: createFailureNote(deps) };
  let node: Node | undefined;
  let loops: Promise<unknown> | undefined;

  /**
   * A Node that another process made or adopted, or a Pod that some process has accepted, and yet no Lease: it went with a
   * Node that somebody deleted.
   */
  async function wasWorked(): Promise<boolean> {
    const { name } = options;
    try {
      const call = { attempt: `reading node ${name}`, urgent: true };
      const { metadata } = await deps.client.get<Node>(`/api/v1/nodes/${name}`, call);
      const maker = metadata.annotations?.[instanceAnnotation];
      if (maker !== undefined) return maker !== deps.instance;
    } catch (thrown) {
      if (!isKind(thrown, 'not-found')) throw thrown;
    }
    const query = `fieldSelector=spec.nodeName%3D${name}&limit=500`;
    const attempt = `listing the pods of node ${name}`;
    const { items } = await deps.client.get<{ items: Pod[] | null }>(`/api/v1/pods?${query}`, {
      attempt,
      urgent: true,
    });
    return (items ?? []).some(({ status }) => status?.startTime !== undefined);
  }

  function register(): Promise<Node> {
    const makeNode = () => nodeObject(options, deps.instance, status.wanted(undefined));
    return registerNode({ ...deps, makeNode }, stopping.signal);
  }

  /** Answers the time until the next one. */
  async function beatLease(): Promise<number> {
    let hold = node ? await lease.hold(node.metadata.uid) : await lease.look();
    if (hold.isHeld && !node) {
      node = await register();
      hold = await lease.hold(node.metadata.uid);
    }
    if (!hold.isHeld) {
      node = undefined;
      leadership.lose(hold.holder);
      return jitterMs(standbyEveryMs, 0.1, deps.random);
    }
    if (leadership.gain()) void beatStatus();
    return jitterMs(deps.renewEveryMs ?? 10_000, 0.04, deps.random);
  }

  async function beatStatus(): Promise<void> {
    if (!node || !lease.isHeld()) return;
    try {
      const written = await status.write(stopping.signal);
      if (written) node = written;
      else await registerAgain();
      failures.status.clear();
    } catch (thrown) {
      if (!stopping.signal.aborted) failures.status.note('node status not written', thrown);
    }
  }

  async function registerAgain(): Promise<void> {
    log.warn('node object was deleted, registering it again', { node: options.name });
    node = await register();
    deps.events.record(nodeSubject(options.name), 'Warning', nodeEvent.registeredAgain, 'Node object was deleted');
  }

  async function keepLease(): Promise<void> {
    for (let tries = 0; !stopping.signal.aborted; ) {
      let delayMs: number;
      try {
        delayMs = await beatLease();
        failures.lease.clear();
        tries = 0;
      } catch (thrown) {
        if (stopping.signal.aborted) return;
        failures.lease.note('node lease not renewed', thrown);
        if (!lease.isHeld()) leadership.lose(undefined);
        delayMs = tries < quickTries ? quickRetryMs * 2 ** tries : (deps.renewEveryMs ?? 10_000);
        tries += 1;
      }
      await sleep(clock, delayMs, stopping.signal).catch(() => {});
    }
  }

  async function keepStatus(): Promise<void> {
    while (!stopping.signal.aborted) {
      await sleep(clock, deps.statusEveryMs ?? 10_000, stopping.signal).catch(() => {});
      await beatStatus();
    }
  }

  return {
    start() {
      loops ??= Promise.all([keepLease(), keepStatus()]);
    },
    async stop() {
      stopping.abort();
      await loops;
      await lease
        .release()
        .catch((thrown) => log.debug('node lease not released', { err: toAppError(thrown).message }));
      leadership.lose(undefined);
    },
    mayWork: () => lease.isHeld(),
    whenLeader: () => leadership.first,
    node: () => node,
    health: () => ({
      mayWork: lease.isHeld(),
      ...leadership.state(),
      error: failures.lease.error() ?? failures.status.error(),
    }),
  };
}
