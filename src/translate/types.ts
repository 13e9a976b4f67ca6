import type { Note, Problem } from '../base/problem.ts';
import type { ConfigMap, PersistentVolume, PersistentVolumeClaim, Secret, Service } from '../kube/types.ts';
import type { Volume as CinderVolume } from '../openstack/cinder.ts';
import type { BackendName, CreateRequest } from '../openstack/types.ts';

/** Which driver runs the cloud's capsules; it decides what becomes of an image's ENTRYPOINT. Source: docs/zun.md. */
export type CapsuleDriver = 'docker' | 'cri';

/** Everything outside the Pod that its translation may read. Keyed by object name in the Pod's namespace; null means that it does not exist. */
export interface PodInputs {
  configMaps: Record<string, ConfigMap | null>;
  secrets: Record<string, Secret | null>;
  /** Services of the Pod's namespace and `default/kubernetes`, for the service variables. */
  services: Service[];
  persistentVolumeClaims: Record<string, PersistentVolumeClaim | null>;
  /** Keyed by volume name (cluster-wide). */
  persistentVolumes: Record<string, PersistentVolume | null>;
  /** Cinder volumes by id; null: there is none. What is not here is not known and not judged. */
  cinderVolumes?: Record<string, Pick<CinderVolume, 'status' | 'multiattach'> | null>;
  /** Service account tokens, keyed by `tokenKey(audience, expirationSeconds)`. */
  tokens: Record<string, string>;
  /** Uuids of Zun registries made for image pull secrets, keyed by secret name. */
  registries: Record<string, string>;
  /** The handler of the Pod's RuntimeClass; undefined without one, null when the class does not exist. */
  runtimeHandler?: string | null;
  node: {
    name: string;
    /** Primary first. */
    hostIPs: string[];
    /** Kubernetes quantities by resource name. */
    allocatable: Record<string, string>;
  };
}

/** What translation depends on beside the Pod and its inputs: the node, and what its cloud can do. */
export interface TranslateOptions {
  cluster: string;
  node: string;
  /** What Pods without an annotation or RuntimeClass get; `auto`: container where the Pod fits, else capsule. */
  backend: BackendName | 'auto';
  driver: CapsuleDriver;
  /**
   * `reject` refuses a Pod with a field that cannot be honoured; `warn` leaves out, and names in an Event, those that concern
   * neither security nor correctness (docs/reference/pod-support.md lists them). The rest only the Pod itself can accept, by
   * the annotation `zunlet.io/accept-unsupported`.
   */
  unsupported: 'reject' | 'warn';
  /** Whether init containers work on the cloud. */
  initContainers: boolean;
  /**
   * The image of a generated init container that writes ConfigMaps, Secrets and the like into Cinder volumes of a capsule; it
   * needs `sh` and `base64`. Used only where init containers work; without it such volumes are refused on capsules.
   */
  filesImage?: string;
  /** `volume`: an emptyDir becomes a Cinder volume that goes with the capsule; `reject`: refuse it. */
  emptyDir: 'volume' | 'reject';
  /** Replaces KUBERNETES_SERVICE_HOST and _PORT where capsules cannot reach the service network. */
  kubernetesServiceHost?: string;
  kubernetesServicePort?: number;
  clusterDomain: string;
  /** Addresses of the cluster's DNS servers, where containers can reach them. Container backend only: a capsule takes no files. */
  clusterDns?: string[];
  /** True when the node sets the security groups of a capsule's Neutron port after the create; otherwise asking for them is refused. */
  portSecurityGroups?: boolean;
  availabilityZone?: string;
  /** Zun's bounds for one container: the operator's `[DEFAULT] minimum/maximum_cpus`, `minimum/maximum_memory`. */
  limits: { minimumCpu: number; maximumCpu: number; minimumMemoryMiB: number; maximumMemoryMiB: number };
}

/** What became of a Pod: a request, or the problems that stand in its way. Never both. */
export interface Translation {
  backend: BackendName;
  request?: CreateRequest;
  /** Empty when there is a request. All of them at once. */
  problems: Problem[];
  /** One for each field present in the Pod, for `--explain`; those of level `warned` make the Pod's Event. */
  notes: Note[];
}

/** The objects that a Pod names, so that the caller can fetch them before it translates. */
export interface PodReferences {
  configMaps: string[];
  secrets: string[];
  imagePullSecrets: string[];
  persistentVolumeClaims: string[];
  tokens: { key: string; serviceAccount: string; audience: string; expirationSeconds: number }[];
  /** True when the namespace's services become variables (`enableServiceLinks`). */
  serviceLinks: boolean;
  runtimeClassName?: string;
}
