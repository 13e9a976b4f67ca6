import { isIP } from 'node:net';
import type { ContainerStatus, Pod, PodStatus } from '../../kube/types.ts';
import type { FieldCause } from './failures.ts';
import type { KubeObject } from './objects.ts';
import { asPod } from './pod-defaults.ts';

type Causes = FieldCause[];

/**
 * Finds what the API server refuses in a status write: a container that comes back although its policy forbids it, addresses
 * that contradict each other, another QoS class, a terminal phase that ends.
 * Source: pkg/apis/core/validation/validation.go, ValidatePodStatusUpdate, by its effect.
 */
export function podStatusCauses(object: KubeObject, old: KubeObject): Causes {
  const pod = asPod(object);
  const status: PodStatus = pod.status ?? {};
  const before: PodStatus = asPod(old).status ?? {};
  return [
    ...observedCauses(status),
    ...claimCauses(pod, status, before),
    ...addressCauses('podIP', status.podIP, status.podIPs),
    ...addressCauses('hostIP', status.hostIP, status.hostIPs),
    ...restartCauses(pod, status, before),
  ];
}

function observedCauses(status: PodStatus): Causes {
  const causes: Causes = [];
  const check = (value: number | undefined, field: string) => {
    if (value === undefined || value >= 0) return;
    causes.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${value}: must be a non-negative integer`,
    });
  };
  check(status.observedGeneration, 'status.observedGeneration');
  for (const [index, condition] of (status.conditions ?? []).entries()) {
    check(condition.observedGeneration, `status.conditions[${index}].observedGeneration`);
  }
  return causes;
}

function claimCauses(pod: Pod, status: PodStatus, before: PodStatus): Causes {
  const causes: Causes = [];
  if (before.qosClass && status.qosClass !== before.qosClass) {
    causes.push({
      reason: 'FieldValueInvalid',
      field: 'status.qosClass',
      message: `Invalid value: ${JSON.stringify(status.qosClass ?? '')}: field is immutable`,
    });
  }
  const { nominatedNodeName } = status;
  if (pod.spec.nodeName && nominatedNodeName && nominatedNodeName !== before.nominatedNodeName) {
    causes.push({
      reason: 'FieldValueForbidden',
      field: 'status.nominatedNodeName',
      message: 'Forbidden: may not be set on pods that are already bound to a node',
    });
  }
  return causes;
}

function addressCauses(
  field: 'podIP' | 'hostIP',
  first: string | undefined,
  all: { ip?: string }[] | undefined,
): Causes {
  const causes: Causes = [];
  const list = (all ?? []).map(({ ip }) => ip ?? '');
  const whole = `status.${field}s`;
  for (const [index, ip] of list.entries()) {
    if (isIP(ip) > 0) continue;
    const why = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
    causes.push({
      reason: 'FieldValueInvalid',
      field: `${whole}[${index}]`,
      message: `Invalid value: "${ip}": ${why}`,
    });
  }
  const bad = list.findIndex((ip) => isIP(ip) === 0);
  if (list.length > 1 && bad >= 0) {
    const message = `Internal error: failed to check for dual stack with error:invalid IP[${bad}]: ${list[bad]}`;
    causes.push({ reason: 'InternalError', field: whole, message });
  }
  const families = new Set(list.map((ip) => isIP(ip)));
  if (list.length > 1 && (bad >= 0 || list.length > 2 || families.size < 2)) {
    const shown = JSON.stringify(list.map((ip) => ({ IP: ip })));
    const message = `Invalid value: ${shown}: may specify no more than one IP for each IP family`;
    causes.push({ reason: 'FieldValueInvalid', field: whole, message });
  }
  if (list.length > 0 && (first ?? '') !== list[0]) {
    const message = `Invalid value: "${list[0]}": must be equal to \`${field}\``;
    causes.push({ reason: 'FieldValueInvalid', field: `${whole}[0].ip`, message });
  }
  return causes;
}

function restartCauses(pod: Pod, status: PodStatus, before: PodStatus): Causes {
  const causes: Causes = [];
  const mains = new Map(
    pod.spec.containers.map((container) => [container.name, container.restartPolicy ?? pod.spec.restartPolicy]),
  );
  const inits = new Map(
    (pod.spec.initContainers ?? []).map((container) => [
      container.name,
      container.restartPolicy ?? pod.spec.restartPolicy,
    ]),
  );
  const ephemeral = new Map((pod.spec.ephemeralContainers ?? []).map((container) => [container.name, 'Never']));
  for (const [list, policies] of [
    ['containerStatuses', mains],
    ['initContainerStatuses', inits],
    ['ephemeralContainerStatuses', ephemeral],
  ] as const) {
    for (const [index, now] of (status[list] ?? []).entries()) {
      const then = before[list]?.find((one) => one.name === now.name);
      if (then && comesBack(now, then, policies.get(now.name) ?? 'Always')) {
        causes.push({
          reason: 'FieldValueForbidden',
          field: `status.${list}[${index}].state`,
          message: 'Forbidden: may not be transitioned to non-terminated state',
        });
      }
    }
  }
  return causes;
}

function comesBack(now: ContainerStatus, then: ContainerStatus, policy: string): boolean {
  const ended = then.state?.terminated;
  if (!ended || now.state?.terminated || policy === 'Always') return false;
  return policy === 'Never' || ended.exitCode === 0;
}
