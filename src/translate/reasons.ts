/** Reasons of Pods that are refused or wait: the kubelet's own where one exists. */
export const podReason = {
  /** A field that can never be honoured here. */
  unsupported: 'UnsupportedPodFeature',
  /** A missing ConfigMap, Secret or key of an environment variable; a value that cannot be carried. */
  config: 'CreateContainerConfigError',
  /** An image reference that is not one. */
  imageName: 'InvalidImageName',
  /** A missing source of a volume of files. */
  mount: 'FailedMount',
  /** A claim or a Cinder volume that is not ready. */
  attach: 'FailedAttachVolume',
  nodeAffinity: 'NodeAffinity',
  os: 'PodOSNotSupported',
  osLabel: 'PodOSSelectorNodeLabelDoesNotMatch',
  daemonSet: 'DaemonSetIgnored',
} as const;

/** The admission reason of a resource that does not suffice: `OutOfcpu`. */
export function outOf(resource: string): string {
  return `OutOf${resource}`;
}
