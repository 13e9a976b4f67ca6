/**
 * A reason why a Pod cannot be started as it is, returned by the pure core in place of a throw.
 * All problems of a Pod are found at once.
 */
export interface Problem {
  /** The field, as a user would write it: `spec.containers[0].env[2].valueFrom`. */
  path: string;
  /** A stable dotted name: `pod.host-network`. */
  code: string;
  /** One sentence for a person, lower case, no full stop; says what to use instead where there is something. */
  message: string;
  /** True when time or somebody else's action may heal it (a Secret that is still missing); false when only another Pod would do. */
  heals: boolean;
  /** The kubelet's waiting reason or the admission reason, for example `CreateContainerConfigError` or `OutOfcpu`. */
  reason?: string;
  /** The container concerned, where it is one. */
  container?: string;
}

/** Something a user should hear about although the Pod runs: a field that was left out or changed. */
export interface Note {
  path: string;
  code: string;
  message: string;
  /** `defaulted` and `ignored` are for `--explain` only; `warned` goes into the Pod's Event. */
  level: 'mapped' | 'defaulted' | 'ignored' | 'warned';
}
