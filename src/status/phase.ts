import { containerIdScheme } from '../base/identity.ts';
import type { Container, ContainerStatus, Pod, PodStatus } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { isInitRestartable, isRestartable, isSidecar } from './restart-policy.ts';

export type Phase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

/** Tells whether a phase is one that a Pod never leaves. */
export function isTerminalPhase(phase: string | undefined): phase is 'Succeeded' | 'Failed' {
  return phase === 'Succeeded' || phase === 'Failed';
}

/** The exit code of a container's last run that ended, current or earlier. */
function lastExitCode(status: ContainerStatus): number | undefined {
  return (status.state?.terminated ?? status.lastState?.terminated)?.exitCode;
}

/** Tells whether a container has ever run. */
export function hasStarted(status: ContainerStatus | undefined): boolean {
  return Boolean(status?.state?.running ?? status?.state?.terminated ?? status?.lastState?.terminated);
}

/** Tells whether any of these containers has run in this very capsule, not in one that was there before it. */
export function ranIn(statuses: ContainerStatus[] | undefined, { containers }: Pick<Capsule, 'containers'>): boolean {
  const ids = new Set(containers.map(({ uuid }) => `${containerIdScheme}${uuid}`));
  return (statuses ?? []).some((status) => hasStarted(status) && ids.has(status.containerID ?? ''));
}

/** Finds a container's status by its name. */
export function statusOf(statuses: ContainerStatus[] | undefined, name: string): ContainerStatus | undefined {
  return statuses?.find((status) => status.name === name);
}

interface Tally {
  running: number;
  waiting: number;
  unknown: number;
  stopped: number;
  succeeded: number;
  restartable: number;
}

function countInit(pod: Pod, container: Container, status: ContainerStatus | undefined): 'pending' | 'failed' | 'done' {
  if (!status || status.state?.running) return 'pending';
  const exitCode = lastExitCode(status);
  if (exitCode === undefined) return 'pending';
  if (exitCode === 0) return 'done';
  return isInitRestartable(pod, container, exitCode) ? 'pending' : 'failed';
}

/** Counts a sidecar; answers whether it still has to start. */
function countSidecar(status: ContainerStatus | undefined, tally: Tally): boolean {
  if (!status) {
    tally.unknown += 1;
    return false;
  }
  if (status.state?.running) {
    tally.running += 1;
    return status.started !== true;
  }
  if (hasStarted(status)) return false;
  tally.waiting += 1;
  return true;
}

function countMain(pod: Pod, container: Container, status: ContainerStatus | undefined, tally: Tally): void {
  if (!status) tally.unknown += 1;
  else if (status.state?.running) tally.running += 1;
  else {
    const exitCode = lastExitCode(status);
    if (exitCode === undefined) {
      tally.waiting += 1;
      return;
    }
    tally.stopped += 1;
    if (status.state?.terminated?.exitCode === 0) tally.succeeded += 1;
    if (isRestartable(pod, container, exitCode)) tally.restartable += 1;
  }
}

/**
 * Computes a Pod's phase from its container states. `finishing` says that the node ends the Pod and nothing will be
 * started again. A phase already published is not looked at here.
 * Source: Kubernetes pkg/kubelet/kubelet_pods.go (`getPhase`).
 */
export function podPhase(
  pod: Pod,
  status: Pick<PodStatus, 'containerStatuses' | 'initContainerStatuses'>,
  finishing: boolean,
): Phase {
  const tally: Tally = { running: 0, waiting: 0, unknown: 0, stopped: 0, succeeded: 0, restartable: 0 };
  let pendingInit = 0;
  let pendingSidecars = 0;
  for (const container of pod.spec.initContainers ?? []) {
    const current = statusOf(status.initContainerStatuses, container.name);
    if (isSidecar(container)) {
      if (countSidecar(current, tally)) pendingSidecars += 1;
      continue;
    }
    const outcome = countInit(pod, container, current);
    if (outcome === 'failed') return 'Failed';
    if (outcome === 'pending') pendingInit += 1;
  }
  for (const container of pod.spec.containers) {
    countMain(pod, container, statusOf(status.containerStatuses, container.name), tally);
  }
  const anyMainStarted = (status.containerStatuses ?? []).some(hasStarted);

  if (pendingInit > 0 || (pendingSidecars > 0 && !anyMainStarted) || tally.waiting > 0) return 'Pending';
  if (tally.running > 0 && tally.unknown === 0) return 'Running';
  if (tally.running === 0 && tally.stopped > 0 && tally.unknown === 0) {
    if (!finishing && tally.restartable > 0) return 'Running';
    return tally.succeeded === tally.stopped ? 'Succeeded' : 'Failed';
  }
  return 'Pending';
}

/**
 * Tells whether a Pod's work is over by its published status although its phase is not terminal yet, because sidecars
 * run on or because its capsule has not been confirmed gone: whoever sees this ends the capsule.
 */
export function isWorkDone(pod: Pod): boolean {
  const initContainers = (pod.spec.initContainers ?? []).filter((container) => !isSidecar(container));
  return isTerminalPhase(podPhase({ ...pod, spec: { ...pod.spec, initContainers } }, pod.status ?? {}, false));
}
