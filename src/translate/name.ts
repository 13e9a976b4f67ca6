import type { Pod } from '../kube/types.ts';

/** Zun makes container names of a capsule's name; longer ones overflow its column. Source: docs/zun.md. */
const maximumLength = 236;

function clean(text: string): string {
  return text.replace(/[^a-zA-Z0-9_.-]/g, '-');
}

/**
 * Names the capsule of a Pod: namespace, name and the start of the UID. It is for people only; the labels say whose a capsule
 * is. The UID keeps recreated Pods apart, and keeps the name from ending like a file (`.json`) or looking like a UUID, which
 * zun's router would take for something else.
 */
export function capsuleName(pod: Pod): string {
  const { namespace, name, uid } = pod.metadata;
  const suffix = `-${clean(uid).replace(/[-_.]/g, '').slice(0, 8)}`;
  const stem = `pod-${clean(namespace)}-${clean(name)}`;
  return `${stem.slice(0, maximumLength - suffix.length)}${suffix}`;
}
