import type { Pod } from '../kube/types.ts';
import { lastingContainers } from './sidecar.ts';

/** The label that says which images a capsule was made with: a wire format, never change its meaning. */
export const imagesLabel = 'zunlet.io/images';

/**
 * Lists the images of the containers that run for the Pod's life: `app=nginx:1.27 proxy=envoy:1`. Neither names nor image
 * references hold spaces. An init container that has done its work never starts again, whatever its image.
 */
export function imagesText({ spec }: Pod): string {
  return lastingContainers(spec)
    .map(({ name, image }) => `${name}=${image ?? ''}`)
    .join(' ');
}
