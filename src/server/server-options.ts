import type { Socket } from 'node:net';
import type { Registry } from 'prom-client';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { ReviewApi } from './auth.ts';
import type { MachineSize } from './cadvisor-metrics.ts';
import type { ClientCaSource } from './client-ca.ts';
import type { PodSources } from './pod-container.ts';
import type { ContainerRuntime } from './runtime.ts';
import type { SpdyLimits } from './streams/spdy-session.ts';
import type { ServingCertificate } from './tls.ts';

/** One check behind `/healthz`. */
export interface HealthCheck {
  name: string;
  isHealthy: boolean;
}

/** Bounds of the server. Times in ms. */
export interface ServerLimits {
  maxConnections: number;
  /** Streaming connections (exec, attach, port-forward) at once. */
  maxStreamingConnections: number;
  /** Of one request's headers. */
  maxHeaderBytes: number;
  streamCreationMs: number;
  streamIdleMs: number;
  /** How long a client may take to close after the end. */
  streamGraceMs: number;
  dialMs: number;
  /** Streams of one port-forward connection: two for each forwarded connection. */
  maxForwardStreams: number;
  spdy: Omit<SpdyLimits, 'maxStreams' | 'idleMs'>;
}

/** The kubelet's own numbers where it has them. Source: pkg/kubelet/server/server.go, k8s.io/kubelet/pkg/cri/streaming. */
export const defaultServerLimits: ServerLimits = {
  maxConnections: 4096,
  maxStreamingConnections: 1024,
  maxHeaderBytes: 1024 * 1024,
  streamCreationMs: 30_000,
  streamIdleMs: 4 * 3600_000,
  streamGraceMs: 5_000,
  dialMs: 10_000,
  maxForwardStreams: 2048,
  spdy: {
    maxStreamBytes: 1024 * 1024,
    maxSessionBytes: 16 * 1024 * 1024,
    maxHeaderBytes: 64 * 1024,
    stallMs: 60_000,
  },
};

/** What the kubelet server is made of. It only reads; nothing here changes a Pod or a capsule. */
export interface KubeletServerOptions {
  node: string;
  /** Where to listen; port 0 takes a free one. */
  address: string;
  port: number;
  sources: PodSources;
  runtime: ContainerRuntime;
  serving: ServingCertificate;
  /** Who asks the API server about tokens and rights. */
  reviews: ReviewApi | undefined;
  /** Where the authorities of client certificates stand. */
  clientCa: ClientCaSource | undefined;
  /** Serves everybody. Only for experiments. */
  insecureKubeletApi: boolean;
  /** `/metrics`; the server adds its own to it. */
  registry: Registry;
  /** `/metrics/probes`. */
  probeRegistry: Registry;
  health: () => HealthCheck[];
  /** The KubeletConfiguration that `/configz` shows; without secrets. */
  configz: () => object;
  machine: () => MachineSize | undefined;
  /** Serves `/run`. */
  enableRun: boolean;
  clock: Clock;
  log: Log;
  /** Bytes nobody can guess. */
  randomBytes: (bytes: number) => Buffer;
  /** Opens a connection to an address of a Pod, half-open allowed; rejects with the network's words. */
  dial: (address: string, port: number, timeoutMs: number) => Promise<Socket>;
  limits: ServerLimits;
}
