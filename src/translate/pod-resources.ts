import {
  addQuantities,
  cpuMillicores,
  largerQuantity,
  parseQuantity,
  type Quantity,
  wholeUnits,
} from '../base/quantity.ts';
import type { Container, Pod } from '../kube/types.ts';

/** Amounts by resource name. */
export type Amounts = Record<string, Quantity>;

function readAmounts(written: Readonly<Record<string, unknown>> | undefined): Amounts {
  const entries = Object.entries(written ?? {}).flatMap(([name, value]): [string, Quantity][] => {
    const amount = parseQuantity(value);
    return amount === undefined ? [] : [[name, amount]];
  });
  return Object.fromEntries(entries);
}

function requestsOf(container: Container): Amounts {
  // The API server fills requests in from limits; a file on the command line did not pass through it.
  return { ...readAmounts(container.resources?.limits), ...readAmounts(container.resources?.requests) };
}

function combine(left: Amounts, right: Amounts, how: (one: Quantity, other: Quantity) => Quantity): Amounts {
  const names = new Set([...Object.keys(left), ...Object.keys(right)]);
  return Object.fromEntries([...names].map((name) => [name, how(left[name] ?? 0n, right[name] ?? 0n)]));
}

const sum = (left: Amounts, right: Amounts) => combine(left, right, (one, other) => addQuantities(one, other));
const larger = (left: Amounts, right: Amounts) => combine(left, right, largerQuantity);

/**
 * Works out what a Pod counts for: its containers and sidecars together, or what its init containers need at their height if
 * that is more; the requests of the whole Pod win where it has some; the overhead comes on top.
 * Source: k8s.io/component-helpers/resource (PodRequests).
 */
export function podRequests(pod: Pod): Amounts {
  let sidecars: Amounts = {};
  let height: Amounts = {};
  for (const container of pod.spec.initContainers ?? []) {
    const own = requestsOf(container);
    const atOnce = sum(own, sidecars);
    if (container.restartPolicy === 'Always') sidecars = atOnce;
    height = larger(height, atOnce);
  }
  const running = pod.spec.containers.map(requestsOf).reduce(sum, sidecars);
  const whole = readAmounts(pod.spec.resources?.requests);
  return sum({ ...larger(running, height), ...whole }, readAmounts(pod.spec.overhead));
}

/** The number that admission messages show: thousandths for cpu, whole units for the rest. */
export function shownAmount(resource: string, amount: Quantity): number {
  return resource === 'cpu' ? cpuMillicores(amount) : wholeUnits(amount);
}
