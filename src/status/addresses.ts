import type { ZunAddresses } from '../openstack/types.ts';

/** Writes an IPv4 address as Kubernetes wants it; undefined when it is none. Octets with leading zeros are refused. */
function canonicalIPv4(text: string): string | undefined {
  const octets = text.split('.');
  const valid =
    octets.length === 4 && octets.every((octet) => /^(?:0|[1-9]\d{0,2})$/.test(octet) && Number(octet) < 256);
  return valid ? text : undefined;
}

/** Reads the groups on one side of `::`; undefined when a group is malformed. */
function parseGroups(side: string): number[] | undefined {
  if (side === '') return [];
  const groups = side.split(':');
  return groups.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? groups.map((group) => Number.parseInt(group, 16))
    : undefined;
}

/** Finds the longest run of at least two zero groups; the first of several. */
function longestZeroRun(groups: number[]): { start: number; length: number } {
  let best = { start: -1, length: 1 };
  let start = -1;
  for (const [index, group] of groups.entries()) {
    if (group !== 0) start = -1;
    else {
      if (start < 0) start = index;
      if (index - start + 1 > best.length) best = { start, length: index - start + 1 };
    }
  }
  return best;
}

/** Writes an IPv6 address as RFC 5952 says; undefined when it is none. Zones and mapped IPv4 addresses are refused. */
function canonicalIPv6(text: string): string | undefined {
  const sides = text.split('::');
  if (sides.length > 2) return undefined;
  const head = parseGroups(sides[0] ?? '');
  const tail = parseGroups(sides[1] ?? '');
  if (!head || !tail) return undefined;
  const missing = 8 - head.length - tail.length;
  if (sides.length === 1 ? missing !== 0 : missing < 1) return undefined;
  const groups = [...head, ...Array<number>(missing).fill(0), ...tail];
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) return undefined;
  const hex = groups.map((group) => group.toString(16));
  const run = longestZeroRun(groups);
  if (run.start < 0) return hex.join(':');
  return `${hex.slice(0, run.start).join(':')}::${hex.slice(run.start + run.length).join(':')}`;
}

/** Writes an address in the one textual form that the API server takes; undefined when it is none. */
export function canonicalIP(text: string): string | undefined {
  return text.includes(':') ? canonicalIPv6(text) : canonicalIPv4(text);
}

function isIPv6(ip: string): boolean {
  return ip.includes(':');
}

/** Keeps the first address of each family, in order: more the API server refuses. */
export function onePerFamily(addresses: readonly string[]): string[] {
  const canonical = addresses.map(canonicalIP).filter((ip) => ip !== undefined);
  const first = canonical[0];
  if (first === undefined) return [];
  const other = canonical.find((ip) => isIPv6(ip) !== isIPv6(first));
  return other === undefined ? [first] : [first, other];
}

/**
 * Chooses a Pod's addresses: one of each family, IPv4 first. What was published stays while the capsule still has it,
 * because the order of Zun's networks means nothing; otherwise the network with the lowest uuid speaks first.
 */
export function podAddresses(addresses: ZunAddresses, published: readonly string[]): string[] {
  const networks = Object.keys(addresses).sort();
  const seen = networks
    .flatMap((network) => addresses[network] ?? [])
    .map(({ addr }) => canonicalIP(addr))
    .filter((ip) => ip !== undefined);
  const kept = published.filter((ip) => seen.includes(ip));
  const ordered = [...kept, ...seen];
  const v4 = ordered.find((ip) => !isIPv6(ip));
  const v6 = ordered.find(isIPv6);
  return [v4, v6].filter((ip) => ip !== undefined);
}
