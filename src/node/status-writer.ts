import { jitterMs } from '../base/backoff.ts';
import type { Clock } from '../base/clock.ts';
import { isKind } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { KubeCall, KubeClient } from '../kube/client-types.ts';
import type { Node, NodeStatus } from '../kube/types.ts';
import type { EventRecorder } from '../sync/ports.ts';
import { type CloudVerdict, flipEvents, nodeConditions } from './conditions.ts';
import { nodeSubject } from './leadership.ts';
import { nodeStatus } from './node.ts';
import { nodeStatusPatch } from './patches.ts';
import { nodesPath } from './register.ts';
import type { CloudHealth, NodeFacts, NodeOptions } from './types.ts';

export interface StatusWriterOptions {
  client: Pick<KubeClient, 'get' | 'patch'>;
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  options: NodeOptions;
  facts: () => NodeFacts;
  cloudHealth: () => CloudHealth;
  notReadyAfterMs: number;
  reportEveryMs: number;
}

/** Writes the Node's status: when something changed, else as a sign of life. */
export interface StatusWriter {
  /** The status as it should be now, on top of what is stored. */
  wanted(stored: NodeStatus | undefined): NodeStatus;
  /** Reads the Node, writes what differs, and answers it; undefined when the Node is gone. Errors: those of `KubeClient`. */
  write(signal: AbortSignal): Promise<Node | undefined>;
}

const callTimeoutMs = 10_000;

/**
 * Makes a status writer. It looks at the Node each time, from the API server's cache, because controllers write there too:
 * they set Ready to Unknown after an outage, and only the node takes that back.
 */
export function createStatusWriter(deps: StatusWriterOptions): StatusWriter {
  const { client, clock, options } = deps;
  const path = `${nodesPath}/${options.name}`;
  let reportAtMs = Number.NEGATIVE_INFINITY;

  function wanted(stored: NodeStatus | undefined): NodeStatus {
    const cloud = judgeCloud(deps.cloudHealth(), clock.monotonic(), deps.notReadyAfterMs);
    const previous = stored?.conditions ?? [];
    return nodeStatus(options, deps.facts(), nodeConditions({ cloud, previous, nowMs: clock.now() }));
  }

  /** From the API server's cache; only the store itself can say that it is gone. */
  async function read(call: KubeCall): Promise<Node> {
    const attempt = `reading node ${options.name}`;
    try {
      return await client.get<Node>(path, { ...call, attempt, query: { resourceVersion: '0' } });
    } catch (thrown) {
      if (!isKind(thrown, 'not-found')) throw thrown;
      return client.get<Node>(path, { ...call, attempt });
    }
  }

  return {
    wanted,
    async write(signal) {
      const call = { urgent: true, timeoutMs: callTimeoutMs, signal };
      try {
        const stored = await read(call);
        const status = wanted(stored.status);
        const patch = nodeStatusPatch(stored, status, clock.monotonic() >= reportAtMs);
        if (!patch) return stored;
        const attempt = `writing the status of node ${options.name}`;
        const written = await client.patch<Node>(`${path}/status`, patch, { ...call, attempt });
        reportAtMs = clock.monotonic() + jitterMs(deps.reportEveryMs, 0.5, deps.random);
        for (const flip of flipEvents(options.name, stored.status?.conditions ?? [], status.conditions ?? [])) {
          deps.log.info('node condition changed', { node: options.name, reason: flip.reason, message: flip.message });
          deps.events.record(nodeSubject(options.name), flip.type, flip.reason, flip.message);
        }
        return written;
      } catch (thrown) {
        if (isKind(thrown, 'not-found')) return undefined;
        throw thrown;
      }
    },
  };
}

/** Decides whether the Node still counts as Ready; `nowMs` is monotonic. */
export function judgeCloud(health: CloudHealth, nowMs: number, notReadyAfterMs: number): CloudVerdict {
  if (health.ok) return { ok: true };
  const isReady = notReadyAfterMs <= 0 || nowMs - health.sinceMs < notReadyAfterMs;
  return { ok: false, isReady, reason: health.reason, message: health.message };
}
