import type { ContainerStatus, Pod } from '../../kube/types.ts';
import { age } from './human-duration.ts';
import { at, type Json, type JsonObject, type KubeObject } from './objects.ts';
import { asPod } from './pod-defaults.ts';

interface Summary {
  reason: string;
  ready: number;
  total: number;
  restarts: number;
  /** When a container last ended before it was restarted; empty when none did. */
  restartedAt: string;
}

/**
 * The cells NAME READY STATUS RESTARTS AGE IP NODE NOMINATED-NODE READINESS-GATES of a Pod.
 * Source: pkg/printers/internalversion/printers.go of Kubernetes, by its effect.
 */
export function podCells(object: KubeObject, now: number): Json[] {
  const pod = asPod(object);
  const { reason, ready, total, restarts, restartedAt } = summary(pod);
  const shownRestarts =
    restarts > 0 && restartedAt !== '' ? `${restarts} (${age(restartedAt, now)} ago)` : `${restarts}`;
  return [
    pod.metadata.name,
    `${ready}/${total}`,
    reason,
    shownRestarts,
    age(object.metadata.creationTimestamp, now),
    pod.status?.podIPs?.[0]?.ip || '<none>',
    pod.spec.nodeName || '<none>',
    pod.status?.nominatedNodeName || '<none>',
    gates(pod),
  ];
}

function gates(pod: Pod): string {
  const wanted = pod.spec.readinessGates ?? [];
  if (wanted.length === 0) return '<none>';
  const isTrue = (type: string) => pod.status?.conditions?.find((one) => one.type === type)?.status === 'True';
  return `${wanted.filter((gate) => isTrue(gate.conditionType)).length}/${wanted.length}`;
}

function isTrue(pod: Pod, type: string): boolean {
  return pod.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
}

function summary(pod: Pod): Summary {
  const status = pod.status ?? {};
  const sidecars = new Set(
    (pod.spec.initContainers ?? []).filter((one) => one.restartPolicy === 'Always').map((one) => one.name),
  );
  const found: Summary = {
    reason: status.reason || status.phase || '',
    ready: 0,
    total: pod.spec.containers.length + sidecars.size,
    restarts: 0,
    restartedAt: '',
  };
  if (status.conditions?.some((one) => one.type === 'PodScheduled' && one.reason === 'SchedulingGated')) {
    found.reason = 'SchedulingGated';
  }
  const isInitializing = readInitContainers(pod, sidecars, found);
  if (!isInitializing || isTrue(pod, 'Initialized')) readMainContainers(pod, sidecars, found);
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status.reason === 'NodeLost') found.reason = 'Unknown';
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') found.reason = 'Terminating';
  }
  return found;
}

/** Reads the init containers up to the first that is not done; true when there is such a one. */
function readInitContainers(pod: Pod, sidecars: Set<string>, found: Summary): boolean {
  for (const [index, container] of (pod.status?.initContainerStatuses ?? []).entries()) {
    addRestarts(found, container);
    const { terminated, waiting } = container.state ?? {};
    if (terminated?.exitCode === 0) continue;
    if (sidecars.has(container.name) && container.started) {
      if (container.ready) found.ready += 1;
      continue;
    }
    if (terminated) found.reason = `Init:${terminated.reason || endOf(terminated)}`;
    else if (waiting?.reason && waiting.reason !== 'PodInitializing') found.reason = `Init:${waiting.reason}`;
    else found.reason = `Init:${index}/${pod.spec.initContainers?.length ?? 0}`;
    return true;
  }
  return false;
}

function readMainContainers(pod: Pod, sidecars: Set<string>, found: Summary): void {
  found.restarts = 0;
  found.restartedAt = '';
  for (const container of pod.status?.initContainerStatuses ?? []) {
    if (sidecars.has(container.name)) addRestarts(found, container);
  }
  let isOneRunning = false;
  let failure = '';
  for (const container of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    addRestarts(found, container);
    const { waiting, terminated, running } = container.state ?? {};
    if (waiting?.reason) found.reason = waiting.reason;
    else if (terminated) {
      found.reason = terminated.reason || endOf(terminated);
      if (terminated.exitCode !== 0) failure = found.reason;
    } else if (container.ready && running) {
      isOneRunning = true;
      found.ready += 1;
    }
  }
  if (found.reason !== 'Completed') return;
  if (isOneRunning && isTrue(pod, 'Ready')) found.reason = 'Running';
  else if (failure !== '') found.reason = failure;
  else if (isOneRunning) found.reason = 'NotReady';
}

function endOf(terminated: { signal?: number; exitCode: number }): string {
  return terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`;
}

function addRestarts(found: Summary, container: ContainerStatus): void {
  found.restarts += container.restartCount;
  const at = container.lastState?.terminated?.finishedAt ?? '';
  if (at > found.restartedAt) found.restartedAt = at;
}

/** Marks the rows of Pods that have ended. */
export function podConditions(object: KubeObject): JsonObject {
  const phase = at(object, 'status', 'phase');
  if (phase !== 'Succeeded' && phase !== 'Failed') return {};
  const message = phase === 'Succeeded' ? 'The pod has completed successfully.' : 'The pod failed.';
  return { conditions: [{ type: 'Completed', status: 'True', reason: phase, message }] };
}
