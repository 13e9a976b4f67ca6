import { type BackoffLimits, backoffMs } from '../base/backoff.ts';
import { AppError, toAppError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import type { Pod } from '../kube/types.ts';
import type { Neutron, Port } from '../openstack/neutron.ts';
import type { Capsule } from '../openstack/types.ts';
import { isTerminal } from '../sync/plan.ts';
import type { CapsuleReader, EventRecorder, PodReader } from '../sync/ports.ts';
import { createQueue } from '../sync/queue.ts';
import { names } from '../sync/worker.ts';
import { annotation, readAnnotation, securityGroups } from '../translate/annotations.ts';
import { createFloatingIps, type FloatingIpOptions } from './floating-ips.ts';
import { createPortGroups } from './port-groups.ts';

/** What Zun does not do for a Pod's Neutron port: security groups on capsules, their change on both backends, floating IPs. */
export interface PodNetwork {
  /** Something about a Pod or its capsule changed. */
  onChange(uid: string): void;
  start(): void;
  stop(): Promise<void>;
}

export interface PodNetworkOptions extends Omit<FloatingIpOptions, 'neutron'> {
  neutron: Neutron;
  random: Random;
  events: EventRecorder;
  pods: Pick<PodReader, 'get' | 'isComplete'>;
  capsules: Pick<CapsuleReader, 'ofPod'>;
}

const retry: BackoffLimits = { firstMs: 10_000, maxMs: 300_000 };
const sweepEveryMs = 300_000;
const concurrency = 4;

/** What one Pod asks of its port. */
interface Wish {
  groups: string[];
  floatingNetwork: string | undefined;
}

interface Progress {
  /** The wish and the capsule that it was granted for. */
  done?: string;
  /** Groups were asked for; when they are no longer, the port goes back to the project's own. */
  hadGroups: boolean;
  attempts: number;
  retryAt: number;
}

/**
 * Makes the loop. It reads the two stores, calls Neutron, and tells of it in Events of the Pod; nothing waits for it. Groups
 * are set once the capsule has a port, so the default group of the project holds until then; a standalone container has got
 * them from Zun already. Floating IPs go with the Pod,
 * and a sweep finds those of Pods that went while no process was there.
 */
export function createPodNetwork(options: PodNetworkOptions): PodNetwork {
  const { neutron, clock, log, pods, capsules } = options;
  const groups = createPortGroups(neutron, clock);
  const addresses = createFloatingIps(options);
  const progress = new Map<string, Progress>();
  const startedAt = clock.monotonic();
  /** Pods that were given a floating IP, or may have been. */
  const holders = new Set<string>();
  /** An earlier process may have left addresses. */
  let isSweepDue = true;
  let cancelSweep: () => void = () => {};
  const queue = createQueue({
    clock,
    concurrency,
    run,
    onBug: (uid, error) => log.error('pod network failed by a bug', { uid, err: error }),
  });

  async function run(uid: string): Promise<void> {
    const pod = pods.get(uid);
    const [capsule] = capsules.ofPod(uid);
    const before = progress.get(uid) ?? { attempts: 0, retryAt: 0, hadGroups: false };
    const wish = pod && wishOf(pod, before.hadGroups);
    if (!pod || !capsule || !wish || !isUp(capsule)) return;
    const hadGroups = before.hadGroups || wish.groups.length > 0;
    const target = JSON.stringify([capsule.uuid, wish]);
    if (before.done === target) return;
    const waitMs = before.retryAt - clock.monotonic();
    if (waitMs > 0) return queue.later(uid, waitMs, 'refresh');
    try {
      await grant(pod, capsule, wish);
      progress.set(uid, { done: target, attempts: 0, retryAt: 0, hadGroups });
    } catch (thrown) {
      const error = toAppError(thrown);
      const againMs = Math.max(backoffMs(before.attempts, retry, options.random), error.retryAfterMs ?? 0);
      progress.set(uid, { attempts: before.attempts + 1, retryAt: clock.monotonic() + againMs, hadGroups });
      // A call without an answer may have left an address behind.
      isSweepDue ||= wish.floatingNetwork !== undefined && error.effect === 'unknown';
      log.warn('network of pod not set', { ...names(pod), code: error.code, err: error.message, againMs });
      tell(pod, 'Warning', 'FailedPodNetwork', `Neutron port of ${capsule.backend} ${capsule.uuid}: ${error.message}`);
      queue.later(uid, againMs, 'refresh');
    }
  }

  async function grant(pod: Pod, capsule: Capsule, wish: Wish): Promise<void> {
    const ports = await neutron.ports({ deviceId: capsule.uuid });
    const [first] = ports;
    if (!first) throw new AppError({ kind: 'retryable', code: 'network.no-port', message: 'it has no port yet' });
    if (wish.groups.length > 0) await setGroups(pod, ports, wish.groups);
    if (wish.floatingNetwork === undefined) return;
    holders.add(pod.metadata.uid);
    const address = await addresses.associate(pod, first, wish.floatingNetwork);
    if (address === undefined) return;
    tell(pod, 'Normal', 'FloatingIPAssociated', `floating IP ${address} of ${wish.floatingNetwork} leads to this Pod`);
    log.info('floating ip associated', { ...names(pod), address });
  }

  async function setGroups(pod: Pod, ports: readonly Port[], wanted: readonly string[]): Promise<void> {
    const changes = await Promise.all(ports.map((port) => groups.set(port, wanted)));
    if (!changes.includes(true)) return;
    tell(pod, 'Normal', 'SecurityGroupsSet', `security groups of the Neutron port: ${wanted.join(', ')}`);
    log.info('security groups set', { ...names(pod), groups: wanted.join(',') });
  }

  function tell(pod: Pod, type: 'Normal' | 'Warning', reason: string, message: string): void {
    const { name, namespace, uid } = pod.metadata;
    options.events.record({ kind: 'Pod', name, namespace, uid }, type, reason, message);
  }

  /** A Pod keeps its floating IP until it has ended, also while its capsule is made anew. */
  function keepsAddress(uid: string): boolean {
    const pod = pods.get(uid);
    return pod !== undefined && !isTerminal(pod) && readAnnotation(pod, annotation.floatingIp) !== undefined;
  }

  async function sweep(): Promise<void> {
    if (!pods.isComplete() || !isSweepDue) return;
    isSweepDue = clock.monotonic() <= startedAt + options.settleMs;
    try {
      await addresses.releaseOthers(keepsAddress);
    } catch (thrown) {
      isSweepDue = true;
      const { code, message } = toAppError(thrown);
      log.debug('floating ips not swept', { code, err: message });
    }
  }
  function sweepIn(ms: number): void {
    cancelSweep();
    cancelSweep = clock.after(ms, () => {
      sweepIn(sweepEveryMs);
      void sweep();
    });
  }

  return {
    onChange(uid) {
      const pod = pods.get(uid);
      if (pod && wishOf(pod, progress.get(uid)?.hadGroups ?? false)) queue.poke(uid, 'refresh');
      else progress.delete(uid);
      if (!holders.has(uid) || keepsAddress(uid)) return;
      holders.delete(uid);
      isSweepDue = true;
      sweepIn(1000);
    },
    start: () => sweepIn(options.settleMs),
    stop() {
      cancelSweep();
      return queue.stop();
    },
  };
}

/**
 * What the annotations ask for; undefined where there is nothing to do. Where groups were asked for before and are no longer,
 * that is Neutron's group `default`, which a port without a wish has.
 */
function wishOf(pod: Pod, hadGroups: boolean): Wish | undefined {
  if (pod.metadata.deletionTimestamp || isTerminal(pod)) return undefined;
  const asked = securityGroups(pod);
  const groups = asked.length === 0 && hadGroups ? ['default'] : asked;
  const floatingNetwork = readAnnotation(pod, annotation.floatingIp);
  return groups.length === 0 && floatingNetwork === undefined ? undefined : { groups, floatingNetwork };
}

function isUp({ status, addresses }: Capsule): boolean {
  return (status === 'Running' || status === 'Created') && Object.values(addresses).some((list) => list.length > 0);
}
