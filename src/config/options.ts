import {
  addressesType,
  booleanType,
  durationType,
  enumType,
  integerType,
  mapType,
  numberType,
  type OptionSpec,
  option,
  quantityType,
  stringType,
} from './option-types.ts';

/**
 * The option table. It alone makes the parser, `--help`, the reference page, the JSON schema and the check of the chart's
 * values. A key `nodeName` is `--node-name` on the command line, `ZUNLET_NODE_NAME` in the environment and `nodeName` in
 * a file. Durations are milliseconds once parsed.
 */
export const options = {
  nodeName: option({
    group: 'Node',
    type: stringType,
    default: 'zunlet',
    doc: 'Name of the Node object. Two processes with one name never work at the same time.',
  }),
  nodeAddresses: option({
    group: 'Node',
    type: addressesType,
    default: [],
    doc: 'Addresses under which the API server reaches the kubelet API, and the host IP of every Pod; primary first. Empty: the address of the interface that the default route uses.',
  }),
  nodeLabels: option({
    group: 'Node',
    type: mapType,
    default: {},
    doc: 'Further labels for a Node that zunlet creates.',
  }),
  nodeTaint: option({
    group: 'Node',
    type: stringType,
    default: 'virtual-kubelet.io/provider=zun:NoSchedule',
    doc: 'Taint that keeps other Pods away, set when the Node is created. Empty: none.',
  }),
  nodeRoleLabel: option({
    group: 'Node',
    type: booleanType,
    default: true,
    doc: 'Sets the label kubernetes.io/role=agent, which kubectl shows as ROLES. Switch it off for a genuine node identity, which may not set it.',
  }),
  instanceType: option({
    group: 'Node',
    type: stringType,
    default: 'zun',
    doc: 'Value of the label node.kubernetes.io/instance-type.',
  }),
  zone: option({
    group: 'Node',
    type: stringType,
    default: '',
    doc: 'Value of the label topology.kubernetes.io/zone. Empty: the availability zone, or none.',
  }),
  cpu: option({
    group: 'Node',
    type: quantityType,
    default: '32',
    doc: 'CPU that the Node offers. Zun has no truthful source for it, so it is stated here.',
  }),
  memory: option({ group: 'Node', type: quantityType, default: '128Gi', doc: 'Memory that the Node offers.' }),
  pods: option({ group: 'Node', type: quantityType, default: '110', doc: 'How many Pods the Node offers to run.' }),
  ephemeralStorage: option({
    group: 'Node',
    type: quantityType,
    default: '1000Gi',
    doc: 'Ephemeral storage that the Node offers.',
  }),
  kubernetesVersion: option({
    group: 'Node',
    type: stringType,
    default: 'v1.35.0',
    doc: 'Version of the kubelet contract that the Node reports; never newer than the API server.',
  }),
  architecture: option({
    group: 'Node',
    type: enumType('amd64', 'arm64'),
    default: 'amd64',
    doc: 'Architecture of the computes behind Zun.',
  }),

  kubeconfig: option({
    group: 'Kubernetes',
    type: stringType,
    default: '',
    doc: 'Path of a kubeconfig. Empty: the cluster that zunlet runs in, else KUBECONFIG, else the default path.',
  }),
  kubeContext: option({
    group: 'Kubernetes',
    type: stringType,
    default: '',
    doc: 'Context of the kubeconfig. Empty: the current one.',
  }),
  clusterId: option({
    group: 'Kubernetes',
    type: stringType,
    default: '',
    doc: 'Identity of the cluster, written on every capsule. Empty: the UID of the namespace kube-system.',
  }),
  kubeQps: option({
    group: 'Kubernetes',
    type: numberType(0, 10_000),
    default: 500,
    doc: 'Calls a second to the API server on average; 0 switches the limit off. The API server has its own fairness.',
  }),
  kubeBurst: option({
    group: 'Kubernetes',
    type: integerType(1, 10_000),
    default: 1000,
    doc: 'Calls to the API server at once.',
  }),
  clusterDomain: option({
    group: 'Kubernetes',
    type: stringType,
    default: 'cluster.local',
    doc: 'DNS domain of the cluster.',
  }),
  clusterDns: option({
    group: 'Kubernetes',
    type: addressesType,
    default: [],
    doc: 'Addresses of the cluster DNS for /etc/resolv.conf of standalone containers, where they can reach it. Empty: the resolver of their network.',
  }),
  kubernetesServiceHost: option({
    group: 'Kubernetes',
    type: stringType,
    default: '',
    doc: 'Replaces KUBERNETES_SERVICE_HOST in Pods, where capsules cannot reach the service network.',
  }),
  kubernetesServicePort: option({
    group: 'Kubernetes',
    type: integerType(0, 65_535),
    default: 0,
    doc: 'Replaces KUBERNETES_SERVICE_PORT in Pods; 0 leaves it.',
  }),

  cloud: option({
    group: 'OpenStack',
    type: stringType,
    default: '',
    doc: 'Name of the cloud in clouds.yaml. Empty: OS_CLOUD, else OS_* variables.',
  }),
  capsuleDriver: option({
    group: 'OpenStack',
    type: enumType('docker', 'cri'),
    default: 'docker',
    doc: "The cloud's capsule driver (Zun's [DEFAULT] capsule_driver). It decides what becomes of an image's ENTRYPOINT.",
  }),
  availabilityZone: option({
    group: 'OpenStack',
    type: stringType,
    default: '',
    doc: 'Availability zone for capsules. Empty: any.',
  }),
  minimumCpu: option({
    group: 'OpenStack',
    type: numberType(0, 1000),
    default: 0.1,
    doc: "Least CPU of a container, in cores (Zun's minimum_cpus).",
  }),
  maximumCpu: option({
    group: 'OpenStack',
    type: numberType(0, 10_000),
    default: 16,
    doc: "Most CPU of a container, in cores (Zun's maximum_cpus).",
  }),
  minimumMemoryMiB: option({
    group: 'OpenStack',
    type: integerType(0, 1_000_000),
    default: 4,
    doc: "Least memory of a container, in MiB (Zun's minimum_memory).",
  }),
  maximumMemoryMiB: option({
    group: 'OpenStack',
    type: integerType(1, 100_000_000),
    default: 8192,
    doc: "Most memory of a container, in MiB (Zun's maximum_memory).",
  }),
  zunConnections: option({
    group: 'OpenStack',
    type: integerType(1, 1000),
    default: 48,
    doc: 'Connections to Zun at once.',
  }),

  backend: option({
    group: 'Pods',
    type: enumType('capsule', 'container', 'auto'),
    default: 'capsule',
    doc: 'What a Pod becomes: a capsule, a standalone container (one container, no init containers), or a container where the Pod fits and else a capsule. A Pod chooses for itself by the annotation zunlet.io/backend or its RuntimeClass.',
  }),
  unsupported: option({
    group: 'Pods',
    type: enumType('reject', 'warn'),
    default: 'reject',
    doc: 'What happens to fields that the cloud cannot honour and that concern neither security nor, for certain, correctness: the Pod is refused, or runs and an Event names them. The others only the Pod itself can accept, by the annotation zunlet.io/accept-unsupported.',
  }),
  initContainers: option({
    group: 'Pods',
    type: enumType('reject', 'allow'),
    default: 'reject',
    doc: 'Whether init containers work on this cloud. They are broken in Zun with tenacity 8 or newer; zunlet check --probe tells.',
  }),
  filesImage: option({
    group: 'Pods',
    type: stringType,
    default: '',
    doc: 'Image of a generated init container that brings ConfigMaps, Secrets and the like into capsules, each as a Cinder volume of 1 GiB; it needs sh and base64, for example busybox:1.36. Works only with initContainers allowed. Empty: such volumes are refused on capsules.',
  }),
  emptyDir: option({
    group: 'Pods',
    type: enumType('volume', 'reject'),
    default: 'volume',
    doc: 'An emptyDir becomes a Cinder volume that goes with the capsule, or is refused.',
  }),
  daemonSetPods: option({
    group: 'Pods',
    type: enumType('ignore', 'reject', 'run'),
    default: 'ignore',
    doc: 'Pods of DaemonSets that tolerate everything: left Pending with a reason, refused, or run.',
  }),
  freeEnded: option({
    group: 'Pods',
    type: booleanType,
    default: false,
    doc: 'Frees the capsule of a Pod that has ended at once, and not only when the Pod is deleted. The last MiB of a container’s log is kept as long as this process runs.',
  }),
  probes: option({
    group: 'Pods',
    type: booleanType,
    default: true,
    doc: 'Runs readiness, liveness and startup probes from this process; it must reach the Pod IPs.',
  }),

  settle: option({
    group: 'Timing',
    type: durationType,
    default: 60_000,
    doc: 'How long a call to Zun without an answer may still take effect. Longer than any proxy between here and Zun holds a request.',
  }),
  relist: option({
    group: 'Timing',
    type: durationType,
    default: 60_000,
    doc: 'Between full lists of capsules while nothing happens.',
  }),
  live: option({
    group: 'Timing',
    type: durationType,
    default: 10_000,
    doc: 'Between reads of a running standalone container.',
  }),
  redelete: option({
    group: 'Timing',
    type: durationType,
    default: 180_000,
    doc: 'After how long a deletion that had no effect is asked again.',
  }),
  createTimeout: option({
    group: 'Timing',
    type: durationType,
    default: 1_800_000,
    doc: 'How long a capsule may be in creation before the Pod fails.',
  }),
  cloudDownAfter: option({
    group: 'Timing',
    type: durationType,
    default: 300_000,
    doc: 'How long Zun or Keystone may be out of reach before the Node says Ready=False. Kubernetes evicts Pods 300 s after that.',
  }),
  orphanFuseShare: option({
    group: 'Timing',
    type: numberType(0, 1),
    default: 0.5,
    doc: "A sweep that would delete more than this share of the node's capsules as orphans stops and reports.",
  }),
  concurrency: option({ group: 'Timing', type: integerType(1, 1000), default: 48, doc: 'Pods worked on at once.' }),

  kubeletPort: option({
    group: 'Kubelet API',
    type: integerType(0, 65_535),
    default: 10_250,
    doc: 'Port of the kubelet API; 0 picks a free one.',
  }),
  kubeletApi: option({
    group: 'Kubelet API',
    type: booleanType,
    default: true,
    doc: 'Serves the kubelet API: logs, exec, attach, port-forward, metrics.',
  }),
  insecureKubeletApi: option({
    group: 'Kubelet API',
    type: booleanType,
    default: false,
    doc: 'Serves the kubelet API to everybody, without any authentication. For experiments on a closed machine only.',
  }),
  clientCaFile: option({
    group: 'Kubelet API',
    type: stringType,
    default: '',
    doc: 'CA of client certificates. Empty: the ConfigMap kube-system/extension-apiserver-authentication.',
  }),
  servingCertificate: option({
    group: 'Kubelet API',
    type: enumType('csr', 'self-signed', 'files'),
    default: 'self-signed',
    doc: 'Where the serving certificate comes from: a CertificateSigningRequest that somebody approves, this process, or files.',
  }),
  approveOwnCsr: option({
    group: 'Kubelet API',
    type: booleanType,
    default: false,
    doc: 'Approves its own CertificateSigningRequest, where its rights allow. Such a right allows a certificate for any node name.',
  }),
  tlsCertFile: option({
    group: 'Kubelet API',
    type: stringType,
    default: '',
    doc: 'Serving certificate, PEM; reloaded when it changes.',
  }),
  tlsKeyFile: option({
    group: 'Kubelet API',
    type: stringType,
    default: '',
    doc: 'Key of the serving certificate, PEM.',
  }),

  healthAddress: option({
    group: 'Operation',
    type: stringType,
    default: '127.0.0.1:10248',
    doc: 'host:port of plain /healthz and /metrics for probes of this process; empty: none.',
  }),
  logLevel: option({
    group: 'Operation',
    type: enumType('debug', 'info', 'warn', 'error'),
    default: 'info',
    doc: 'A calm cluster logs nothing at info.',
  }),
  logFormat: option({
    group: 'Operation',
    type: enumType('json', 'text'),
    default: 'json',
    doc: 'One JSON object a line, or text for people.',
  }),
} as const;

export type OptionKey = keyof typeof options;

/** The values that a process runs with. */
export type Options = {
  [K in OptionKey]: (typeof options)[K] extends OptionSpec<infer T> ? T : never;
};

/** `nodeName` → `node-name`. */
export function flagOf(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`).replace('mi-b', 'mib');
}

/** `nodeName` → `ZUNLET_NODE_NAME`. */
export function envOf(key: string): string {
  return `ZUNLET_${flagOf(key).replaceAll('-', '_').toUpperCase()}`;
}
