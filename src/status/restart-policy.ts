import type { Container, Pod } from '../kube/types.ts';

/** Tells whether an init container is a sidecar: it keeps running beside the main containers. */
export function isSidecar(container: Container): boolean {
  return container.restartPolicy === 'Always';
}

/**
 * Tells whether a container that ended with `exitCode` is to run again: by its own rules and policy where it has them,
 * else by the Pod's policy.
 * Source: Kubernetes pkg/kubelet/container/helpers.go, KEP-5307.
 */
export function isRestartable(pod: Pod, container: Container, exitCode: number): boolean {
  for (const rule of container.restartPolicyRules ?? []) {
    const values = rule.exitCodes?.values ?? [];
    const named = values.includes(exitCode);
    if (rule.exitCodes?.operator === 'In' ? named : rule.exitCodes?.operator === 'NotIn' && !named) {
      return rule.action === 'Restart' || rule.action === 'RestartAllContainers';
    }
  }
  const policy = container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

/**
 * Tells whether an init container that ended with `exitCode` is to run again. Success is final for regular ones,
 * whatever the Pod's policy says.
 */
export function isInitRestartable(pod: Pod, container: Container, exitCode: number): boolean {
  if (isSidecar(container)) return true;
  return exitCode !== 0 && isRestartable(pod, container, exitCode);
}
