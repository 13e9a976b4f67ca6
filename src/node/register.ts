import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { AppError, isKind, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import type { KubeClient } from '../kube/client-types.ts';
import type { Node } from '../kube/types.ts';
import type { NewNode } from './node.ts';
import { adoptionPatch, isForeign } from './patches.ts';
import type { NodeOptions } from './types.ts';

export interface RegisterOptions {
  client: Pick<KubeClient, 'get' | 'create' | 'patch'>;
  clock: Clock;
  random: Random;
  log: Log;
  options: NodeOptions;
  instance: string;
  /** Makes the Node as it should be now. */
  makeNode: () => NewNode;
}

/** The collection of Nodes. */
export const nodesPath = '/api/v1/nodes';
const backoff = { firstMs: 100, maxMs: 7_000 };
/** What only an administrator can change is asked for less often. */
const slowMs = 30_000;

/**
 * Registers the node, or adopts the Node that is there, and does not give up before `signal` aborts (then it rejects).
 * Source: pkg/kubelet/kubelet_node_status.go (registerWithAPIServer).
 */
export async function registerNode(register: RegisterOptions, signal: AbortSignal): Promise<Node> {
  const { clock, log, options } = register;
  let lastCode: string | undefined;
  for (let attempt = 0; ; attempt++) {
    try {
      return await registerOnce(register, signal);
    } catch (thrown) {
      if (signal.aborted) throw thrown;
      const error = toAppError(thrown);
      const fields = { node: options.name, err: error.message, code: error.code, attempt };
      if (error.code === lastCode) log.debug('node not registered', fields);
      else log.warn('node not registered', fields);
      lastCode = error.code;
      const needsPerson = error.kind !== 'retryable' && error.kind !== 'conflict';
      const floorMs = error.retryAfterMs ?? (needsPerson ? slowMs / 2 : 0);
      await sleep(clock, Math.max(floorMs, backoffMs(attempt, backoff, register.random)), signal);
    }
  }
}

async function registerOnce(register: RegisterOptions, signal: AbortSignal): Promise<Node> {
  const { client, log, options } = register;
  const call = { urgent: true, signal };
  try {
    const node = await client.create<Node>(nodesPath, register.makeNode(), {
      ...call,
      attempt: `registering node ${options.name}`,
    });
    log.info('node registered', { node: options.name });
    return node;
  } catch (thrown) {
    // Who may not create nodes may still run one that somebody else created.
    if (!isKind(thrown, 'conflict', 'forbidden')) throw thrown;
    return adopt(register, signal, thrown);
  }
}

async function adopt(register: RegisterOptions, signal: AbortSignal, refusal: AppError): Promise<Node> {
  const { client, log, options } = register;
  const call = { urgent: true, signal, attempt: `adopting node ${options.name}` };
  const path = `${nodesPath}/${options.name}`;
  const node = await client.get<Node>(path, call).catch((thrown: unknown) => {
    throw isKind(thrown, 'not-found') && refusal.kind === 'forbidden' ? refusal : thrown;
  });
  if (isForeign(node)) {
    throw new AppError({
      kind: 'invalid',
      code: 'node.foreign',
      message: `adopting node ${options.name}: another provider runs it; give this node another name`,
    });
  }
  const patch = adoptionPatch(node, options, register.instance);
  const adopted = patch ? await client.patch<Node>(path, patch, call) : node;
  log.info('node adopted', { node: options.name });
  return adopted;
}
