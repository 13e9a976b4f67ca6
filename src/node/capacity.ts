import type { Problem } from '../base/problem.ts';
import { parseQuantity } from '../base/quantity.ts';
import type { NodeCapacity } from './types.ts';

/** What an operator says the node has; Kubernetes quantities. */
export interface CapacityOptions {
  cpu: string;
  memory: string;
  pods: string;
  ephemeralStorage: string;
  /** Extended resources by name. */
  extended: Record<string, string>;
  /** What is kept back from the scheduler, by resource name. */
  reserved: Record<string, string>;
}

/**
 * Makes capacity and allocatable (capacity less what is reserved, never below zero). Problems: `capacity.malformed`,
 * `capacity.negative`; then the resource is left out.
 */
export function nodeCapacity(options: CapacityOptions): NodeCapacity & { problems: Problem[] } {
  const wanted: Record<string, string> = {
    cpu: options.cpu,
    memory: options.memory,
    pods: options.pods,
    'ephemeral-storage': options.ephemeralStorage,
    ...options.extended,
  };
  const result: NodeCapacity & { problems: Problem[] } = { capacity: {}, allocatable: {}, problems: [] };
  for (const [name, text] of Object.entries(wanted)) {
    const total = readQuantity(`capacity.${name}`, text, result.problems);
    const reservedText = options.reserved[name];
    const kept = reservedText === undefined ? 0n : readQuantity(`reserved.${name}`, reservedText, result.problems);
    if (total === undefined || kept === undefined) continue;
    result.capacity[name] = text;
    result.allocatable[name] = kept === 0n ? text : writeQuantity(total > kept ? total - kept : 0n);
  }
  return result;
}

function readQuantity(path: string, text: string, problems: Problem[]): bigint | undefined {
  const value = parseQuantity(text);
  if (value !== undefined && value >= 0n) return value;
  const code = value === undefined ? 'capacity.malformed' : 'capacity.negative';
  const message = `${JSON.stringify(text)} is not a Kubernetes quantity of zero or more`;
  problems.push({ path, code, message, heals: false });
  return undefined;
}

/** Billionths as the shortest exact quantity; finer than a thousandth is rounded down, because it is promised to others. */
function writeQuantity(nanos: bigint): string {
  const milli = nanos / 1_000_000n;
  return milli % 1_000n === 0n ? String(milli / 1_000n) : `${milli}m`;
}
