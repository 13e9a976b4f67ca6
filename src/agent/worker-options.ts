import type { Options } from '../config/options.ts';
import type { WorkerOptions } from '../sync/worker.ts';
import type { TranslateOptions } from '../translate/types.ts';

/** The options of the table that the worker reads. */
export function workerOptions(options: Options, cluster: string, translate: TranslateOptions): WorkerOptions {
  return {
    cluster,
    node: options.nodeName,
    settleMs: options.settle,
    redeleteMs: options.redelete,
    createTimeoutMs: options.createTimeout,
    freeEnded: options.freeEnded,
    timeRule: true,
    orphanFuseShare: options.orphanFuseShare,
    translate,
  };
}

/** The options of the table that translation reads. */
export function translateOptions(options: Options, cluster: string): TranslateOptions {
  return {
    cluster,
    node: options.nodeName,
    backend: options.backend,
    driver: options.capsuleDriver,
    unsupported: options.unsupported,
    initContainers: options.initContainers === 'allow',
    emptyDir: options.emptyDir,
    clusterDomain: options.clusterDomain,
    portSecurityGroups: true,
    limits: {
      minimumCpu: options.minimumCpu,
      maximumCpu: options.maximumCpu,
      minimumMemoryMiB: options.minimumMemoryMiB,
      maximumMemoryMiB: options.maximumMemoryMiB,
    },
    ...(options.kubernetesServiceHost && { kubernetesServiceHost: options.kubernetesServiceHost }),
    ...(options.kubernetesServicePort > 0 && { kubernetesServicePort: options.kubernetesServicePort }),
    ...(options.filesImage && { filesImage: options.filesImage }),
    ...(options.clusterDns.length > 0 && { clusterDns: [...options.clusterDns] }),
    ...(options.availabilityZone && { availabilityZone: options.availabilityZone }),
  };
}
