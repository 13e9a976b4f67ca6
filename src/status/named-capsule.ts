import type { PodStatus } from '../kube/types.ts';
import type { BackendName } from '../openstack/types.ts';
import { conditionReason } from './reasons.ts';

/** The condition on a Pod that names its capsule; half of what survives a restart of the node. */
export const capsuleCondition = 'zunlet.io/Capsule';

/** A capsule, or a standalone container, by its uuid. */
export interface CapsuleName {
  backend: BackendName;
  uuid: string;
}

const named = /^(capsule|container) ([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b/;

/** Makes the start of the condition's message that names a capsule; a sentence may follow after a semicolon. */
export function capsuleNameText(name: CapsuleName): string {
  return `${name.backend} ${name.uuid}`;
}

/** Reads which capsule a Pod's status names; undefined when it never had one, or was told that its start failed. */
export function capsuleNamedBy(status: PodStatus | undefined): CapsuleName | undefined {
  const condition = status?.conditions?.find(({ type }) => type === capsuleCondition);
  return condition?.status === 'True' ? read(condition.message) : undefined;
}

/** Reads which capsule a Pod's status says was given up, so that a new one can take its place. */
export function capsuleLetGoBy(status: PodStatus | undefined): CapsuleName | undefined {
  const condition = status?.conditions?.find(({ type }) => type === capsuleCondition);
  const { replaced, startFailed } = conditionReason;
  const isLetGo =
    condition?.status === 'False' && [replaced, startFailed].some((reason) => reason === condition.reason);
  return isLetGo ? read(condition.message) : undefined;
}

function read(message: string | undefined): CapsuleName | undefined {
  const match = named.exec(message ?? '');
  if (!match?.[2]) return undefined;
  return { backend: match[1] === 'container' ? 'container' : 'capsule', uuid: match[2] };
}
