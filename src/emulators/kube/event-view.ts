import {
  dropEmpty,
  isObject,
  type JsonObject,
  type KubeObject,
  microTime,
  numberOf,
  objectOf,
  textOf,
} from './objects.ts';
import { groupVersionOf, type Resource } from './resources.ts';

/** Shows a stored core Event as one of `events.k8s.io/v1`; other objects, and core Events, stay as they are. */
export function showAs(object: KubeObject, resource: Resource): KubeObject {
  if (resource.storage !== 'events' || resource.group === '') return object;
  const { involvedObject, message, source, firstTimestamp, lastTimestamp, count, reportingComponent, ...rest } = object;
  const shown: KubeObject = {
    ...rest,
    apiVersion: groupVersionOf(resource),
    kind: object.kind,
    metadata: object.metadata,
    regarding: involvedObject ?? {},
    note: message ?? '',
    deprecatedSource: source ?? {},
    deprecatedFirstTimestamp: firstTimestamp ?? null,
    deprecatedLastTimestamp: lastTimestamp ?? null,
  };
  if (count !== undefined) shown['deprecatedCount'] = count;
  if (textOf(reportingComponent) !== '') shown['reportingController'] = textOf(reportingComponent);
  dropEmpty(shown, 'reportingInstance');
  return shown;
}

/** Turns an Event of `events.k8s.io/v1` into the form in which Events are stored. */
export function storedForm(object: KubeObject, resource: Resource): KubeObject {
  if (resource.storage !== 'events' || resource.group === '') return object;
  const {
    regarding,
    note,
    reportingController,
    deprecatedSource,
    deprecatedFirstTimestamp,
    deprecatedLastTimestamp,
    deprecatedCount,
    ...rest
  } = object;
  const stored: KubeObject = {
    ...rest,
    apiVersion: 'v1',
    kind: object.kind,
    metadata: object.metadata,
    involvedObject: objectOf(regarding),
    message: textOf(note),
    reportingComponent: textOf(reportingController),
    source: objectOf(deprecatedSource),
    firstTimestamp: deprecatedFirstTimestamp ?? null,
    lastTimestamp: deprecatedLastTimestamp ?? null,
  };
  if (deprecatedCount !== undefined) stored['count'] = numberOf(deprecatedCount);
  return stored;
}

/** Makes an Event as the control plane's own components write them. */
export function controlPlaneEvent(init: {
  about: KubeObject;
  component: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  now: number;
  suffix: string;
}): JsonObject {
  const { about, component, now } = init;
  const namespace = textOf(about.metadata['namespace']) || 'default';
  const time = `${new Date(now).toISOString().slice(0, 19)}Z`;
  return {
    apiVersion: 'v1',
    kind: 'Event',
    metadata: { name: `${about.metadata.name}.${init.suffix}`, namespace },
    involvedObject: {
      kind: about.kind,
      apiVersion: about.apiVersion,
      name: about.metadata.name,
      uid: about.metadata.uid,
      resourceVersion: about.metadata.resourceVersion,
      ...(isObject(about.metadata) && about.metadata['namespace'] !== undefined && { namespace }),
    },
    type: init.type,
    reason: init.reason,
    message: init.message,
    source: { component },
    reportingComponent: component,
    reportingInstance: '',
    firstTimestamp: time,
    lastTimestamp: time,
    eventTime: component === 'default-scheduler' ? microTime(now) : null,
    count: 1,
  };
}
