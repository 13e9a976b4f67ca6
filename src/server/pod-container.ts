import { containerIdScheme } from '../base/identity.ts';
import type { Container, ContainerStatus, Pod } from '../kube/types.ts';
import type { Capsule, ZunContainer } from '../openstack/types.ts';
import type { CapsuleReader, PodReader } from '../sync/ports.ts';
import { isRefusal, type Refusal } from './log-options.ts';
import type { ContainerTarget } from './runtime.ts';

/** What the lookups need. */
export interface PodSources {
  pods: PodReader;
  capsules: CapsuleReader;
  /** Pairs a Pod's container names with a capsule's members. */
  members: (pod: Pod, capsule: Capsule) => Map<string, ZunContainer>;
}

/** Finds a Pod by name, and by UID where the path has one. */
export function findPod(
  sources: PodSources,
  where: { namespace: string; pod: string; uid?: string | undefined },
  notFound: string,
): Pod | Refusal {
  const pod = sources.pods.byName(where.namespace, where.pod);
  if (!pod || (where.uid !== undefined && pod.metadata.uid !== where.uid)) return { status: 404, text: notFound };
  return pod;
}

/** All containers of a Pod, of every kind. */
export function containerSpecs(pod: Pod): Pick<Container, 'name' | 'stdin' | 'tty'>[] {
  return [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...(pod.spec.ephemeralContainers ?? [])];
}

/** The stored status of one container. */
export function containerStatus(pod: Pod, name: string): ContainerStatus | undefined {
  const { status } = pod;
  const all = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return all.find((entry) => entry.name === name);
}

/** A container to run something in, as the cloud knows it now. */
export function execTarget(sources: PodSources, pod: Pod, name: string): ContainerTarget | Refusal {
  const missing = { status: 404, text: `container not found ("${name}")` };
  for (const capsule of sources.capsules.ofPod(pod.metadata.uid)) {
    const member = sources.members(pod, capsule).get(name);
    if (!member) continue;
    if (containerStatus(pod, name)?.state?.terminated) return missing;
    return { backend: capsule.backend, capsule: capsule.uuid, container: member.uuid };
  }
  return missing;
}

/** Whose log is meant, and until when for an earlier run of the same container. */
export interface LogTarget {
  target: ContainerTarget;
  /** True when the container is known to have ended. */
  hasEnded: boolean;
  /** Lines up to this time belong to the run that is meant. */
  endedAt?: string;
}

/** Finds which run of a container a log request means. Source: pkg/kubelet/kubelet_pods.go (validateContainerLogStatus). */
export function logTarget(
  sources: PodSources,
  pod: Pod,
  asked: { name: string; previous: boolean },
): LogTarget | Refusal {
  const run = chooseRun(pod, asked);
  if (isRefusal(run)) return run;
  const capsules = sources.capsules.ofPod(pod.metadata.uid);
  const holds = (capsule: Capsule): boolean =>
    [...capsule.init_containers, ...capsule.containers].some((container) => container.uuid === run.container);
  const capsule = capsules.find(holds);
  const target = {
    // A capsule that has gone takes its kind with it; only standalone containers have logs to look for.
    backend: capsule?.backend ?? 'container',
    capsule: capsule?.uuid ?? run.container,
    container: run.container,
  };
  return { target, hasEnded: run.hasEnded, ...(run.endedAt !== undefined && { endedAt: run.endedAt }) };
}

function chooseRun(
  pod: Pod,
  asked: { name: string; previous: boolean },
): { container: string; hasEnded: boolean; endedAt?: string } | Refusal {
  const subject = `container "${asked.name}" in pod "${pod.metadata.name}"`;
  const refuse = (text: string): Refusal => ({ status: 400, text });
  const status = containerStatus(pod, asked.name);
  if (!status) return refuse(`${subject} is not available`);
  const { state, lastState } = status;
  const last = uuidOf(lastState?.terminated?.containerID);
  if (asked.previous) {
    if (last === undefined) return refuse(`previous terminated ${subject} not found`);
    const isSame = last === uuidOf(status.containerID) && !state?.terminated;
    const endedAt = lastState?.terminated?.finishedAt;
    return { container: last, hasEnded: true, ...(isSame && endedAt !== undefined && { endedAt }) };
  }
  if (state?.running) {
    const container = uuidOf(status.containerID);
    return container === undefined ? refuse(`${subject} is not available`) : { container, hasEnded: false };
  }
  const ended = uuidOf(state?.terminated?.containerID) ?? last;
  if (ended !== undefined) return { container: ended, hasEnded: true };
  if (state?.terminated) return refuse(`${subject} is terminated`);
  if (!state?.waiting) return refuse(`${subject} is waiting to start - no logs yet`);
  const { reason = '' } = state.waiting;
  if (reason === 'ErrImagePull') return refuse(`${subject} is waiting to start: image can't be pulled`);
  if (reason === 'ImagePullBackOff') {
    return refuse(`${subject} is waiting to start: trying and failing to pull image`);
  }
  return refuse(`${subject} is waiting to start: ${reason}`);
}

function uuidOf(containerId: string | undefined): string | undefined {
  if (!containerId?.startsWith(containerIdScheme)) return undefined;
  return containerId.slice(containerIdScheme.length) || undefined;
}
