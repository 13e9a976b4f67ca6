import { containerNameVariable } from '../base/identity.ts';
import type { Container, Pod } from '../kube/types.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';

function markerOf(member: ZunContainer): string | undefined {
  return member.environment?.[containerNameVariable];
}

/** Pairs by position, for a capsule without marks; nothing when count or images do not agree. */
function pairByPosition(containers: Container[], members: ZunContainer[]): [string, ZunContainer][] {
  if (containers.length !== members.length) return [];
  const pairs: [string, ZunContainer][] = [];
  for (const [index, container] of containers.entries()) {
    const member = members[index];
    if (!member || (member.image !== null && container.image !== undefined && member.image !== container.image))
      return [];
    pairs.push([container.name, member]);
  }
  return pairs;
}

/**
 * Finds the Zun container of each of a Pod's containers, by name. Zun renames containers, so the mark that translation
 * leaves in the environment decides; without any mark the position does, where count and images agree. A container of
 * the capsule that belongs to none of the Pod's (one that translation added) is left out.
 */
export function capsuleMembers(pod: Pod, capsule: Capsule): Map<string, ZunContainer> {
  const found = new Map<string, ZunContainer>();
  const names = new Set([...(pod.spec.initContainers ?? []), ...pod.spec.containers].map(({ name }) => name));
  const members = [...capsule.init_containers, ...capsule.containers];
  for (const member of members) {
    const name = markerOf(member);
    if (name !== undefined && names.has(name)) found.set(name, member);
  }
  if (found.size > 0 || members.some((member) => markerOf(member) !== undefined)) return found;
  return new Map([
    ...pairByPosition(pod.spec.initContainers ?? [], capsule.init_containers),
    ...pairByPosition(pod.spec.containers, capsule.containers),
  ]);
}
