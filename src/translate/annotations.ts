import type { Pod } from '../kube/types.ts';

/** Pod annotations that zunlet reads. They are a user interface: never change the meaning of a key. */
export const annotation = {
  /** `capsule`, `container` or `auto`; wins over RuntimeClass and option. */
  backend: 'zunlet.io/backend',
  /** Names or ids of Neutron security groups, separated by commas. */
  securityGroups: 'zunlet.io/security-groups',
  /** Name or id of an external Neutron network: the Pod gets a floating IP of it. */
  floatingIp: 'zunlet.io/floating-ip',
  /** Names or ids of Neutron networks, separated by commas. Container backend only. */
  networks: 'zunlet.io/networks',
  /** Fields whose loss the Pod accepts, separated by commas, for example `securityContext.runAsNonRoot, args`. */
  accept: 'zunlet.io/accept-unsupported',
} as const;

/** Reads one annotation; undefined when it is absent or blank. */
export function readAnnotation(pod: Pod, name: string): string | undefined {
  const value = pod.metadata.annotations?.[name];
  return typeof value === 'string' && value.trim() !== '' ? value.trim() : undefined;
}

/** Reads an annotation that is a list; empty when absent. */
export function readAnnotationList(pod: Pod, name: string): string[] {
  const value = readAnnotation(pod, name);
  if (value === undefined) return [];
  return value
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}

/** The security groups that a Pod asks for by annotation. */
export function securityGroups(pod: Pod): string[] {
  return readAnnotationList(pod, annotation.securityGroups);
}
