/**
 * Reasons in container states. The kubelet's own where it has one, so that people and dashboards know them.
 * Source: Kubernetes pkg/kubelet/images/types.go, pkg/kubelet/container/sync_result.go.
 */
export const containerReason = {
  creating: 'ContainerCreating',
  initializing: 'PodInitializing',
  errImagePull: 'ErrImagePull',
  configError: 'CreateContainerConfigError',
  createError: 'CreateContainerError',
  crashLoop: 'CrashLoopBackOff',
  completed: 'Completed',
  error: 'Error',
  cannotRun: 'ContainerCannotRun',
  unknown: 'ContainerStatusUnknown',
} as const;

/** Reasons in Pod conditions; the last five are ours. Source: Kubernetes pkg/kubelet/status/generate.go. */
export const conditionReason = {
  notReady: 'ContainersNotReady',
  notInitialized: 'ContainersNotInitialized',
  unknownStatuses: 'UnknownContainerStatuses',
  completed: 'PodCompleted',
  failed: 'PodFailed',
  gatesNotReady: 'ReadinessGatesNotReady',
  terminatedByNode: 'TerminationByKubelet',
  infeasible: 'Infeasible',
  statusFrozen: 'CapsuleStatusFrozen',
  capsuleExists: 'CapsuleExists',
  capsuleGone: 'CapsuleGone',
  startFailed: 'CapsuleStartFailed',
  replaced: 'CapsuleReplaced',
} as const;

/** Reasons of a Pod that failed for a cause of its capsule. Ours: the kubelet has no word for these. */
export const podReason = {
  capsuleError: 'CapsuleError',
  outOfResources: 'OutOfResources',
} as const;

/** The exit code that stands for "not known", as the kubelet uses it. */
export const unknownExitCode = 137;

/** What the kubelet says of a container that it cannot find at the end of its Pod. */
export const lostMessage = 'The container could not be located when the pod was terminated';

/** What the kubelet says of the earlier run of a container that was replaced unseen. */
export const lostBeforeRestartMessage =
  'The container could not be located when the pod was deleted.  The container used to be Running';
