import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { grpcHealth } from '../http/grpc-health.ts';
import { oneShotGet, tcpDial } from '../http/one-shot.ts';
import type { Pod } from '../kube/types.ts';
import type { ContainerApi } from '../openstack/containers.ts';
import { createPodHealth, type PodHealth } from '../probes/pod-health.ts';
import type { ExecPort, KillDemand, ProbeMeter } from '../probes/ports.ts';
import { capsuleNamedBy } from '../status/named-capsule.ts';
import type { EventRecorder } from '../sync/ports.ts';

export interface HealthWiring {
  clock: Clock;
  random: Random;
  log: Log;
  events: EventRecorder;
  containers: ContainerApi;
  meter: ProbeMeter;
  onChange(uid: string): void;
  onKill(demand: KillDemand): void;
}

const maxInFlight = 256;

/** Wires the probes and hooks of all Pods to the network and to Zun's one-shot commands. */
export function wirePodHealth(wiring: HealthWiring): PodHealth {
  return createPodHealth({
    ...wiring,
    maxInFlight,
    ports: { get: oneShotGet, dial: tcpDial, health: grpcHealth, exec: execPort(wiring.containers) },
    event(pod, container, type, reason, message) {
      const { name, namespace, uid } = pod.metadata;
      const fieldPath = `spec.containers{${container}}`;
      wiring.events.record({ kind: 'Pod', name, namespace, uid, fieldPath }, type, reason, message);
    },
  });
}

/** Commands run in standalone containers; the members of a capsule have no way in (docs/zun.md §4.6). */
function execPort(containers: ContainerApi): ExecPort {
  const standalone = (pod: Pod) => {
    const named = capsuleNamedBy(pod.status);
    return named?.backend === 'container' ? named.uuid : undefined;
  };
  return {
    supports: (pod) => standalone(pod) !== undefined,
    run(pod, _container, command, timeoutMs) {
      const uuid = standalone(pod);
      if (uuid === undefined) throw new Error('commands cannot be run in the containers of a capsule');
      return containers.execute(uuid, command, AbortSignal.timeout(timeoutMs));
    },
  };
}
