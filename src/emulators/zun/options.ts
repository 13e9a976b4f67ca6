import type { MovableClock } from '../clock.ts';
import type { TokenInfo } from '../keystone/tokens.ts';
import type { NetworkState } from '../networks.ts';
import type { VolumeState } from '../volumes.ts';
import { newestMinor } from './versions.ts';

/** How long the parts of a container's life take, in milliseconds. */
interface ZunLatency {
  /** From the POST's answer until a compute host takes the work. */
  claimMs: number;
  /** Sandbox image, sandbox and Neutron port. */
  sandboxMs: number;
  /** Pull of each image. */
  pullMs: number;
  /** Create and start of each container. */
  startMs: number;
  /** Removal of each container and of the sandbox, after it has ended. */
  removeMs: number;
}

export interface ZunOptions {
  /** Default: real time that `control.advance` can add to. */
  clock?: MovableClock;
  /** Which capsule driver the computes use (docs/zun.md §2.5, §4.2). Default `docker`. */
  driver?: 'docker' | 'cri';
  /** Whether init containers run or end every capsule in `Error` (docs/zun.md §8 B1). Default `broken`. */
  initContainers?: 'broken' | 'working';
  /** `faithful` keeps Zun's bugs; `fixed` is the Zun one would wish for (docs/zun.md, Where the emulator differs). */
  bugs?: 'faithful' | 'fixed';
  latency?: Partial<ZunLatency>;
  /** Who a token is; default: any token is a member of one project. */
  identity?: (token: string | undefined) => TokenInfo | 'down' | undefined;
  /** For the `WWW-Authenticate` header. */
  keystoneUrl?: () => string;
  networks?: NetworkState;
  volumes?: VolumeState;
  /** The most CPUs and MiB a compute host has for one capsule; more finds no host. Default 64 and 262,144. */
  host?: { cpus: number; memoryMiB: number };
  /** Zun's quota for standalone containers of a project (docs/zun.md §6). -1: no limit. */
  quota?: { containers: number; memory: number; disk: number; cpu: number };
  /** The newest microversion 1.x that is served. Default that of the newest Zun. */
  maxMinor?: number;
  /** `[api] max_limit`. Default 1000. */
  maxLimit?: number;
  /** Time limit of a one-shot execute. Default 5000. */
  executeTimeoutMs?: number;
  /** Period at which the status of standalone containers is refreshed for lists. Default 60,000. */
  syncMs?: number;
  /** Open real ports on the Pods' addresses for images that serve (docs/zun.md, Where the emulator differs). Default true. */
  listeners?: boolean;
  /** Keeps former states of rows for so long, for the fault `stale`. Default 0. */
  rememberMs?: number;
  /** Project that `control.putLitter` puts things into; default that of the first member who calls. */
  memberProject?: string;
  /** For generated names. Default 1. */
  seed?: number;
  bindHost?: string;
  port?: number;
  proxyPort?: number;
}

export type ResolvedOptions = Required<
  Omit<ZunOptions, 'clock' | 'networks' | 'volumes' | 'latency' | 'port' | 'proxyPort'>
> & {
  latency: ZunLatency;
};

/** Fills in the defaults. */
export function resolveOptions(options: ZunOptions): ResolvedOptions {
  const anybody: TokenInfo = {
    userId: '9aa0c8f4e0e84553a5135867ffe34668',
    projectId: '76ea93402bcb444cb92b919f6bec6b21',
    roles: ['member'],
    expiresAt: Number.POSITIVE_INFINITY,
  };
  return {
    driver: 'docker',
    initContainers: 'broken',
    bugs: 'faithful',
    identity: (token) => (token ? anybody : undefined),
    keystoneUrl: () => 'http://127.0.0.1:5000',
    host: { cpus: 64, memoryMiB: 262_144 },
    quota: { containers: 40, memory: 51_200, disk: 100, cpu: 20 },
    maxMinor: newestMinor,
    maxLimit: 1000,
    executeTimeoutMs: 5000,
    syncMs: 60_000,
    listeners: true,
    rememberMs: 0,
    memberProject: '',
    seed: 1,
    bindHost: '127.0.0.1',
    ...options,
    latency: { claimMs: 10, sandboxMs: 40, pullMs: 20, startMs: 20, removeMs: 20, ...options.latency },
  };
}
