import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Neutron, Port } from '../openstack/neutron.ts';

/** Sets the security groups of Neutron ports. */
export interface PortGroups {
  /**
   * Gives a port exactly these groups, named by name or id. False when it had them already.
   * Errors: those of Neutron; `network.unknown-group`.
   */
  set(port: Port, wanted: readonly string[]): Promise<boolean>;
}

/** Groups that were made a moment ago are found when the list is older than this. */
const listLifeMs = 60_000;

/** Makes the setter; the groups of the project are listed at most once a minute. */
export function createPortGroups(
  neutron: Pick<Neutron, 'securityGroups' | 'setPortSecurityGroups'>,
  clock: Clock,
): PortGroups {
  let list: { at: number; groups: ReturnType<Neutron['securityGroups']> } | undefined;

  async function groups() {
    const now = clock.monotonic();
    if (list && now - list.at < listLifeMs) return list.groups;
    const asked = { at: now, groups: neutron.securityGroups() };
    list = asked;
    asked.groups.catch(() => {
      if (list === asked) list = undefined;
    });
    return asked.groups;
  }

  async function idOf(wanted: string): Promise<string> {
    const all = await groups();
    if (all.some(({ id }) => id === wanted)) return wanted;
    const named = all.filter(({ name }) => name === wanted);
    const [first] = named;
    if (first && named.length === 1) return first.id;
    list = undefined;
    throw new AppError({
      kind: 'invalid',
      code: 'network.unknown-group',
      message: first
        ? `there are ${named.length} security groups with the name ${wanted}; use an id`
        : `there is no security group ${wanted}`,
    });
  }

  return {
    async set(port, wanted) {
      const ids = await Promise.all(wanted.map(idOf));
      const isSame = ids.length === port.securityGroups.length && ids.every((id) => port.securityGroups.includes(id));
      if (isSame) return false;
      await neutron.setPortSecurityGroups(port.id, [...new Set(ids)]);
      return true;
    },
  };
}
