import type { Container, PodSpec } from '../kube/types.ts';

/** Tells whether an init container is a sidecar: one that keeps running next to the others. */
export function isSidecar(container: { restartPolicy?: unknown }): boolean {
  return container.restartPolicy === 'Always';
}

/** Lists the containers that run for the Pod's life, in the order in which they start. */
export function lastingContainers({ initContainers, containers }: PodSpec): Container[] {
  return [...(initContainers ?? []).filter(isSidecar), ...containers];
}
