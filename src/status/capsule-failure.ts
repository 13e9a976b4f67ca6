import type { Capsule } from '../openstack/types.ts';
import { containerReason, podReason } from './reasons.ts';

/** Why a capsule is in `Error`, for the Pod and for its containers that never started. */
export interface CapsuleFailure {
  reason: string;
  message: string;
  waitingReason: string;
}

/** Takes the one telling line out of what Zun stores when gRPC fails, and cuts the rest to a readable length. */
function tellingText(text: string): string {
  const details = /details = "((?:[^"\\]|\\.)*)"/.exec(text)?.[1];
  const line = (details ?? text).replaceAll(/\\?\s+/g, ' ').trim();
  return line.length > 500 ? `${line.slice(0, 499)}…` : line;
}

/**
 * Reads why a capsule failed from its `status_reason`, the only place that tells.
 * Source: zun/compute/manager.py (status_reason is the text of the exception), docs/zun.md.
 */
export function capsuleFailure(capsule: Capsule): CapsuleFailure {
  const text = tellingText(capsule.status_reason ?? '') || 'zun reports an error without a reason';
  const message = `${capsule.backend} ${capsule.uuid} is in Error: ${text}`;
  const noRoom = /not enough hosts|insufficient (?:compute )?resources/i.test(text);
  const isPull = /image|manifest|pull/i.test(text);
  return {
    reason: noRoom ? podReason.outOfResources : podReason.capsuleError,
    message,
    waitingReason: isPull && !noRoom ? containerReason.errImagePull : containerReason.createError,
  };
}

/**
 * Tells whether any container of a failed capsule came as far as running. The runtime keeps what ran (docs/zun.md), so
 * such a Pod is over; otherwise its start may be tried again.
 */
export function anyRan(capsule: Capsule): boolean {
  return [...capsule.init_containers, ...capsule.containers].some(
    ({ status, status_detail }) =>
      (status !== 'Creating' && status !== 'Error') || status_detail?.startsWith('Exited') === true,
  );
}
