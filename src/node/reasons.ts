/** Reasons of Events about the Node; the kubelet's own where it has one. Source: pkg/kubelet/events/event.go. */
export const nodeEvent = {
  starting: 'Starting',
  registeredAgain: 'NodeRegisteredAgain',
  cloudUnavailable: 'ZunAPIUnavailable',
  cloudAvailable: 'ZunAPIAvailable',
} as const;

/** The condition that says whether Zun answers; it changes at once, while Ready waits. */
export const cloudCondition = 'ZunAPIAvailable';

/** Who runs the Node: on its Lease it decides, on the Node itself it informs. */
export const instanceAnnotation = 'zunlet.io/instance';
