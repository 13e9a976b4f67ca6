/** Tells whether an init container is a sidecar: one that keeps running next to the others. */
export function isSidecar(container: { restartPolicy?: unknown }): boolean {
  return container.restartPolicy === 'Always';
}
