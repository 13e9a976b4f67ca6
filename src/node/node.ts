import type { Node, NodeCondition, NodeStatus } from '../kube/types.ts';
import { instanceAnnotation } from './reasons.ts';
import type { NodeFacts, NodeOptions } from './types.ts';

/** A Node before the API server gave it a uid. */
export type NewNode = Omit<Node, 'metadata'> & {
  metadata: { name: string; labels: Record<string, string>; annotations: Record<string, string> };
};

/**
 * Makes the Node to register. Taints and the operator's labels are in it because they are set at creation only.
 * Source: pkg/kubelet/kubelet_node_status.go (initialNode); the virtual-kubelet conventions for `type` and the taint.
 */
export function nodeObject(options: NodeOptions, instance: string, status: NodeStatus): NewNode {
  return {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: {
      name: options.name,
      labels: { ...options.labels, ...nodeLabels(options) },
      annotations: { ...options.annotations, [instanceAnnotation]: instance },
    },
    spec: { providerID: providerId(options), taints: options.taints },
    status,
  };
}

/** Where the node stands in the cloud. The scheme is foreign to every cloud controller on purpose: they keep such nodes. */
export function providerId(options: NodeOptions): string {
  return `zun://${options.region}/${options.name}`;
}

/** Makes the labels that the node sets itself, at creation and when it adopts an existing Node. */
export function nodeLabels(options: NodeOptions): Record<string, string> {
  return {
    'kubernetes.io/hostname': options.name,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/arch': options.architecture,
    'beta.kubernetes.io/os': 'linux',
    'beta.kubernetes.io/arch': options.architecture,
    'node.kubernetes.io/instance-type': options.instanceType,
    'beta.kubernetes.io/instance-type': options.instanceType,
    'topology.kubernetes.io/region': options.region,
    ...(options.zone !== undefined && { 'topology.kubernetes.io/zone': options.zone }),
    // Load balancers of the cloud would look for a server of this name, and fail for the whole Service.
    'node.kubernetes.io/exclude-from-external-load-balancers': 'true',
    type: 'virtual-kubelet',
    ...(options.roleLabel && { 'kubernetes.io/role': 'agent' }),
  };
}

/** Makes the complete status. Source: pkg/kubelet/nodestatus/setters.go. */
export function nodeStatus(options: NodeOptions, facts: NodeFacts, conditions: NodeCondition[]): NodeStatus {
  return {
    capacity: facts.resources.capacity,
    allocatable: facts.resources.allocatable,
    conditions,
    addresses: [
      ...options.internalIPs.map((address) => ({ type: 'InternalIP', address })),
      ...(options.hostname === undefined ? [] : [{ type: 'Hostname', address: options.hostname }]),
    ],
    // The capital P is Kubernetes' own.
    daemonEndpoints: { kubeletEndpoint: { Port: options.kubeletPort } },
    nodeInfo: {
      machineID: facts.machineId,
      systemUUID: facts.machineId,
      bootID: facts.bootId,
      kernelVersion: facts.kernelVersion,
      osImage: facts.osImage,
      containerRuntimeVersion: `zun://${facts.zunVersion}`,
      kubeletVersion: `${options.kubernetesVersion}-zunlet-${options.version}`,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: options.architecture,
    },
    ...(options.declaredFeatures.length > 0 && { declaredFeatures: [...options.declaredFeatures].sort() }),
  };
}
