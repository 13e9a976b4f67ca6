import type { Probe } from '../kube/types.ts';

/** The three kinds of probe, as messages name them. */
export type ProbeKind = 'Startup' | 'Liveness' | 'Readiness';

/** What is held of a container by a probe; `kept`: nothing yet, what was published before us stays. */
export type Verdict = 'success' | 'failure' | 'unknown' | 'kept';

/** The numbers of a probe with the API's defaults, times in ms. Source: Kubernetes pkg/apis/core/v1/defaults.go. */
export interface ProbeTimes {
  initialDelayMs: number;
  timeoutMs: number;
  periodMs: number;
  successThreshold: number;
  failureThreshold: number;
}

/** The state of one probe of one run of a container. */
export interface ProbeState {
  verdict: Verdict;
  /** The last result and how often it came in a row. */
  last: 'success' | 'failure' | undefined;
  count: number;
  /** Nothing more is probed until the container has a new run. */
  onHold: boolean;
}

/** Reads a probe's numbers. */
export function probeTimes(probe: Probe): ProbeTimes {
  return {
    initialDelayMs: (probe.initialDelaySeconds ?? 0) * 1000,
    timeoutMs: (probe.timeoutSeconds || 1) * 1000,
    periodMs: (probe.periodSeconds || 10) * 1000,
    successThreshold: probe.successThreshold || 1,
    failureThreshold: probe.failureThreshold || 3,
  };
}

/**
 * The state at the start of a run: not ready, alive, and of the start nothing is known. For a run that began before this
 * process did (`isAdopted`), readiness stays as published until the probe has decided.
 * Source: Kubernetes pkg/kubelet/prober/worker.go, prober_manager.go.
 */
export function initialState(kind: ProbeKind, isAdopted: boolean): ProbeState {
  const verdicts: Record<ProbeKind, Verdict> = {
    Startup: isAdopted ? 'kept' : 'unknown',
    Liveness: 'success',
    Readiness: isAdopted ? 'kept' : 'failure',
  };
  return { verdict: verdicts[kind], last: undefined, count: 0, onHold: false };
}

/**
 * Takes in one result. The verdict changes only when the same result came as often as its threshold says. A failed
 * liveness probe and any decided startup probe hold until the container has a new run; `decided` is what became certain
 * with this result.
 */
export function afterResult(
  state: ProbeState,
  kind: ProbeKind,
  result: 'success' | 'failure',
  times: Pick<ProbeTimes, 'successThreshold' | 'failureThreshold'>,
): { state: ProbeState; decided: 'success' | 'failure' | undefined } {
  const count = state.last === result ? state.count + 1 : 1;
  const threshold = result === 'success' ? times.successThreshold : times.failureThreshold;
  if (count < threshold) return { state: { ...state, last: result, count }, decided: undefined };
  const onHold = kind === 'Startup' || (kind === 'Liveness' && result === 'failure');
  return { state: { verdict: result, last: result, count: onHold ? 0 : count, onHold }, decided: result };
}
