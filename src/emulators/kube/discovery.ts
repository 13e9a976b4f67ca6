import type { JsonObject } from './objects.ts';
import { groupVersionOf, type Resource, resources } from './resources.ts';

const allVerbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const streamed = new Set(['attach', 'exec', 'portforward', 'proxy']);

/** The verbs of a sub-resource. */
function subresourceVerbs(subresource: string): string[] {
  if (streamed.has(subresource)) return ['create', 'get'];
  if (subresource === 'log') return ['get'];
  if (subresource === 'finalize') return ['update'];
  return ['binding', 'eviction', 'token'].includes(subresource) ? ['create'] : ['get', 'patch', 'update'];
}

function subresourceKind(resource: Resource, subresource: string): { kind: string; group?: string; version?: string } {
  switch (subresource) {
    case 'attach':
    case 'exec':
    case 'portforward':
    case 'proxy':
      return { kind: `${resource.kind}${subresource === 'portforward' ? 'PortForward' : titled(subresource)}Options` };
    case 'binding':
      return { kind: 'Binding' };
    case 'eviction':
      return { kind: 'Eviction', group: 'policy', version: 'v1' };
    case 'token':
      return { kind: 'TokenRequest', group: 'authentication.k8s.io', version: 'v1' };
    case 'scale':
      return { kind: 'Scale', group: 'autoscaling', version: 'v1' };
    default:
      return { kind: resource.kind };
  }
}

const titled = (text: string) => text.slice(0, 1).toUpperCase() + text.slice(1);

function subresourcesOf(resource: Resource): string[] {
  return [...resource.subresources, ...(resource.hasStatus ? ['status'] : [])].sort();
}

function groupsInOrder(): string[] {
  return [...new Set(resources.map((one) => groupVersionOf(one)))];
}

/** Answers the discovery paths; undefined for any other path. `isAggregated` when the client asked for one document. */
export function discovery(path: string, isAggregated: boolean): JsonObject | undefined {
  const clean = path.replace(/\/$/, '');
  if (clean === '/api') return isAggregated ? aggregated((groupVersion) => groupVersion === 'v1') : coreVersions();
  if (clean === '/apis') return isAggregated ? aggregated((groupVersion) => groupVersion !== 'v1') : groupList();
  const single = /^\/apis\/([^/]+)$/.exec(clean)?.[1];
  if (single) return groups().find((group) => group['name'] === single);
  const groupVersion = /^\/api\/(v1)$/.exec(clean)?.[1] ?? /^\/apis\/([^/]+\/[^/]+)$/.exec(clean)?.[1];
  if (!groupVersion || !groupsInOrder().includes(groupVersion)) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: resources.filter((one) => groupVersionOf(one) === groupVersion).flatMap(plainEntries),
  };
}

function coreVersions(): JsonObject {
  return { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
}

function groups(): JsonObject[] {
  return groupsInOrder()
    .filter((groupVersion) => groupVersion !== 'v1')
    .map((groupVersion) => {
      const [name = '', version = ''] = groupVersion.split('/');
      const preferredVersion = { groupVersion, version };
      return { name, versions: [preferredVersion], preferredVersion };
    });
}

function groupList(): JsonObject {
  return { kind: 'APIGroupList', apiVersion: 'v1', groups: groups() };
}

function plainEntries(resource: Resource): JsonObject[] {
  const { plural, singular, namespaced, kind, shortNames, categories } = resource;
  const entry: JsonObject = {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs: resource.isReview ? ['create'] : allVerbs,
  };
  if (shortNames.length > 0) entry['shortNames'] = shortNames;
  if (categories.length > 0) entry['categories'] = categories;
  const subs = subresourcesOf(resource).map(
    (subresource): JsonObject => ({
      name: `${plural}/${subresource}`,
      singularName: '',
      namespaced,
      ...subresourceKind(resource, subresource),
      verbs: subresourceVerbs(subresource),
    }),
  );
  return [entry, ...subs];
}

function aggregated(isWanted: (groupVersion: string) => boolean): JsonObject {
  const items = groupsInOrder()
    .filter(isWanted)
    .map((groupVersion): JsonObject => {
      const [group = '', version] = groupVersion.split('/');
      const members = resources.filter((one) => groupVersionOf(one) === groupVersion);
      return {
        metadata: { name: version === undefined ? '' : group, creationTimestamp: null },
        versions: [{ version: version ?? group, resources: members.map(aggregatedEntry), freshness: 'Current' }],
      };
    });
  return { kind: 'APIGroupDiscoveryList', apiVersion: 'apidiscovery.k8s.io/v2', metadata: {}, items };
}

function aggregatedEntry(one: Resource): JsonObject {
  const entry: JsonObject = {
    resource: one.plural,
    responseKind: { group: one.group, version: one.version, kind: one.kind },
    scope: one.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: one.singular,
    verbs: one.isReview ? ['create'] : allVerbs,
  };
  if (one.shortNames.length > 0) entry['shortNames'] = one.shortNames;
  if (one.categories.length > 0) entry['categories'] = one.categories;
  const subs = subresourcesOf(one);
  if (subs.length > 0) {
    entry['subresources'] = subs.map((subresource): JsonObject => {
      const { kind, group = one.group, version = one.version } = subresourceKind(one, subresource);
      return { subresource, responseKind: { group, version, kind }, verbs: subresourceVerbs(subresource) };
    });
  }
  return entry;
}

/**
 * Answers `/openapi/v3` and its documents as far as kubectl reads them before it lets the server check the fields:
 * which kinds can be written with `fieldValidation`. Undefined for any other path.
 */
export function openApi(path: string): JsonObject | undefined {
  if (path === '/openapi/v3') {
    const paths: JsonObject = {};
    for (const groupVersion of groupsInOrder()) {
      const key = groupVersion === 'v1' ? 'api/v1' : `apis/${groupVersion}`;
      paths[key] = { serverRelativeURL: `/openapi/v3/${key}?hash=${key.length}` };
    }
    return { paths };
  }
  const groupVersion = /^\/openapi\/v3\/(?:api|apis)\/(.+)$/.exec(path)?.[1];
  if (!groupVersion || !groupsInOrder().includes(groupVersion)) return undefined;
  return openApiDocument(groupVersion);
}

function openApiDocument(groupVersion: string): JsonObject {
  const root = groupVersion === 'v1' ? '/api/v1' : `/apis/${groupVersion}`;
  const paths: JsonObject = {};
  for (const one of resources) {
    if (groupVersionOf(one) !== groupVersion || one.isReview) continue;
    const collection = one.namespaced ? `${root}/namespaces/{namespace}/${one.plural}` : `${root}/${one.plural}`;
    const operation = {
      parameters: [{ name: 'fieldValidation', in: 'query', schema: { type: 'string', uniqueItems: true } }],
      responses: { '200': { description: 'OK' } },
      'x-kubernetes-group-version-kind': { group: one.group, version: one.version, kind: one.kind },
    };
    paths[collection] = { post: { ...operation, 'x-kubernetes-action': 'post' } };
    paths[`${collection}/{name}`] = {
      put: { ...operation, 'x-kubernetes-action': 'put' },
      patch: { ...operation, 'x-kubernetes-action': 'patch' },
    };
  }
  return { openapi: '3.0.0', info: { title: 'Kubernetes', version: 'emulated' }, paths };
}
