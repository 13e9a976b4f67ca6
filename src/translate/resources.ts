import { compareQuantities, cpuMillicores, memoryMiB, parseQuantity, type Quantity } from '../base/quantity.ts';
import type { ResourceRequirements } from '../kube/types.ts';
import type { ContainerContext } from './env.ts';
import { podReason } from './reasons.ts';
import { own } from './records.ts';

/** What a container is given. Absent: zun's own default. */
export interface Granted {
  /** Cores; a share on docker, not a limit. */
  cpu?: number;
  memoryMiB?: number;
}

type Side = 'limits' | 'requests';

const counted = new Set(['cpu', 'memory', 'ephemeral-storage']);

function readAmount(
  resources: ResourceRequirements | undefined,
  side: Side,
  name: string,
  path: string,
  context: ContainerContext,
): Quantity | undefined {
  const written: unknown = own(resources?.[side], name);
  if (written === undefined) return undefined;
  const amount = parseQuantity(written);
  if (amount !== undefined && amount >= 0n) return amount;
  context.findings.problem({
    path: `${path}.${side}.${name}`,
    code: 'resources.malformed',
    message: `${String(written)} is not an amount`,
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
  return undefined;
}

function refuseUnknown(resources: ResourceRequirements | undefined, path: string, context: ContainerContext): void {
  for (const side of ['limits', 'requests'] as const) {
    for (const [name, written] of Object.entries(resources?.[side] ?? {})) {
      if (counted.has(name) || parseQuantity(written) === 0n) continue;
      context.findings.refuse({
        path: `${path}.${side}["${name}"]`,
        code: 'resources.unknown',
        message: `zun gives cpu and memory only; run the Pod on a node that has ${name}`,
        concern: 'impossible',
        container: context.container.name,
      });
    }
  }
}

function tooLarge(path: string, what: string, context: ContainerContext): undefined {
  context.findings.problem({
    path,
    code: 'resources.too-large',
    message: `${what} for one container; ask for less, or raise zun's bound and the option that repeats it`,
    heals: false,
    reason: podReason.unsupported,
    container: context.container.name,
  });
  return undefined;
}

function raised(path: string, message: string, context: ContainerContext): void {
  context.findings.note({ path, code: 'resources.raised', message, level: 'defaulted' });
}

function grantCpu(amount: Quantity, path: string, context: ContainerContext): number | undefined {
  const { minimumCpu, maximumCpu } = context.options.limits;
  const cores = cpuMillicores(amount) / 1000;
  if (cores > maximumCpu) return tooLarge(`${path}.requests.cpu`, `zun gives at most ${maximumCpu} cpus`, context);
  if (cores < minimumCpu) {
    raised(`${path}.requests`, `cpu is raised to zun's minimum of ${minimumCpu} cpus`, context);
    return minimumCpu;
  }
  return cores;
}

function grantMemory(amount: Quantity, side: Side, path: string, context: ContainerContext): number | undefined {
  const { minimumMemoryMiB, maximumMemoryMiB } = context.options.limits;
  const wanted = memoryMiB(amount);
  if (wanted > maximumMemoryMiB) {
    return tooLarge(`${path}.${side}.memory`, `zun gives at most ${maximumMemoryMiB} MiB of memory`, context);
  }
  if (wanted < minimumMemoryMiB) {
    raised(`${path}.${side}`, `memory is raised to zun's minimum of ${minimumMemoryMiB} MiB`, context);
    return minimumMemoryMiB;
  }
  return wanted;
}

function isAsked(amount: Quantity | undefined): amount is Quantity {
  return amount !== undefined && compareQuantities(amount, 0n) > 0;
}

/**
 * Works out what to ask zun for: cpu from the request (or the limit, as the API server defaults it), memory from the limit
 * (or the request), rounded up to whole MiB and to zun's minimum; more than zun's maximum is a problem.
 * Source: zun/api/controllers/v1/schemas/parameter_types.py; zun/conf/compute.py for the bounds.
 */
export function containerResources(context: ContainerContext, podLevel?: ResourceRequirements): Granted {
  const path = `${context.path}.resources`;
  const { resources } = context.container;
  refuseUnknown(resources, path, context);
  const read = (side: Side, name: string) =>
    readAmount(resources, side, name, path, context) ?? readAmount(podLevel, side, name, 'spec.resources', context);
  const cpu = read('requests', 'cpu') ?? read('limits', 'cpu');
  const memoryLimit = read('limits', 'memory');
  const memory = memoryLimit ?? read('requests', 'memory');
  const cores = isAsked(cpu) ? grantCpu(cpu, path, context) : undefined;
  const mib = isAsked(memory)
    ? grantMemory(memory, memoryLimit === undefined ? 'requests' : 'limits', path, context)
    : undefined;
  return {
    ...(cores === undefined ? {} : { cpu: cores }),
    ...(mib === undefined ? {} : { memoryMiB: mib }),
  };
}
