import type { Problem } from '../base/problem.ts';
import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { imagesLabel, imagesText } from '../translate/images-label.ts';
import type { PodMemory } from './memory.ts';

/** Why a container of a running capsule is to start again. */
export interface Restart {
  container: string;
  /** For the Event, in the kubelet's words. */
  message: string;
}

const restartBackoff = { firstMs: 10_000, maxMs: 300_000, forgetMs: 600_000 };

/** When the next restart may be: the first at once, then after 10 s doubling to 300 s; ten calm minutes forget it. */
export function restartAt(memory: PodMemory): number {
  if (memory.killings === 0) return Number.NEGATIVE_INFINITY;
  return memory.killedAt + Math.min(restartBackoff.maxMs, restartBackoff.firstMs * 2 ** (memory.killings - 1));
}

/** How many restarts in a row the next one is, after a calm time again the first. */
export function nextKillings(memory: PodMemory, now: number): number {
  return now - memory.killedAt > restartBackoff.forgetMs ? 1 : memory.killings + 1;
}

/** What a Pod waits for while its capsule is made anew after a probe or hook killed a container. */
export function crashLoop(message: string): Problem {
  return {
    path: '',
    code: 'pod.restart',
    message: `${message}; Zun restarts no single container of a capsule, so the capsule is made anew`,
    heals: true,
    reason: 'CrashLoopBackOff',
  };
}

/** What a Pod waits for while its capsule is made anew with other images. */
export function newDefinition(message: string): Problem {
  return {
    path: '',
    code: 'pod.new-definition',
    message: `${message}; Zun changes no container, so a new one is made`,
    heals: true,
    reason: 'ContainerCreating',
  };
}

/**
 * Finds a container whose image is no longer the one that the capsule was made with. The capsule says by a label what it was
 * made with; one without is left alone. For one set of images a capsule is given up once, so that a label which Zun alters
 * cannot begin a loop.
 * Source: Kubernetes pkg/kubelet/kuberuntime/kuberuntime_manager.go (`containerChanged`).
 */
export function changedContainer(pod: Pod, capsule: Capsule, memory: PodMemory): Restart | undefined {
  const made = capsule.labels[imagesLabel];
  const wanted = imagesText(pod);
  if (made === undefined || made === wanted || memory.madeFor === wanted) return undefined;
  const before = new Set(made.split(' '));
  const changed = wanted.split(' ').find((entry) => !before.has(entry));
  const container = changed?.slice(0, changed.indexOf('=')) ?? '';
  return { container, message: `Container ${container} definition changed, will be restarted` };
}
