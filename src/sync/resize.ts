import type { Pod } from '../kube/types.ts';
import type { Capsule } from '../openstack/types.ts';
import { imagesLabel } from '../translate/images-label.ts';
import { resourcesLabel, resourcesText } from '../translate/resources-label.ts';

/**
 * Says which resize of a Pod its capsule does not follow; undefined where the capsule was made with what the Pod asks for. The
 * API server refuses a resize of a running container here, but lets through one that comes while the capsule is in creation.
 */
export function unappliedResize(pod: Pod, capsule: Capsule): string | undefined {
  // A capsule that says nothing of its images says nothing of its resources either.
  if (capsule.labels[imagesLabel] === undefined) return undefined;
  const made = capsule.labels[resourcesLabel] ?? '';
  const wanted = resourcesText(pod);
  if (made === wanted) return undefined;
  const before = entries(made);
  const changes = [...entries(wanted)]
    .filter(([name, amounts]) => before.get(name) !== amounts)
    .map(([name, amounts]) => {
      const which = name === '' ? 'the Pod' : `container ${name}`;
      return `${which} asks for ${amounts} and its capsule was made with ${before.get(name) ?? 'none'}`;
    });
  if (changes.length === 0) return undefined;
  return `${changes.join('; ')}: Zun changes the resources of no capsule, so make the Pod anew to resize it`;
}

function entries(text: string): Map<string, string> {
  const pairs = text.split(' ').filter(Boolean);
  return new Map(pairs.map((pair) => [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)]));
}
