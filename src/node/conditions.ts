import { timestamp } from '../base/timestamp.ts';
import type { NodeCondition } from '../kube/types.ts';
import { cloudCondition, nodeEvent } from './reasons.ts';

/** What the conditions are made from. */
export interface ConditionInput {
  cloud: CloudVerdict;
  /** The conditions of the stored Node. */
  previous: NodeCondition[];
  /** Wall time, ms. */
  nowMs: number;
}

/** The health of the cloud, with the decision on whether it has been bad for long. */
export type CloudVerdict =
  | { ok: true }
  /** `isReady`: whether the Node still counts as Ready. */
  | { ok: false; isReady: boolean; reason: string; message: string };

type Draft = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>;

// Monitoring matches on these words, so they are the kubelet's. Capsules take nothing of a host that could be short of them.
const calm: Draft[] = [
  {
    type: 'MemoryPressure',
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  {
    type: 'DiskPressure',
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  {
    type: 'PIDPressure',
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
];

const network: Draft = {
  type: 'NetworkUnavailable',
  status: 'False',
  reason: 'RouteCreated',
  message: 'capsules get their routes from Neutron',
};

/**
 * Makes the node's own conditions, Ready last as kubelets have it. Times of transition are kept while the status stays.
 * NetworkUnavailable is given once and then left to whoever manages routes.
 * Source: pkg/kubelet/nodestatus/setters.go.
 */
export function nodeConditions(input: ConditionInput): NodeCondition[] {
  const hasNetwork = input.previous.some((condition) => condition.type === network.type);
  const drafts = [...(hasNetwork ? [] : [network]), ...calm, cloudDraft(input.cloud), readyDraft(input.cloud)];
  const now = timestamp(input.nowMs);
  return drafts.map((draft) => {
    const before = input.previous.find((condition) => condition.type === draft.type);
    const since = before?.status === draft.status ? before.lastTransitionTime : undefined;
    return { ...draft, lastHeartbeatTime: now, lastTransitionTime: since ?? now };
  });
}

function cloudDraft(cloud: CloudVerdict): Draft {
  if (cloud.ok)
    return { type: cloudCondition, status: 'True', reason: 'ZunAnswers', message: 'Zun and Keystone answer' };
  return { type: cloudCondition, status: 'False', reason: cloud.reason, message: cloud.message };
}

function readyDraft(cloud: CloudVerdict): Draft {
  if (cloud.ok || cloud.isReady) {
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' };
  }
  return { type: 'Ready', status: 'False', reason: cloud.reason, message: cloud.message };
}

/** An Event that a change of conditions calls for. */
export interface FlipEvent {
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
}

/** Names the conditions whose status changed, as Events. Source: pkg/kubelet/nodestatus/setters.go (recordEventFunc). */
export function flipEvents(node: string, before: NodeCondition[], after: NodeCondition[]): FlipEvent[] {
  return after.flatMap((condition): FlipEvent[] => {
    const old = before.find(({ type }) => type === condition.type);
    if (old?.status === condition.status) return [];
    if (condition.type === 'Ready') {
      const reason = condition.status === 'True' ? 'NodeReady' : 'NodeNotReady';
      return [{ type: 'Normal', reason, message: `Node ${node} status is now: ${reason}` }];
    }
    if (condition.type !== cloudCondition || (!old && condition.status === 'True')) return [];
    const message = condition.message ?? '';
    return condition.status === 'True'
      ? [{ type: 'Normal', reason: nodeEvent.cloudAvailable, message }]
      : [{ type: 'Warning', reason: nodeEvent.cloudUnavailable, message: `${condition.reason}: ${message}` }];
  });
}
