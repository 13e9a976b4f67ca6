import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import { parseQuantity } from '../base/quantity.ts';
import type { Random } from '../base/random.ts';
import type { Options } from '../config/options.ts';
import type { TlsIdentity } from '../http/transport.ts';
import { createCertificateSigner } from '../kube/certificates.ts';
import type { KubeClient } from '../kube/client-types.ts';
import { createReviews, readClientCa } from '../kube/reviews.ts';
import type { ContainerApi } from '../openstack/containers.ts';
import { type ClientCaSource, clientCaKey } from '../server/client-ca.ts';
import { dialAddress } from '../server/pod-dial.ts';
import { createKubeletServer, type KubeletServer } from '../server/server.ts';
import { defaultServerLimits, type HealthCheck } from '../server/server-options.ts';
import { createServingCertificate, type ServingMode } from '../server/tls.ts';
import { createZunRuntime } from '../server/zun-runtime.ts';
import { createTerminalConnector } from '../server/zun-terminal.ts';
import { capsuleMembers } from '../status/members.ts';
import type { CapsuleReader, PodReader } from '../sync/ports.ts';
import type { Metrics } from '../telemetry/metrics.ts';

export interface KubeletApiWiring {
  options: Options;
  kube: KubeClient;
  containers: ContainerApi;
  /** TLS towards the cloud, for Zun's WebSocket proxy. */
  cloudTls: TlsIdentity;
  pods: PodReader;
  capsules: CapsuleReader;
  hostIPs: string[];
  metrics: Metrics;
  health: () => HealthCheck[];
  clock: Clock;
  random: Random;
  log: Log;
}

/** Makes the kubelet API of the node; `listen` starts it. */
export function wireKubeletApi(wiring: KubeletApiWiring): KubeletServer {
  const { options, kube, clock, random, log } = wiring;
  const identity = () => ({ node: options.nodeName, addresses: wiring.hostIPs });
  return createKubeletServer({
    node: options.nodeName,
    address: listenAddress(wiring.hostIPs),
    port: options.kubeletPort,
    sources: { pods: wiring.pods, capsules: wiring.capsules, members: capsuleMembers },
    runtime: createZunRuntime({
      containers: wiring.containers,
      connect: createTerminalConnector({ tls: wiring.cloudTls, clock }),
      clock,
    }),
    serving: createServingCertificate({ mode: servingMode(options, kube), identity, clock, random, randomBytes, log }),
    reviews: createReviews(kube),
    clientCa: clientCa(options, kube),
    insecureKubeletApi: options.insecureKubeletApi,
    registry: wiring.metrics.registry,
    probeRegistry: wiring.metrics.probes.registry,
    health: wiring.health,
    configz: () => kubeletConfiguration(options),
    machine: () => machineSize(options),
    enableRun: false,
    clock,
    log,
    randomBytes,
    dial: dialAddress,
    limits: defaultServerLimits,
  });
}

/** A node that others cannot reach listens to nobody else; any other on all its addresses. */
function listenAddress(hostIPs: readonly string[]): string {
  const [first = '127.0.0.1'] = hostIPs;
  if (hostIPs.every((address) => address.startsWith('127.') || address === '::1')) return first;
  return hostIPs.some((address) => address.includes(':')) ? '::' : '0.0.0.0';
}

function servingMode(options: Options, kube: KubeClient): ServingMode {
  switch (options.servingCertificate) {
    case 'files':
      if (!options.tlsCertFile || !options.tlsKeyFile) {
        throw new AppError({
          kind: 'invalid',
          code: 'config.invalid',
          message: 'servingCertificate: files needs tlsCertFile and tlsKeyFile',
        });
      }
      return { kind: 'files', certFile: options.tlsCertFile, keyFile: options.tlsKeyFile };
    case 'csr':
      return { kind: 'csr', signer: createCertificateSigner(kube), approve: options.approveOwnCsr };
    case 'self-signed':
      return { kind: 'self-signed' };
    default:
      return options.servingCertificate satisfies never;
  }
}

function clientCa(options: Options, kube: KubeClient): ClientCaSource {
  const file = options.clientCaFile;
  return {
    read: (signal) => (file ? readFile(file, { encoding: 'utf8', signal }) : readClientCa(kube, clientCaKey, signal)),
  };
}

function machineSize(options: Options) {
  const cpu = parseQuantity(options.cpu);
  const memory = parseQuantity(options.memory);
  // Quantities are billionths.
  return cpu === undefined || memory === undefined
    ? undefined
    : { cpuCores: Number(cpu) / 1e9, memoryBytes: memory / 1_000_000_000n };
}

/** What `/configz` shows: the fields of a KubeletConfiguration that have a meaning here. */
function kubeletConfiguration(options: Options): object {
  return {
    kind: 'KubeletConfiguration',
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    port: options.kubeletPort,
    clusterDomain: options.clusterDomain,
    maxPods: Number(options.pods),
    nodeStatusUpdateFrequency: '10s',
    nodeLeaseDurationSeconds: 40,
    authentication: { anonymous: { enabled: options.insecureKubeletApi } },
    authorization: { mode: options.insecureKubeletApi ? 'AlwaysAllow' : 'Webhook' },
  };
}
