import type { HealthAnswer, HealthRequest, OneShotAnswer, OneShotRequest } from '../base/one-shot.ts';
import type { Pod } from '../kube/types.ts';
import type { ProbeKind } from './state.ts';

/** Runs commands in containers, where the backend can. */
export interface ExecPort {
  /** Tells whether commands can be run in this Pod's containers. */
  supports(pod: Pod): boolean;
  /** Resolves with what the command did; rejects when it could not be run or took too long. */
  run(pod: Pod, container: string, command: string[], timeoutMs: number): Promise<{ exitCode: number; output: string }>;
}

/** What probes and hooks reach containers with. */
export interface ProbePorts {
  get(request: OneShotRequest): Promise<OneShotAnswer>;
  /** Undefined when the connection came up, else why it did not. */
  dial(host: string, port: number, timeoutMs: number): Promise<string | undefined>;
  health(request: HealthRequest): Promise<HealthAnswer>;
  exec?: ExecPort;
}

/** Records an Event about one container of a Pod. */
export type ContainerEvent = (
  pod: Pod,
  container: string,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) => void;

/** Is told of each run of a probe. */
export interface ProbeMeter {
  ran(pod: Pod, container: string, kind: ProbeKind, result: 'successful' | 'failed', durationMs: number): void;
  /** The probes of this Pod are over. */
  ended(pod: Pod): void;
}

/** A container that has to be killed, and restarted as its policy says. */
export interface KillDemand {
  uid: string;
  container: string;
  /** The text of the `Killing` Event. */
  message: string;
  /** A grace of its own for this kill, where the probe has one. */
  graceSeconds: number | undefined;
}
