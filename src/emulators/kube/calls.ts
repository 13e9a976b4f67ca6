import { findResource, type Resource } from './resources.ts';

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';

/** What a request on a resource asks for. */
export interface ResourceCall {
  verb: Verb;
  resource: Resource;
  /** Empty for objects of the whole cluster and for calls over all namespaces. */
  namespace: string;
  /** Empty for collections. */
  name: string;
  subresource: string;
  /** What follows the sub-resource, for `proxy`. */
  tail: string;
}

const byMethod: Record<string, [onObject: Verb, onCollection: Verb]> = {
  GET: ['get', 'list'],
  HEAD: ['get', 'list'],
  POST: ['create', 'create'],
  PUT: ['update', 'update'],
  PATCH: ['patch', 'patch'],
  DELETE: ['delete', 'deletecollection'],
};

/** Reads what a request is about from its path; undefined when it is not about a served resource. */
export function parseCall(method: string, path: string, query: URLSearchParams): ResourceCall | undefined {
  const parts = path
    .split('/')
    .filter((part) => part !== '')
    .map((part) => decodeURIComponent(part));
  const [root, ...rest] = parts;
  if (root === 'api') return callOf(method, query, { group: '', version: rest[0] ?? '' }, rest.slice(1));
  if (root === 'apis') return callOf(method, query, { group: rest[0] ?? '', version: rest[1] ?? '' }, rest.slice(2));
  return undefined;
}

function callOf(
  method: string,
  query: URLSearchParams,
  { group, version }: { group: string; version: string },
  path: string[],
): ResourceCall | undefined {
  const isInNamespace = path[0] === 'namespaces' && path.length > 2 && !['status', 'finalize'].includes(path[2] ?? '');
  const [plural, name = '', subresource = '', ...tail] = isInNamespace ? path.slice(2) : path;
  const resource = findResource(group, version, plural ?? '');
  const verbs = byMethod[method];
  if (!resource || !verbs || (isInNamespace && !resource.namespaced)) return undefined;
  const onWhat = verbs[name === '' ? 1 : 0];
  const isWatch = onWhat === 'list' && ['1', 'true'].includes(query.get('watch') ?? '');
  return {
    verb: isWatch ? 'watch' : onWhat,
    resource,
    namespace: isInNamespace ? (path[1] ?? '') : '',
    name,
    subresource,
    tail: tail.join('/'),
  };
}
