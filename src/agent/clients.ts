import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Options } from '../config/options.ts';
import { loadKubeAuth } from '../kube/auth.ts';
import { createKubeClient } from '../kube/client.ts';
import type { KubeClient } from '../kube/client-types.ts';
import { createCapsuleApi } from '../openstack/capsule-api.ts';
import { type Cinder, createCinder } from '../openstack/cinder.ts';
import { type Cloud, loadCloud } from '../openstack/cloud-config.ts';
import { readTextFile } from '../openstack/cloud-files.ts';
import { type ContainerApi, createContainers } from '../openstack/containers.ts';
import { createNeutron, type Neutron } from '../openstack/neutron.ts';
import { createSession } from '../openstack/session.ts';
import type { CapsuleApi } from '../openstack/types.ts';
import { createZun } from '../openstack/zun.ts';
import { createZunProject, type ZunProject } from '../openstack/zun-project.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { type Traces, tracesFrom } from '../telemetry/traces.ts';

/** Everything that talks to the outside, ready to be used. */
export interface Clients {
  kube: KubeClient;
  cloud: Cloud;
  zun: CapsuleApi;
  containers: ContainerApi;
  /** Only where the environment names a collector. */
  traces: Traces | undefined;
  project: ZunProject;
  cinder: Cinder;
  neutron: Neutron;
  close(): Promise<void>;
}

export interface ClientsInit {
  options: Options;
  env: Record<string, string | undefined>;
  cwd: string;
  clock: Clock;
  random: Random;
  log: Log;
  version: string;
  metrics: Metrics;
  /** Asked before each list: whether standalone containers may exist. */
  mayHaveContainers: () => boolean;
}

/**
 * Reads the credentials and makes the clients; sends nothing yet.
 * Errors: those of `loadCloud` and `loadKubeAuth`, with what to do.
 */
export async function makeClients(init: ClientsInit): Promise<Clients> {
  const { options, env, clock, random, log, version, metrics } = init;
  const reload = () => loadCloud({ env, cwd: init.cwd, readFile: readTextFile }, options.cloud || undefined);
  const cloud = await reload();
  for (const warning of cloud.warnings) log.warn('cloud configuration', { cloud: cloud.name, warning });
  const auth = await loadKubeAuth({
    env,
    clock,
    log,
    ...(options.kubeconfig && { kubeconfig: options.kubeconfig }),
    ...(options.kubeContext && { context: options.kubeContext }),
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
  const traces = tracesFrom(env, { clock, log, node: options.nodeName, version });
  const session = createSession({
    cloud,
    reload,
    clock,
    log,
    userAgent: `zunlet/${version}`,
    connections: options.zunConnections,
    onCall(report) {
      metrics.cloudCall(report);
      traces?.call(report);
    },
  });
  const zun = createZun(session);
  let lists = 0;
  return {
    kube,
    cloud,
    // Orphans of an earlier life may be containers whatever this life does, so every tenth list looks for them.
    zun: createCapsuleApi(zun, { listContainers: () => lists++ % 10 === 0 || init.mayHaveContainers() }),
    containers: createContainers(zun),
    project: createZunProject(zun),
    cinder: createCinder(session),
    neutron: createNeutron(session),
    traces,
    async close() {
      await traces?.stop();
      await Promise.all([kube.close(), session.close()]);
    },
  };
}
