import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { Pod } from '../kube/types.ts';
import type { ProbeView } from '../status/types.ts';
import { createProbeEngine } from './engine.ts';
import { createLifecycle, type PreStop } from './lifecycle.ts';
import type { ContainerEvent, KillDemand, ProbeMeter, ProbePorts } from './ports.ts';

export interface PodHealthDeps {
  clock: Clock;
  random: Random;
  ports: ProbePorts;
  log: Log;
  event: ContainerEvent;
  meter?: ProbeMeter;
  /** What the status of this Pod is made of has changed, or its preStop hooks are over. */
  onChange(uid: string): void;
  /** A liveness or startup probe, or a postStart hook, has failed. Called once for each run of a container. */
  onKill(demand: KillDemand): void;
  /** How many probes may run at once. */
  maxInFlight: number;
}

/** The probes and lifecycle hooks of all Pods. */
export interface PodHealth {
  /** To be told of each Pod as it is stored, after each change of its spec or status. */
  sync(pod: Pod): void;
  /** What the Pod's status is to say of its containers. */
  view(uid: string): Record<string, ProbeView>;
  /** Starts the preStop hooks at the first call; the capsule may be deleted when they are done. */
  preStop(pod: Pod, graceSeconds: number): PreStop;
  forget(uid: string): void;
  close(): void;
}

/** Joins the probes and the hooks: a container whose postStart hook has not succeeded is neither probed nor ready. */
export function createPodHealth(deps: PodHealthDeps): PodHealth {
  const { clock, random, ports, log, event, onChange, maxInFlight } = deps;
  const lifecycle = createLifecycle({
    clock,
    ports,
    log,
    event,
    onChange(uid) {
      engine.resume(uid);
      onChange(uid);
    },
    onPostStartFailure: (failure) => deps.onKill({ ...failure, graceSeconds: undefined }),
  });
  const engine = createProbeEngine({
    clock,
    random,
    ports,
    log,
    event,
    onChange,
    onLivenessFailure: deps.onKill,
    isHeld: (uid, container) => lifecycle.pending(uid).includes(container),
    maxInFlight,
    ...(deps.meter && { meter: deps.meter }),
  });
  return {
    sync(pod) {
      lifecycle.sync(pod);
      engine.sync(pod);
    },
    view(uid) {
      const views = engine.view(uid);
      const held = lifecycle.pending(uid).map((name): [string, ProbeView] => [name, { ...views[name], ready: false }]);
      return { ...views, ...Object.fromEntries(held) };
    },
    preStop: (pod, graceSeconds) => lifecycle.preStop(pod, graceSeconds),
    forget(uid) {
      lifecycle.forget(uid);
      engine.forget(uid);
    },
    close: () => engine.close(),
  };
}
