import type { Clock } from '../base/clock.ts';
import { isKind, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Options } from '../config/options.ts';
import type { EventSender } from '../kube/events.ts';
import { createObjectReader } from '../kube/objects.ts';
import { createPodApi } from '../kube/pods.ts';
import { createReflector } from '../kube/reflector.ts';
import type { Node, Pod } from '../kube/types.ts';
import type { Cinder, Volume } from '../openstack/cinder.ts';
import { createInputSource } from '../sync/inputs.ts';
import { createSyncLoop, type SyncLoop } from '../sync/loop.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { createPodStarts } from '../telemetry/pod-starts.ts';
import { createAdmission } from './admission.ts';
import type { Clients } from './clients.ts';
import { createFileRefresh } from './file-refresh.ts';
import { guardedPods, guardedZun, whileHeld } from './lease-guard.ts';
import { loopHooks } from './loop-metrics.ts';
import { wirePodHealth } from './pod-health.ts';
import { createPodNetwork } from './pod-network.ts';
import { createRegistryKeeper } from './registries.ts';
import { pointedPods, pointedZun, type Testing } from './testing.ts';
import { createWantedFiles } from './wanted-files.ts';
import { translateOptions, workerOptions } from './worker-options.ts';

export interface LifeInit {
  options: Options;
  clients: Clients;
  cluster: string;
  hostIPs: string[];
  allocatable: Record<string, string>;
  node: () => Node | undefined;
  events: EventSender;
  metrics: Metrics;
  clock: Clock;
  random: Random;
  log: Log;
  /** Whether the node's Lease is held at this very moment. */
  mayWork: () => boolean;
  /** Keeps the logs of a Pod whose container is about to be freed. */
  keepLogs?: (uid: string) => Promise<void>;
  /** Only tests give this. */
  testing?: Testing;
}

/** The time during which this process works for the node: from one Lease gained to the same Lease lost. */
export interface Life {
  loop: SyncLoop;
  /** Starts nothing new and resolves when the running steps have ended. */
  stop(): Promise<void>;
}

/** How often the files of standalone containers are looked at. */
const fileRefreshMs = 75_000;

/** Starts a life: stores, worker, reflector, probes. A new life remembers nothing of the one before. */
export function startLife(init: LifeInit): Life {
  const { options, clients, clock, random, log, events, testing } = init;
  const podApi = guardedPods(createPodApi(clients.kube), init.mayWork);
  const zun = guardedZun(clients.zun, init.mayWork);
  const rules = workerOptions(options, init.cluster, translateOptions(options, init.cluster));
  const { traces } = clients;
  const starts = createPodStarts(clock.now, init.metrics.podStarted);
  const objects = createObjectReader({ client: clients.kube, clock, random, log });
  const admission = createAdmission({
    nodeName: options.nodeName,
    node: init.node,
    allocatable: init.allocatable,
    daemonSetPods: options.daemonSetPods,
  });
  const inputBase = {
    objects,
    now: () => clock.monotonic(),
    node: { name: options.nodeName, hostIPs: init.hostIPs, allocatable: init.allocatable },
  };
  const inputs = createInputSource({
    ...inputBase,
    volume: (id) => readVolume(clients.cinder, id),
    registries: (pod, secrets) => registries.registriesOf(pod, secrets),
    onAppeared: (uid) => loop.retry(uid),
  });
  const health = options.probes
    ? wirePodHealth({
        clock,
        random,
        log,
        events,
        containers: clients.containers,
        meter: init.metrics.probes,
        onChange: (uid) => loop.poke(uid),
        onKill: (demand) => loop.kill(demand),
      })
    : undefined;
  const loop: SyncLoop = createSyncLoop({
    zun: testing ? pointedZun(zun, testing) : zun,
    podApi: testing ? pointedPods(podApi, testing) : podApi,
    inputs,
    events,
    clock,
    random,
    log,
    options: testing ? { ...rules, timeRule: testing.timeRule } : rules,
    ...(testing && { onPlanned: (step) => testing.at(`planned.${step}`) }),
    loop: {
      concurrency: options.concurrency,
      listEveryMs: options.relist,
      liveEveryMs: options.live,
      resyncEveryMs: 300_000,
      tombstoneMs: 600_000,
    },
    hostIPs: () => init.hostIPs,
    admit: (pod) => admission.admit(pod),
    restartContainer: (uuid, graceSeconds) =>
      whileHeld(init.mayWork, 'restarting a container', () => clients.containers.reboot(uuid, graceSeconds)),
    ...(init.keepLogs && { keepLogs: init.keepLogs }),
    ...loopHooks(init.metrics),
    ...(traces && { around: traces.around }),
    ...(health && { probes: health.view, preStop: health.preStop }),
    onCapsule: (uid) => network.onChange(uid),
    onPod(uid, change, pod) {
      network.onChange(uid);
      admission.onPod(uid, change, pod);
      if (change === 'deleted') {
        for (const follower of [starts, traces, health, inputs]) follower?.forget(uid);
        objects.forgetPod(uid);
        return;
      }
      starts.seen(pod);
      traces?.seen(pod);
      if (change === 'added') inputs.seen(uid);
      health?.sync(pod);
    },
  });
  const registries = createRegistryKeeper({
    project: clients.project,
    cluster: init.cluster,
    node: options.nodeName,
    clock,
    log,
    pods: loop.pods,
    capsules: loop.capsules,
    listedAt: () => loop.counts().listedAt,
    settleMs: options.settle,
  });
  const files = createFileRefresh({
    pods: loop.pods,
    capsules: loop.capsules,
    containers: clients.containers,
    wanted: createWantedFiles(
      createInputSource({ ...inputBase, onAppeared: () => {} }),
      translateOptions(options, init.cluster),
    ),
    events,
    clock,
    random,
    log,
    everyMs: fileRefreshMs,
  });
  const network = createPodNetwork({
    neutron: clients.neutron,
    cluster: init.cluster,
    node: options.nodeName,
    clock,
    random,
    log,
    events,
    pods: loop.pods,
    capsules: loop.capsules,
    settleMs: options.settle,
  });
  const reflector = createReflector<Pod>({
    client: clients.kube,
    clock,
    random,
    log,
    path: '/api/v1/pods',
    name: `pods of node ${options.nodeName}`,
    fieldSelector: `spec.nodeName=${options.nodeName}`,
    sink: loop.sink,
  });
  loop.start();
  reflector.start();
  registries.start();
  network.start();
  files.start();
  return {
    loop,
    async stop() {
      registries.stop();
      await reflector.stop();
      await loop.stop();
      await network.stop();
      await files.stop();
      health?.close();
      await objects.stop();
    },
  };
}

/** A cloud that shows us no volumes may still mount them: then Zun is the judge. */
async function readVolume(cinder: Cinder, id: string): Promise<Volume | null | undefined> {
  try {
    return (await cinder.volume(id)) ?? null;
  } catch (thrown) {
    const isHidden = isKind(thrown, 'forbidden', 'unsupported', 'invalid', 'not-found');
    if (isHidden || toAppError(thrown).code === 'keystone.no-endpoint') return undefined;
    throw thrown;
  }
}

/** Whether a Pod may have become a standalone container by its own wish. */
export function mayHaveContainers(options: Options, loop: SyncLoop | undefined): boolean {
  if (!loop || options.backend !== 'capsule') return true;
  const isContainer = loop.capsules.all().some(({ backend }) => backend === 'container');
  const wishes = ({ metadata, spec }: Pod) =>
    Boolean(spec.runtimeClassName) || metadata.annotations?.['zunlet.io/backend'] !== undefined;
  return isContainer || loop.pods.all().some(wishes);
}
