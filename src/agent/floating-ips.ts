import type { Clock } from '../base/clock.ts';
import { AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Pod } from '../kube/types.ts';
import type { FloatingIp, Neutron, Port } from '../openstack/neutron.ts';

/** Floating IPs of this node's Pods. Their description in Neutron is the only memory. */
export interface FloatingIps {
  /**
   * Gives the Pod's port a floating IP of a network, named by name or id; undefined when it had it already.
   * Errors: those of Neutron; `network.unknown`; `retryable` while an earlier allocation may still take effect.
   */
  associate(pod: Pod, port: Port, network: string): Promise<string | undefined>;
  /** Releases the floating IPs of all Pods that `isWanted` does not know. */
  releaseOthers(isWanted: (uid: string) => boolean): Promise<void>;
}

export interface FloatingIpOptions {
  neutron: Pick<Neutron, 'floatingIps' | 'createFloatingIp' | 'moveFloatingIp' | 'deleteFloatingIp' | 'networks'>;
  cluster: string;
  node: string;
  clock: Clock;
  log: Log;
  /** How long a call without an answer may still take effect, ms. */
  settleMs: number;
}

/** Makes the keeper of floating IPs. */
export function createFloatingIps(options: FloatingIpOptions): FloatingIps {
  const { neutron, clock, log } = options;
  const prefix = `zunlet ${options.cluster} ${options.node} `;
  const unsettled = new Map<string, number>();

  const uidOf = ({ description }: FloatingIp) => description.slice(prefix.length).split(' ')[0] ?? '';
  const readOurs = async () =>
    (await neutron.floatingIps()).filter(({ description }) => description.startsWith(prefix));

  async function networkId(wanted: string): Promise<string> {
    const external = (await neutron.networks()).filter((network) => network.external);
    const found = external.find(({ id }) => id === wanted) ?? external.find(({ name }) => name === wanted);
    if (found) return found.id;
    const names = external.map(({ name, id }) => name || id).join(', ');
    throw new AppError({
      kind: 'invalid',
      code: 'network.unknown',
      message: `there is no external network ${wanted}; there are: ${names || 'none'}`,
    });
  }

  async function allocate(pod: Pod, port: Port, floatingNetwork: string): Promise<string> {
    const { uid, namespace, name } = pod.metadata;
    const description = `${prefix}${uid} ${namespace}/${name}`.slice(0, 255);
    try {
      const made = await neutron.createFloatingIp({ networkId: floatingNetwork, portId: port.id, description });
      return made.address;
    } catch (thrown) {
      if (toAppError(thrown).effect === 'unknown') unsettled.set(uid, clock.monotonic() + options.settleMs);
      throw thrown;
    }
  }

  return {
    async associate(pod, port, network) {
      const { uid } = pod.metadata;
      const wantedNetwork = await networkId(network);
      const own = (await readOurs()).filter((ip) => uidOf(ip) === uid);
      const fitting = own.filter((ip) => ip.networkId === wantedNetwork);
      const kept = fitting.find(({ portId }) => portId === port.id) ?? fitting[0];
      for (const ip of own) if (ip !== kept) await release(ip);
      if (kept?.portId === port.id) return undefined;
      if (kept) {
        await neutron.moveFloatingIp(kept.id, port.id);
        return kept.address;
      }
      const waitMs = (unsettled.get(uid) ?? 0) - clock.monotonic();
      if (waitMs > 0) {
        const message = 'an earlier request for a floating ip may still take effect';
        throw new AppError({ kind: 'retryable', code: 'network.unsettled', message, retryAfterMs: waitMs });
      }
      unsettled.delete(uid);
      return allocate(pod, port, wantedNetwork);
    },
    async releaseOthers(isWanted) {
      for (const ip of await readOurs()) if (!isWanted(uidOf(ip))) await release(ip);
    },
  };

  async function release(ip: FloatingIp): Promise<void> {
    await neutron.deleteFloatingIp(ip.id);
    log.info('floating ip released', { address: ip.address, uid: uidOf(ip) });
  }
}
