import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Random, systemRandom } from '../base/random.ts';
import type { Options } from '../config/options.ts';
import { createEventRecorder, type EventSender } from '../kube/events.ts';
import { createHeartbeat } from '../node/heartbeat.ts';
import type { KubeletServer } from '../server/server.ts';
import type { SyncLoop } from '../sync/loop.ts';
import type { CapsuleReader, PodReader } from '../sync/ports.ts';
import { startHealthServer } from '../telemetry/health-server.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { makeClients } from './clients.ts';
import { readClusterId } from './cluster-id.ts';
import { createCountingClock } from './counting-clock.ts';
import { wireKubeletApi } from './kubelet-api.ts';
import { type Life, mayHaveContainers, startLife } from './life.ts';
import { loopMetrics } from './loop-metrics.ts';
import { cloudHealth, nodeFacts, nodeOptions, ownAddresses } from './node-facts.ts';
import type { Testing } from './testing.ts';

/** What the process hands to the agent. */
export interface AgentInit {
  options: Options;
  env: Record<string, string | undefined>;
  cwd: string;
  log: Log;
  version: string;
  /** Ends a start that waits for an API server. */
  signal: AbortSignal;
  clock?: Clock;
  random?: Random;
  /** Only tests give this. */
  testing?: Testing;
}

/** A running node. */
export interface Agent {
  /** Ends: no new steps, running steps finish, Events are sent, the Lease is released. Node, Pods and capsules stay. */
  stop(): Promise<void>;
  /** Resolves when this process works for the node for the first time. */
  whenWorking(): Promise<void>;
  /** Where health and metrics are served. */
  healthAddress: string | undefined;
}

const serverGraceMs = 5000;

/**
 * Wires the whole node and starts it.
 * Errors: everything that makes a start impossible, as `AppError` with what to do: no kubeconfig, no cloud, a port in use.
 * What may heal (an API server or a Zun that is down) is no error; the node waits for it.
 */
export async function startAgent(init: AgentInit): Promise<Agent> {
  const { options, log, version } = init;
  const clock = createCountingClock(init.clock ?? systemClock);
  const random = init.random ?? systemRandom;
  const shared = { options, clock, random, log };
  let life: Life | undefined;
  let events: EventSender | undefined;

  const metrics = createMetrics({
    ...loopMetrics(() => life?.loop),
    node: options.nodeName,
    version,
    kubernetesVersion: options.kubernetesVersion,
    now: () => clock.monotonic(),
    eventsLost: () => events?.lost() ?? 0,
    timers: clock.pending,
  });
  const clients = await makeClients({
    ...init,
    ...shared,
    metrics,
    mayHaveContainers: () => mayHaveContainers(options, life?.loop),
  });
  const { kube, cloud } = clients;
  // Before the first call of the API server: who waits for it is alive.
  const health =
    options.healthAddress === ''
      ? undefined
      : await startHealthServer(options.healthAddress, () => [], metrics.registry);
  const cluster = options.clusterId || (await readClusterId(kube, log, clock, init.signal));
  const recorder = createEventRecorder({
    client: kube,
    clock,
    random,
    log,
    component: 'zunlet',
    host: options.nodeName,
    qps: options.kubeQps,
    burst: options.kubeBurst,
  });
  events = recorder;
  const hostIPs = options.nodeAddresses.length > 0 ? options.nodeAddresses : ownAddresses();
  const facts = nodeFacts(options, cluster, version);

  let server: KubeletServer | undefined;
  if (options.kubeletApi) {
    server = wireKubeletApi({
      ...shared,
      kube,
      containers: clients.containers,
      cloudTls: cloud.tls,
      ...readersOf(() => life?.loop),
      hostIPs,
      metrics,
      health: () => [{ name: 'syncloop', isHealthy: true }],
    });
    await server.listen();
  }
  const heartbeat = createHeartbeat({
    client: kube,
    clock,
    random,
    log,
    events: recorder,
    options: nodeOptions(options, {
      hostIPs,
      region: cloud.region ?? 'RegionOne',
      version,
      kubeletPort: server?.address?.port ?? options.kubeletPort,
    }),
    facts: () => facts,
    cloudHealth: () => cloudHealth(life?.loop, clock),
    // A Pod that is restarted in place keeps its name and takes over at once; elsewhere two processes may share a host.
    instance: init.env['POD_NAME'] ?? `${hostname()}_${randomUUID().slice(0, 8)}`,
    notReadyAfterMs: options.cloudDownAfter,
    onChange(mayWork) {
      if (mayWork) {
        life = startLife({
          ...shared,
          clients,
          cluster,
          hostIPs,
          allocatable: facts.resources.allocatable,
          node: () => heartbeat.node(),
          mayWork: () => heartbeat.mayWork(),
          events: recorder,
          metrics,
          ...(server && { keepLogs: server.keepLogs }),
          ...(init.testing && { testing: init.testing }),
        });
        log.info('node works', { node: options.nodeName, cluster, cloud: cloud.name });
      } else if (life) {
        log.error('node lost its lease to another process; all work stops', { node: options.nodeName });
        void endLife();
      }
    },
  });
  heartbeat.start();

  async function endLife(): Promise<void> {
    const old = life;
    life = undefined;
    await old?.stop();
  }

  return {
    whenWorking: () => heartbeat.whenLeader(),
    healthAddress: health?.address,
    async stop() {
      await endLife();
      await recorder.flush(3000);
      recorder.stop();
      await heartbeat.stop();
      await server?.close(serverGraceMs);
      await health?.close();
      await clients.close();
    },
  };
}

/** The stores of whatever life there is; empty while another process works for the node. */
function readersOf(loop: () => SyncLoop | undefined): { pods: PodReader; capsules: CapsuleReader } {
  return {
    pods: {
      get: (uid) => loop()?.pods.get(uid),
      byName: (namespace, name) => loop()?.pods.byName(namespace, name),
      all: () => loop()?.pods.all() ?? [],
      isComplete: () => loop()?.pods.isComplete() ?? false,
    },
    capsules: {
      ofPod: (uid) => loop()?.capsules.ofPod(uid) ?? [],
      all: () => loop()?.capsules.all() ?? [],
    },
  };
}
