interface EventRow {
  type: 'Normal' | 'Warning' | 'either';
  about: 'Pod' | 'Node';
  meaning: string;
}

/** Every Event that zunlet sends, by reason. A test holds this table to the source. */
export const eventRows: Readonly<Record<string, EventRow>> = {
  Started: { type: 'Normal', about: 'Pod', meaning: 'All containers of the Pod have started, or one started again.' },
  Killing: { type: 'Normal', about: 'Pod', meaning: 'A container is restarted because a probe or hook asked for it.' },
  BackOff: { type: 'Warning', about: 'Pod', meaning: 'A container ends again and again; the next start waits.' },
  Failed: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A ConfigMap, Secret or key that an environment variable needs is missing, or a value cannot be carried.',
  },
  CreateContainerConfigError: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The same, as the reason of a Pod that was refused for it.',
  },
  InvalidImageName: { type: 'Warning', about: 'Pod', meaning: 'The image reference is none.' },
  FailedMount: { type: 'Warning', about: 'Pod', meaning: 'The source of a volume of files is missing.' },
  FailedAttachVolume: { type: 'Warning', about: 'Pod', meaning: 'A claim or a Cinder volume is not ready.' },
  FailedCreatePodSandBox: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'Zun refused the capsule, or could not be reached; the message says which.',
  },
  FailedKillPod: { type: 'Warning', about: 'Pod', meaning: 'Zun refused to delete the capsule; it is asked again.' },
  FieldsNotHonoured: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The Pod runs, but the fields named have no effect here.',
  },
  UnsupportedPodFeature: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The Pod was refused: a field that cannot be honoured here.',
  },
  NodeAffinity: { type: 'Warning', about: 'Pod', meaning: 'The node selector of the Pod does not fit the node.' },
  PodOSNotSupported: { type: 'Warning', about: 'Pod', meaning: 'The Pod wants another operating system than linux.' },
  PodOSSelectorNodeLabelDoesNotMatch: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The Pod selects another operating system by label.',
  },
  DaemonSetIgnored: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A Pod of a DaemonSet that tolerates everything; option daemonSetPods.',
  },
  OutOfQuota: { type: 'Warning', about: 'Pod', meaning: 'A limit of the project is reached; tried again each minute.' },
  OutOfcpu: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The Pod was bound past the CPU that the node offers (also memory, pods, …).',
  },
  CapsuleError: { type: 'Warning', about: 'Pod', meaning: 'Zun set the capsule to Error; the message has its reason.' },
  OutOfResources: { type: 'Warning', about: 'Pod', meaning: 'Zun found no host with room.' },
  ResizeInfeasible: {
    type: 'Warning',
    about: 'Pod',
    meaning:
      'cpu or memory of the Pod were changed while its capsule was in creation; the capsule keeps what it was made with.',
  },
  CapsuleAwaited: {
    type: 'Normal',
    about: 'Pod',
    meaning:
      'The Pod was there before this process: its capsule is made when none of the process before can appear any more.',
  },
  CapsuleGone: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The capsule of the Pod vanished; it is never started a second time in silence.',
  },
  CreateTimeout: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'The capsule was in creation for longer than option createTimeout.',
  },
  DeadlineExceeded: { type: 'Warning', about: 'Pod', meaning: 'The Pod ran longer than its activeDeadlineSeconds.' },
  ProbeFailed: { type: 'Warning', about: 'Pod', meaning: 'A liveness probe failed and the Pod must not restart.' },
  CrashLoopBackOff: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A capsule that failed is started anew with growing pauses.',
  },
  Unhealthy: { type: 'Warning', about: 'Pod', meaning: 'A probe failed.' },
  ProbeWarning: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A probe passed with a warning, such as a redirection to another host.',
  },
  FailedPostStartHook: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A postStart hook failed; the container is restarted.',
  },
  FailedPreStopHook: { type: 'Warning', about: 'Pod', meaning: 'A preStop hook failed; the Pod ends all the same.' },
  LifecycleHTTPFallback: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A hook asks for HTTPS of a server that speaks HTTP, and was sent without TLS; set its scheme to HTTP.',
  },
  FailedPodNetwork: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'Security groups or floating IP of the Neutron port could not be set.',
  },
  FloatingIPAssociated: { type: 'Normal', about: 'Pod', meaning: 'A floating IP leads to the Pod.' },
  SecurityGroupsSet: {
    type: 'Normal',
    about: 'Pod',
    meaning: 'The Neutron port has the security groups that the Pod asked for.',
  },
  FilesNotRefreshed: {
    type: 'Warning',
    about: 'Pod',
    meaning: 'A ConfigMap, Secret or token changed, and its file in the container could not be rewritten.',
  },
  TokenLeftOut: {
    type: 'Normal',
    about: 'Node',
    meaning:
      'The token of a ServiceAccount was not brought into a capsule, which cannot hold files; once for each account.',
  },
  Starting: { type: 'Normal', about: 'Node', meaning: 'zunlet has started and holds the Lease.' },
  NodeReady: { type: 'Normal', about: 'Node', meaning: 'The node works.' },
  NodeNotReady: {
    type: 'Normal',
    about: 'Node',
    meaning: 'Zun or Keystone have been out of reach for cloudDownAfter, or credentials are refused.',
  },
  NodeRegisteredAgain: {
    type: 'Warning',
    about: 'Node',
    meaning: 'Somebody deleted the Node object; it was made anew.',
  },
  ZunAPIUnavailable: { type: 'Warning', about: 'Node', meaning: 'Zun or Keystone do not answer. Pods are left alone.' },
  ZunAPIAvailable: { type: 'Normal', about: 'Node', meaning: 'They answer again.' },
};

/** Renders docs/reference/events.md. */
export function eventsPage(): string {
  const rows = Object.entries(eventRows).map(
    ([reason, { type, about, meaning }]) => `| \`${reason}\` | ${about} | ${type} | ${meaning} |\n`,
  );
  return `<!-- Generated from scripts/docs/events-page.ts by: node scripts/generate-docs.ts events -->

# Events

A Pod that starts well has one Event. Equal Events are counted, not repeated. \`kubectl describe pod\` and \`kubectl describe node\`
show them; they also stand in status and conditions where they matter, because Events are gone after an hour.

| Reason | About | Type | Meaning |
| --- | --- | --- | --- |
${rows.join('')}`;
}
