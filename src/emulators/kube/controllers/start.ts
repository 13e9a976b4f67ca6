import { type ControlPlane, type ControlPlaneParts, createControlPlane } from './control-plane.ts';
import { startDeployments } from './deployments.ts';
import { startEventExpiry } from './event-expiry.ts';
import { startGarbageCollector, startNamespaceController } from './garbage-collector.ts';
import { startJobs } from './jobs.ts';
import { startNodeLifecycle } from './node-lifecycle.ts';
import { startPodEviction } from './pod-eviction.ts';
import { startReplicaSets } from './replica-sets.ts';
import { startScheduler } from './scheduler.ts';
import { startVolumeBinder } from './volumes.ts';

/** The controllers that can be started; StatefulSets, DaemonSets and CronJobs are kept but nothing acts on them. */
export type ControllerName = 'scheduler' | 'nodes' | 'garbage' | 'workloads' | 'volumes';

const starters: Record<ControllerName, (plane: ControlPlane) => void> = {
  scheduler: startScheduler,
  nodes(plane) {
    startNodeLifecycle(plane);
    startPodEviction(plane);
  },
  garbage: startGarbageCollector,
  workloads(plane) {
    startReplicaSets(plane);
    startDeployments(plane);
    startJobs(plane);
  },
  volumes: startVolumeBinder,
};

export const allControllers: ControllerName[] = ['scheduler', 'nodes', 'garbage', 'workloads', 'volumes'];

/** Starts the chosen controllers, and in any case those that a cluster cannot do without: namespaces and the expiry of Events. */
export function startControlPlane(parts: ControlPlaneParts, names: ControllerName[]): ControlPlane {
  const plane = createControlPlane(parts);
  startNamespaceController(plane);
  startEventExpiry(plane);
  for (const name of names) starters[name](plane);
  return plane;
}
