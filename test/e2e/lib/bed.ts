import { after } from 'node:test';
import type { Api } from './api.ts';
import { type EmulatedCloud, startEmulatedCloud } from './cloud.ts';
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './control-plane.ts';
import { createKubectl, type Kubectl } from './kubectl.ts';
import { observePods, type PodObserver } from './observe.ts';
import { startZunlet, type Zunlet } from './zunlet.ts';

export interface BedOptions extends ControlPlaneOptions {
  /** Flags of zunlet, by name without the dashes. */
  flags?: Record<string, string>;
  /** Where Pods get their addresses; default: the loopback range, so that they can be dialled. */
  podCidr?: string;
}

/** A real control plane, an emulated cloud and one zunlet between them, each in processes of its own. */
export interface Bed {
  plane: ControlPlane;
  api: Api;
  kubectl: Kubectl;
  cloud: EmulatedCloud;
  zunlet: Zunlet;
  /** The Pods of the namespace default. */
  pods: PodObserver;
}

/**
 * Times that fit a test: with one process that never dies in the middle of a call, a call without an answer is settled
 * soon.
 */
const quickFlags = { settle: '2s', relist: '5s', live: '1s' };

/** Starts a bed for one test file; it is stopped when the file's tests have ended. */
export async function startBed({ flags = {}, podCidr, ...options }: BedOptions = {}): Promise<Bed> {
  const [plane, cloud] = await Promise.all([startControlPlane(options), startEmulatedCloud(podCidr)]);
  const nodeName = 'zun-node';
  const zunlet = await startZunlet({ plane, cloud: cloud.env, nodeName, flags: { ...quickFlags, ...flags } });
  const pods = await observePods(plane.api);
  after(async () => {
    await pods.stop();
    await zunlet.stop();
    await Promise.all([cloud.stop(), plane.stop()]);
  });
  return { plane, cloud, zunlet, pods, api: plane.api, kubectl: createKubectl(plane.kubeconfig) };
}

/** The collection of one kind of object in the namespace default. */
export const path = {
  pods: '/api/v1/namespaces/default/pods',
  secrets: '/api/v1/namespaces/default/secrets',
  events: '/api/v1/namespaces/default/events',
  deployments: '/apis/apps/v1/namespaces/default/deployments',
  statefulSets: '/apis/apps/v1/namespaces/default/statefulsets',
  jobs: '/apis/batch/v1/namespaces/default/jobs',
} as const;
