import type { Container, Pod, PodSpec, Probe, Volume } from '../../kube/types.ts';
import { isObject, type JsonObject, type KubeObject, objectOf, timestamp } from './objects.ts';

/** Reads an object that is known to be a Pod as one; validation has seen the parts that are used. */
export function asPod(object: KubeObject): Pod {
  // The registry stores what clients sent; the Pod type is the promise of the Pod validation.
  return object as unknown as Pod;
}

type AnyContainer = Partial<Container> & { name: string };

/**
 * Fills in what the API server fills in for a Pod specification.
 * Source: pkg/apis/core/v1/defaults.go of Kubernetes, by its effect.
 */
export function defaultPodSpec(spec: PodSpec): void {
  spec.restartPolicy ??= 'Always';
  spec.dnsPolicy ??= 'ClusterFirst';
  spec.schedulerName ||= 'default-scheduler';
  spec.securityContext ??= {};
  spec.terminationGracePeriodSeconds ??= 30;
  if (spec.terminationGracePeriodSeconds < 0) spec.terminationGracePeriodSeconds = 1;
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName;
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    defaultContainer(container, spec.hostNetwork === true);
  }
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container, false);
  for (const volume of spec.volumes ?? []) defaultVolume(volume);
}

function defaultContainer(container: AnyContainer, isHostNetwork: boolean): void {
  container.imagePullPolicy ??= tagOf(container.image ?? '') === 'latest' ? 'Always' : 'IfNotPresent';
  container.terminationMessagePath ||= '/dev/termination-log';
  container.terminationMessagePolicy ??= 'File';
  container.resources ??= {};
  const { limits, requests } = container.resources;
  if (limits && Object.keys(limits).length > 0) container.resources.requests = { ...limits, ...requests };
  for (const port of container.ports ?? []) {
    port.protocol ??= 'TCP';
    if (isHostNetwork && port.hostPort === undefined) port.hostPort = port.containerPort;
  }
  for (const variable of container.env ?? []) {
    if (variable.value === '') delete variable.value;
    const reference = variable.valueFrom?.fieldRef;
    if (reference) reference.apiVersion ||= 'v1';
  }
  for (const probe of [container.livenessProbe, container.readinessProbe, container.startupProbe]) {
    if (probe) defaultProbe(probe);
  }
  for (const handler of [container.lifecycle?.postStart, container.lifecycle?.preStop]) {
    if (handler?.httpGet) defaultHttpGet(handler.httpGet);
  }
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1;
  probe.periodSeconds ||= 10;
  probe.successThreshold ||= 1;
  probe.failureThreshold ||= 3;
  if (probe.httpGet) defaultHttpGet(probe.httpGet);
  if (probe.grpc) probe.grpc.service ??= '';
}

function defaultHttpGet(action: { path?: string; scheme?: string }): void {
  action.path ||= '/';
  action.scheme ||= 'HTTP';
}

/** The tag of an image reference; `latest` when it has neither tag nor digest. */
function tagOf(image: string): string {
  if (image.includes('@')) return '';
  const last = image.slice(image.lastIndexOf('/') + 1);
  const colon = last.indexOf(':');
  return colon < 0 ? 'latest' : last.slice(colon + 1);
}

function defaultVolume(volume: Volume): void {
  const sources = Object.keys(volume).filter((name) => name !== 'name');
  if (sources.length === 0) volume.emptyDir = {};
  if (volume.secret) volume.secret.defaultMode ??= 420;
  if (volume.configMap) volume.configMap.defaultMode ??= 420;
  if (volume.downwardAPI) volume.downwardAPI.defaultMode ??= 420;
  if (volume.hostPath) volume.hostPath.type ??= '';
  for (const item of volume.downwardAPI?.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1';
  if (volume.projected) {
    volume.projected.defaultMode ??= 420;
    for (const source of volume.projected.sources ?? []) {
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600;
      for (const item of source.downwardAPI?.items ?? []) if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1';
    }
  }
}

const qosResources = ['cpu', 'memory'] as const;

/** Names the quality of service class. Source: Kubernetes "Pod Quality of Service Classes". */
export function qosClass(spec: PodSpec): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const all = [...(spec.initContainers ?? []), ...(spec.containers ?? [])];
  const parts = spec.resources ? [{ resources: spec.resources }] : all;
  const isSet = (value: string | undefined) => value !== undefined && !/^0+[a-zA-Z]*$/.test(value);
  const mentions = parts.some(({ resources }) =>
    qosResources.some((name) => isSet(resources?.limits?.[name]) || isSet(resources?.requests?.[name])),
  );
  if (!mentions) return 'BestEffort';
  const isGuaranteed = parts.every(({ resources }) =>
    qosResources.every((name) => {
      const limit = resources?.limits?.[name];
      return isSet(limit) && (resources?.requests?.[name] ?? limit) === limit;
    }),
  );
  return isGuaranteed ? 'Guaranteed' : 'Burstable';
}

/** Cuts a time to whole seconds, in UTC; leaves what is no time alone. */
export function wholeSeconds(text: string): string {
  const ms = Date.parse(text);
  return Number.isNaN(ms) ? text : timestamp(ms);
}

const timeMembers = new Set([
  'startedAt',
  'finishedAt',
  'startTime',
  'lastProbeTime',
  'lastTransitionTime',
  'lastHeartbeatTime',
]);

/** Cuts all times of a status to whole seconds, as the API server's decoder does. */
export function normalizeTimes(object: JsonObject): void {
  for (const [name, value] of Object.entries(object)) {
    if (typeof value === 'string') {
      if (timeMembers.has(name)) object[name] = wholeSeconds(value);
    } else if (Array.isArray(value)) {
      for (const item of value) normalizeTimes(objectOf(item));
    } else if (value !== null && typeof value === 'object') normalizeTimes(value);
  }
}

/** Brings a Pod status into the form in which the API server shows it: members that are always there, whole seconds. */
export function normalizePodStatus(status: JsonObject): void {
  for (const condition of list(status, 'conditions')) {
    condition['lastProbeTime'] ??= null;
    condition['lastTransitionTime'] ??= null;
  }
  for (const name of ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses']) {
    for (const container of list(status, name)) {
      container['state'] ??= {};
      container['lastState'] ??= {};
      container['ready'] ??= false;
      container['restartCount'] ??= 0;
      container['image'] ??= '';
      container['imageID'] ??= '';
      for (const state of [container['state'], container['lastState']]) normalizeState(objectOf(state));
    }
  }
  normalizeTimes(status);
  for (const [name, value] of Object.entries(status)) {
    if (value === null || value === '' || (Array.isArray(value) && value.length === 0)) delete status[name];
  }
}

/** The members of a container's state that have no value are shown all the same. */
function normalizeState(state: JsonObject): void {
  const { terminated, running } = state;
  if (isObject(running)) running['startedAt'] ??= null;
  if (!isObject(terminated)) return;
  terminated['exitCode'] ??= 0;
  terminated['startedAt'] ??= null;
  terminated['finishedAt'] ??= null;
}

function list(object: JsonObject, name: string): JsonObject[] {
  const value = object[name];
  return Array.isArray(value) ? value.map(objectOf).filter((item) => Object.keys(item).length > 0) : [];
}
