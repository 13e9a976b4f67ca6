/**
 * Labels on every capsule that zunlet makes. They are half of its memory (the other half is the Pod's own status), so
 * they are a wire format: never change the meaning of a key.
 */
export const ownerLabel = {
  cluster: 'zunlet.io/cluster',
  node: 'zunlet.io/node',
  namespace: 'zunlet.io/namespace',
  pod: 'zunlet.io/pod',
  uid: 'zunlet.io/uid',
} as const;

/** The environment variable that marks each container of a capsule with its Pod container's name: Zun renames containers. */
export const containerNameVariable = 'ZUNLET_CONTAINER';

/** Prefix of every container id in a Pod's status: `zun://<uuid>`. */
export const containerIdScheme = 'zun://';

/** The Pod that a capsule belongs to. */
export interface Owner {
  cluster: string;
  node: string;
  namespace: string;
  pod: string;
  uid: string;
}

/** Makes the labels that say whose a capsule is. */
export function ownerLabels(owner: Owner): Record<string, string> {
  return {
    [ownerLabel.cluster]: owner.cluster,
    [ownerLabel.node]: owner.node,
    [ownerLabel.namespace]: owner.namespace,
    [ownerLabel.pod]: owner.pod,
    [ownerLabel.uid]: owner.uid,
  };
}

/** Reads whose a capsule is; undefined when any part is missing, so that a foreign capsule is never taken for ours. */
export function readOwner(labels: Record<string, string> | null | undefined): Owner | undefined {
  const cluster = labels?.[ownerLabel.cluster];
  const node = labels?.[ownerLabel.node];
  const namespace = labels?.[ownerLabel.namespace];
  const pod = labels?.[ownerLabel.pod];
  const uid = labels?.[ownerLabel.uid];
  if (!cluster || !node || !namespace || !pod || !uid) return undefined;
  return { cluster, node, namespace, pod, uid };
}

/** Tells whether an owner is a Pod of this cluster on this node. */
export function isOurs(owner: Owner, cluster: string, node: string): boolean {
  return owner.cluster === cluster && owner.node === node;
}
