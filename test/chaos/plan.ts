import { type Random, seededRandom } from '../../src/base/random.ts';
import type { Fault } from '../../src/emulators/faults.ts';
import type { WireFault, WireRule } from './api-proxy.ts';
import type { PodKind } from './pods.ts';

/** A rule for the fault plan of an emulator. */
export interface CloudRule {
  fault: Fault;
  operation: string;
  probability: number;
  seed: number;
}

/** What users do. `name` is that of a Pod, or of the object. */
export type UserAction =
  | { do: 'create'; name: string; kind: PodKind }
  | { do: 'delete'; name: string }
  | { do: 'force-delete'; name: string }
  | { do: 'recreate'; name: string; kind: PodKind }
  | { do: 'scale'; replicas: number }
  | { do: 'job'; name: string };

/** What happens to the world, the faults in the wires apart. */
export type WorldAction =
  | { do: 'restart-api-server' }
  | { do: 'compact-etcd' }
  | { do: 'delete-node' }
  | { do: 'refuse-api'; forMs: number }
  | { do: 'zun-down'; forMs: number }
  | { do: 'keystone-down'; forMs: number }
  | { do: 'compute-down'; forMs: number }
  | { do: 'revoke-tokens' }
  | { do: 'cloud-clock'; ms: number };

/** The faults in the wires from one moment until the next weather. */
export interface Weather {
  zun: CloudRule[];
  keystone: CloudRule[];
  neutron: CloudRule[];
  cinder: CloudRule[];
  api: WireRule[];
}

/** Everything that will happen, each at a time after the start in ms. The same for the same seed and length. */
export interface ChaosPlan {
  users: { atMs: number; action: UserAction }[];
  world: { atMs: number; action: WorldAction }[];
  weather: { atMs: number; weather: Weather }[];
}

/** The names that users give to Pods. */
export const podNames = Array.from({ length: 28 }, (_, index) => `p-${index}`);
/** The kinds of Pods and how often users want each. */
export const kinds: readonly [PodKind, number][] = [
  ['capsule', 30],
  ['container', 20],
  ['volume', 12],
  ['networked', 14],
  ['attached', 8],
  ['finite', 12],
  ['hooked', 8],
  ['late-secret', 6],
  ['sick', 5],
  ['rejected', 4],
  ['deadline', 3],
];

/** No fault at all. */
export const calm: Weather = { zun: [], keystone: [], neutron: [], cinder: [], api: [] };

/** Draws the plan of one run. */
export function chaosPlan(seed: number, lengthMs: number): ChaosPlan {
  const random = seededRandom(seed);
  const draw = <T>(everyMs: number, make: (atMs: number) => T) => times(random, lengthMs, everyMs).map(make);
  return {
    users: [
      ...draw(250, (atMs) => ({ atMs, action: drawUserAction(random) })),
      ...draw(9000, (atMs) => ({ atMs, action: { do: 'scale' as const, replicas: Math.floor(random() * 5) } })),
      ...draw(12_000, (atMs) => ({ atMs, action: { do: 'job' as const, name: `job-${Math.round(atMs)}` } })),
    ].toSorted(byTime),
    world: [
      ...draw(90_000, (atMs) => ({ atMs, action: { do: 'restart-api-server' as const } })),
      ...draw(20_000, (atMs) => ({ atMs, action: { do: 'compact-etcd' as const } })),
      ...draw(45_000, (atMs) => ({ atMs, action: { do: 'delete-node' as const } })),
      ...draw(11_000, (atMs) => ({ atMs, action: trouble(random) })),
    ].toSorted(byTime),
    weather: draw(5000, (atMs) => ({ atMs, weather: drawWeather(random, atMs / lengthMs) })),
  };
}

function byTime(a: { atMs: number }, b: { atMs: number }): number {
  return a.atMs - b.atMs;
}

/** Moments of a Poisson process. */
function times(random: Random, lengthMs: number, everyMs: number): number[] {
  const found: number[] = [];
  for (let at = -Math.log(1 - random()) * everyMs; at < lengthMs; at += -Math.log(1 - random()) * everyMs) {
    found.push(at);
  }
  return found;
}

function pick<T>(random: Random, weighted: readonly [T, number][]): T {
  let left = random() * weighted.reduce((sum, [, weight]) => sum + weight, 0);
  const found = weighted.find(([, weight]) => {
    left -= weight;
    return left < 0;
  });
  const [first] = weighted;
  const [value] = found ?? first ?? [];
  if (value === undefined) throw new Error('nothing to pick from');
  return value;
}

/** Draws what a user does to one Pod. */
export function drawUserAction(random: Random, weights = kinds): UserAction {
  const name = podNames[Math.floor(random() * podNames.length)] ?? 'p-0';
  const kind = pick(random, weights);
  const what = pick(random, [
    ['create', 50],
    ['delete', 25],
    ['force-delete', 10],
    ['recreate', 15],
  ] as const);
  return what === 'create' || what === 'recreate' ? { do: what, name, kind } : { do: what, name };
}

function trouble(random: Random): WorldAction {
  const forMs = 500 + random() * 5000;
  return pick<WorldAction>(random, [
    [{ do: 'refuse-api', forMs }, 4],
    [{ do: 'zun-down', forMs }, 4],
    [{ do: 'keystone-down', forMs }, 3],
    [{ do: 'compute-down', forMs }, 2],
    [{ do: 'revoke-tokens' }, 3],
    [{ do: 'cloud-clock', ms: 3_700_000 }, 1],
  ]);
}

/** Calls that a node makes itself; Zun's own, which Zun answers for, are left alone. */
const neutronCalls: readonly [string, number][] = [
  ['floatingip.*', 3],
  ['floatingip.post', 1],
  ['port.get', 1],
  ['port.put', 1],
  ['security-group.get', 1],
];

/** The longest that a call may take effect after it failed, and that a list may lag: together less than `settle`. */
const lagMs = 4500;

function drawWeather(random: Random, progress: number): Weather {
  const storm = () => random() < 0.7;
  const share = () => 0.05 + random() * 0.35;
  const seed = () => Math.floor(random() * 1e9);
  const few = <T>(all: readonly T[]) => all.filter(() => random() < 3 / all.length);
  const status = (code: number): Fault => ({
    kind: 'status',
    status: code,
    ...(code === 429 && { retryAfterSeconds: 1 }),
    ...(code >= 500 && { effect: random() < 0.5 }),
  });
  const wire = (): Fault[] => [
    { kind: 'reset-before' },
    { kind: 'reset-after' },
    { kind: 'delay', ms: random() * lagMs },
    { kind: 'cut' },
    { kind: 'garbage' },
    { kind: 'refuse', forMs: 200 + random() * 2000 },
    ...[401, 409, 429, 500, 503].map(status),
    // Zunlet waits five minutes after a 403 and two for an answer that never comes: not shortly before the end.
    ...(progress < 0.4 ? [status(403), { kind: 'hang' } as const, { kind: 'lose-answer' } as const] : []),
  ];
  const rule = (fault: Fault, operation: string): CloudRule => {
    const isDear = fault.kind === 'hang' || fault.kind === 'lose-answer' || fault.kind === 'refuse';
    return { fault, operation, probability: isDear ? 0.03 : share(), seed: seed() };
  };
  const operations = ['capsule.create', 'container.create', 'capsule.*', 'container.*', '*'];
  const anywhere = (fault: Fault) => rule(fault, operations[Math.floor(random() * operations.length)] ?? '*');
  const stale: CloudRule[] = ['capsule.list', 'container.list'].map((operation) =>
    rule({ kind: 'stale', ms: random() * lagMs }, operation),
  );
  const late: CloudRule[] = ['capsule.create', 'container.create'].map((operation) =>
    rule({ kind: 'late', ms: random() * lagMs }, operation),
  );
  const api: WireFault[] = ['reset-before', 'reset-after', 'cut', 'late', 'garbage', 'gone', 401, 409, 429, 500, 503];
  if (progress < 0.4) api.push('lost');
  return {
    zun: storm() ? [...few([...stale, ...late]), ...few(wire()).map(anywhere)] : [],
    neutron: storm() ? few(wire()).map((fault) => rule(fault, pick(random, neutronCalls))) : [],
    cinder: storm() ? few(wire()).map((fault) => rule(fault, 'volume.get')) : [],
    keystone: storm() ? few(wire()).map((fault) => rule(fault, 'token.create')) : [],
    api: storm() ? few(api).map((fault) => ({ fault, probability: fault === 'lost' ? 0.02 : share() })) : [],
  };
}
