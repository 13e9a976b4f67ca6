import { createHash } from 'node:crypto';
import { networkInterfaces } from 'node:os';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Options } from '../config/options.ts';
import { nodeCapacity } from '../node/capacity.ts';
import type { CloudHealth, NodeFacts, NodeOptions, NodeTaint } from '../node/types.ts';
import type { SyncLoop } from '../sync/loop.ts';

/** Makes what the operator decides about the Node object. Errors: `config.invalid` for a taint that is none. */
export function nodeOptions(
  options: Options,
  found: { hostIPs: string[]; region: string; version: string; kubeletPort: number },
): NodeOptions {
  const zone = options.zone || options.availabilityZone;
  return {
    name: options.nodeName,
    region: found.region,
    ...(zone && { zone }),
    internalIPs: found.hostIPs,
    kubeletPort: found.kubeletPort,
    kubernetesVersion: options.kubernetesVersion,
    version: found.version,
    architecture: options.architecture,
    instanceType: options.instanceType,
    taints: options.nodeTaint === '' ? [] : [parseTaint(options.nodeTaint)],
    labels: options.nodeLabels,
    annotations: {},
    roleLabel: options.nodeRoleLabel,
    declaredFeatures: [],
  };
}

function parseTaint(text: string): NodeTaint {
  const match = /^([^=:]+)=([^:]*):(NoSchedule|PreferNoSchedule|NoExecute)$/.exec(text);
  const [, key, value, effect] = match ?? [];
  if (key === undefined || value === undefined || effect === undefined) {
    throw new AppError({
      kind: 'invalid',
      code: 'config.invalid',
      message: `nodeTaint: expected key=value:NoSchedule, PreferNoSchedule or NoExecute, got "${text}"`,
    });
  }
  // The expression allows these three alone.
  return { key, value, effect: effect as NodeTaint['effect'] };
}

/** Makes what the Node says about itself; stable for one node in one cluster, so that a restart is no reboot. */
export function nodeFacts(options: Options, cluster: string, version: string): NodeFacts {
  const id = createHash('sha256').update(`${cluster}/${options.nodeName}`).digest('hex').slice(0, 32);
  return {
    machineId: id,
    bootId: id,
    zunVersion: version,
    osImage: 'OpenStack Zun',
    kernelVersion: '',
    resources: nodeCapacity({
      cpu: options.cpu,
      memory: options.memory,
      pods: options.pods,
      ephemeralStorage: options.ephemeralStorage,
      extended: {},
      reserved: {},
    }),
  };
}

/** Says whether the cloud can be observed, in the Node's words. */
export function cloudHealth(loop: SyncLoop | undefined, clock: Clock): CloudHealth {
  const health = loop?.health();
  if (!health || health.ok) return { ok: true };
  const keystone = health.error.code.startsWith('keystone');
  return {
    ok: false,
    sinceMs: clock.monotonic() - health.sinceMs,
    reason: keystone
      ? 'KeystoneUnreachable'
      : health.error.kind === 'unauthorized'
        ? 'CredentialsRefused'
        : 'ZunUnreachable',
    message: health.error.message,
  };
}

/** The first address of this machine that others can reach. */
export function ownAddresses(): string[] {
  const found = Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .filter(({ internal, family, address }) => !internal && (family === 'IPv4' || !address.startsWith('fe80')));
  const first = found.find(({ family }) => family === 'IPv4') ?? found[0];
  return first ? [first.address] : ['127.0.0.1'];
}
