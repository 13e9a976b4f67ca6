import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { type Clock, systemClock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import { type Random, systemRandom } from '../base/random.ts';
import type { Options } from '../config/options.ts';
import { loadKubeAuth } from '../kube/auth.ts';
import { createKubeClient } from '../kube/client.ts';
import { createEventRecorder } from '../kube/events.ts';
import { createObjectReader } from '../kube/objects.ts';
import { createPodApi } from '../kube/pods.ts';
import { createReflector, type Reflector } from '../kube/reflector.ts';
import type { Pod } from '../kube/types.ts';
import { createHeartbeat } from '../node/heartbeat.ts';
import { createCapsuleApi } from '../openstack/capsule-api.ts';
import { loadCloud } from '../openstack/cloud-config.ts';
import { readTextFile } from '../openstack/cloud-files.ts';
import { createSession } from '../openstack/session.ts';
import { createZun } from '../openstack/zun.ts';
import { createInputSource } from '../sync/inputs.ts';
import { createSyncLoop, type SyncLoop } from '../sync/loop.ts';
import { type HealthServer, startHealthServer } from '../telemetry/health-server.ts';
import { createMetrics } from '../telemetry/metrics.ts';
import { createAdmission } from './admission.ts';
import { readClusterId } from './cluster-id.ts';
import { cloudHealth, nodeFacts, nodeOptions, ownAddresses } from './node-facts.ts';
import { translateOptions, workerOptions } from './worker-options.ts';

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
}

/** A running node. */
export interface Agent {
  /** Ends: no new steps, running steps finish, Events are sent, the Lease is released. Node, Pods and capsules stay. */
  stop(): Promise<void>;
  /** Resolves when this process works for the node for the first time. */
  whenWorking(): Promise<void>;
  /** The stores of the present life of the loop; undefined while another process works for the node. */
  loop(): SyncLoop | undefined;
  healthAddress: string | undefined;
}

/**
 * Wires the whole node and starts it. The only place where clients, stores, loops and servers meet.
 * Errors: everything that makes a start impossible, as `AppError` with what to do: no kubeconfig, no cloud, a port in use.
 * What may heal (an API server or a Zun that is down) is no error; the node waits for it.
 */
export async function startAgent(init: AgentInit): Promise<Agent> {
  const { options, env, log, version } = init;
  const clock = init.clock ?? systemClock;
  const random = init.random ?? systemRandom;
  const instance = `${env['POD_NAME'] ?? hostname()}_${randomUUID().slice(0, 8)}`;

  const cloud = await loadCloud({ env, cwd: init.cwd, readFile: readTextFile }, options.cloud || undefined);
  for (const warning of cloud.warnings) log.warn('cloud configuration', { cloud: cloud.name, warning });
  const auth = await loadKubeAuth({
    env,
    clock,
    log,
    ...(options.kubeconfig && { kubeconfig: options.kubeconfig }),
    ...(options.kubeContext && { context: options.kubeContext }),
  });

  let loop: SyncLoop | undefined;
  const count = <T>(items: readonly T[], by: (item: T) => string): Record<string, number> => {
    const counts: Record<string, number> = {};
    for (const item of items) counts[by(item)] = (counts[by(item)] ?? 0) + 1;
    return counts;
  };
  const metrics = createMetrics({
    node: options.nodeName,
    counts: () => loop?.counts(),
    podsByPhase: () => count(loop?.pods.all() ?? [], (pod) => pod.status?.phase ?? 'Unknown'),
    capsulesByStatus: () => count(loop?.capsules.all() ?? [], ({ status }) => status),
    containersByState: () =>
      count(
        (loop?.pods.all() ?? []).flatMap((pod) => pod.status?.containerStatuses ?? []),
        ({ state }) => (state?.running ? 'running' : state?.terminated ? 'exited' : 'created'),
      ),
    now: () => clock.monotonic(),
    isLeader: () => loop !== undefined,
    eventsLost: () => events.lost(),
  });

  const kube = createKubeClient({
    auth,
    clock,
    random,
    log,
    version,
    qps: options.kubeQps,
    burst: options.kubeBurst,
    onCall: metrics.kubeCall,
  });
  const session = createSession({
    cloud,
    clock,
    log,
    userAgent: `zunlet/${version}`,
    connections: options.zunConnections,
    onCall: metrics.cloudCall,
  });
  let lists = 0;
  const zun = createCapsuleApi(createZun(session), {
    // Orphans of an earlier life may be containers whatever this life does, so every tenth list looks for them.
    listContainers: () => lists++ % 10 === 0 || options.backend !== 'capsule' || mayHaveContainers(loop),
  });
  const cluster = options.clusterId || (await readClusterId(kube, log, clock, init.signal));
  const events = createEventRecorder({
    client: kube,
    clock,
    random,
    log,
    component: 'zunlet',
    host: options.nodeName,
    qps: options.kubeQps,
    burst: options.kubeBurst,
  });
  const hostIPs = options.nodeAddresses.length > 0 ? options.nodeAddresses : ownAddresses();
  const objects = createObjectReader({ client: kube, clock, random, log });
  const node = nodeOptions(options, {
    hostIPs,
    region: cloud.region ?? 'RegionOne',
    version,
    kubeletPort: options.kubeletPort,
  });
  const facts = nodeFacts(options, cluster, version);
  const translate = translateOptions(options, cluster);
  const reflectors = new Set<Reflector>();
  const podApi = createPodApi(kube);

  function startLoop(): void {
    const admission = createAdmission({
      nodeName: options.nodeName,
      node: () => heartbeat.node(),
      allocatable: facts.resources.allocatable,
      daemonSetPods: options.daemonSetPods,
    });
    const inputs = createInputSource({
      objects,
      node: { name: options.nodeName, hostIPs, allocatable: facts.resources.allocatable },
      onAppeared: (uid) => made.retry(uid),
    });
    const made = createSyncLoop({
      zun,
      podApi,
      inputs,
      events,
      clock,
      random,
      log,
      options: workerOptions(options, cluster, translate),
      loop: {
        concurrency: options.concurrency,
        listEveryMs: options.relist,
        liveEveryMs: options.live,
        resyncEveryMs: 300_000,
        tombstoneMs: 600_000,
      },
      hostIPs: () => hostIPs,
      admit: (pod) => admission.admit(pod),
      onPod(uid, change, pod) {
        admission.onPod(uid, change, pod);
        if (change !== 'deleted') return;
        inputs.forget(uid);
        objects.forgetPod(uid);
      },
      onStep: (step) => metrics.step(step),
    });
    const reflector = createReflector<Pod>({
      client: kube,
      clock,
      random,
      log,
      path: '/api/v1/pods',
      name: `pods of node ${options.nodeName}`,
      fieldSelector: `spec.nodeName=${options.nodeName}`,
      sink: made.sink,
    });
    loop = made;
    reflectors.add(reflector);
    made.start();
    reflector.start();
    log.info('node works', { node: options.nodeName, cluster, cloud: cloud.name });
  }

  async function stopLoop(): Promise<void> {
    const old = loop;
    loop = undefined;
    for (const reflector of reflectors) {
      reflectors.delete(reflector);
      await reflector.stop();
    }
    await old?.stop();
  }

  const heartbeat = createHeartbeat({
    client: kube,
    clock,
    random,
    log,
    events,
    options: node,
    facts: () => facts,
    cloudHealth: () => cloudHealth(loop, clock),
    instance,
    notReadyAfterMs: options.cloudDownAfter,
    onChange(mayWork) {
      if (mayWork) return startLoop();
      if (!loop) return;
      log.error('node lost its lease to another process; all work stops', { node: options.nodeName });
      void stopLoop();
    },
  });
  let health: HealthServer | undefined;
  if (options.healthAddress !== '') {
    health = await startHealthServer(options.healthAddress, () => [], metrics.registry);
  }
  heartbeat.start();

  return {
    loop: () => loop,
    whenWorking: () => heartbeat.whenLeader(),
    healthAddress: health?.address,
    async stop() {
      await stopLoop();
      await events.flush(3000);
      events.stop();
      await heartbeat.stop();
      await health?.close();
      await objects.stop();
      await Promise.all([kube.close(), session.close()]);
    },
  };
}

/** Whether a Pod may have become a standalone container by its own wish. */
function mayHaveContainers(loop: SyncLoop | undefined): boolean {
  if (!loop) return true;
  const isContainer = loop.capsules.all().some(({ backend }) => backend === 'container');
  return (
    isContainer ||
    loop.pods.all().some(({ metadata, spec }) => spec.runtimeClassName || metadata.annotations?.['zunlet.io/backend'])
  );
}
