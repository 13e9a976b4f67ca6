import type { ServerResponse } from 'node:http';
import { type Apply, managerOf } from './apply.ts';
import type { DeleteOptions } from './deletion.ts';
import { showAs, storedForm } from './event-view.ts';
import { badRequest, methodNotAllowed, notFound, pathNotFound, unsupportedMediaType } from './failures.ts';
import type { Lists } from './lists.ts';
import { mergeShape } from './merge-keys.ts';
import { isObject, type Json, type JsonObject, type KubeObject, namespaceOf } from './objects.ts';
import { jsonPatch, mergePatch } from './patch.ts';
import { decodeObject, type Registry, type UpdateCall } from './registry.ts';
import type { Representations } from './representations.ts';
import type { Answer, ApiRequest, ResourceHandler } from './server.ts';
import { strategicMergePatch } from './strategic-merge.ts';
import { strategyOf } from './strategies.ts';
import type { Watches } from './watches.ts';

/** Answers the calls on one sub-resource; `undefined` when it does not know it. */
export type SubresourceHandler = (
  request: ApiRequest,
  response: ServerResponse,
) => Promise<Answer | 'streamed'> | Answer | 'streamed' | undefined;

export interface ResourceApiParts {
  registry: Registry;
  lists: Lists;
  watches: Watches;
  representations: Representations;
  applied: Apply;
  /** Reviews and sub-resources other than `status`. */
  special: SubresourceHandler;
}

/** Makes the handler of all calls on resources. */
export function createResourceApi(parts: ResourceApiParts): ResourceHandler {
  const { registry, lists, watches, representations } = parts;

  const scope = ({ call }: ApiRequest) => ({ resource: call.resource, namespace: call.namespace });
  const target = (request: ApiRequest) => ({
    ...scope(request),
    name: request.call.name,
    user: request.user,
    dryRun: isDryRun(request.query),
  });
  const allOrOne = ({ call }: ApiRequest) => (call.namespace === '' ? undefined : call.namespace);

  function answer(status: number, object: KubeObject, { call, accept, query }: ApiRequest): Answer {
    return { status, body: representations.one(object, call.resource, accept, query) };
  }

  function create(request: ApiRequest): Answer {
    const { call, body } = request;
    if (call.name !== '') throw methodNotAllowed();
    if (call.resource.namespaced && call.namespace === '') throw methodNotAllowed();
    const object = storedForm(decodeObject(body.json(), call.resource), call.resource);
    return answer(201, registry.create(target(request), object), request);
  }

  function update(request: ApiRequest, make: UpdateCall['make'], orCreate?: KubeObject): Answer {
    const { call } = request;
    const isNew = !registry.has(target(request));
    const stored = registry.update({
      ...target(request),
      subresource: call.subresource,
      make,
      isPatch: call.verb === 'patch',
      ...(orCreate !== undefined && { orCreate }),
    });
    return answer(isNew ? 201 : 200, stored, request);
  }

  function replace(request: ApiRequest): Answer {
    const { call, body } = request;
    const object = storedForm(decodeObject(body.json(), call.resource), call.resource);
    return update(request, () => object, object);
  }

  /** Server-side apply: creates what is not there, merges into what is. */
  function apply(request: ApiRequest): Answer {
    const { call, query } = request;
    const manager = managerOf(query);
    const config = withoutManagedFields(decodeObject(request.body.json(), call.resource));
    const isNew = !registry.has(target(request));
    if (isNew && call.subresource !== '') throw notFound(call.resource, call.name);
    const stored = isNew
      ? registry.create(target(request), config)
      : registry.update({
          ...target(request),
          subresource: call.subresource,
          isPatch: true,
          make: (current) => decodeObject(parts.applied.merge(current, config, manager), call.resource),
        });
    if (!isDryRun(query)) parts.applied.remember(stored.metadata.uid, manager, config);
    return answer(isNew ? 201 : 200, stored, request);
  }

  function patch(request: ApiRequest): Answer {
    const { call, body } = request;
    if (body.contentType === 'application/apply-patch+yaml') return apply(request);
    const patched = patchOf(body.contentType, body.json());
    return update(request, (current) => {
      const shown = showAs(current, call.resource);
      return storedForm(decodeObject(patched(shown), call.resource), call.resource);
    });
  }

  function remove(request: ApiRequest): Answer {
    const { call } = request;
    const { object, isGone } = registry.remove(target(request), deleteOptions(request));
    if (strategyOf(call.resource).returnsDeleted || !isGone) return answer(200, object, request);
    return { status: 200, body: success(call.resource.group, call.resource.plural, object) };
  }

  function removeAll(request: ApiRequest): Answer {
    const { call, query, accept } = request;
    const options = deleteOptions(request);
    const page = lists.page(call.resource, allOrOne(request), query);
    for (const object of page.objects) {
      registry.remove({ ...target(request), namespace: namespaceOf(object), name: object.metadata.name }, options);
    }
    return { status: 200, body: representations.list(page, call.resource, accept, query) };
  }

  function watch(request: ApiRequest, response: ServerResponse): 'streamed' {
    const { call, query, accept } = request;
    const scoped = call.name === '' ? query : withName(query, call.name);
    watches.serve(
      {
        resource: call.resource,
        namespace: allOrOne(request),
        query: scoped,
        show: representations.shown(call.resource, accept, query),
        contentType: 'application/json',
      },
      response,
    );
    return 'streamed';
  }

  return (request, response) => {
    const { call, query, accept } = request;
    if (call.resource.isReview || !['', 'status'].includes(call.subresource)) {
      const special = parts.special(request, response);
      if (special === undefined) throw pathNotFound();
      return special;
    }
    if (call.subresource === 'status' && !call.resource.hasStatus) throw pathNotFound();
    switch (call.verb) {
      case 'get':
        return answer(200, registry.read({ ...scope(request), name: call.name }), request);
      case 'list': {
        const page = lists.page(call.resource, allOrOne(request), query);
        return { status: 200, body: representations.list(page, call.resource, accept, query) };
      }
      case 'watch':
        return watch(request, response);
      case 'create':
        return create(request);
      case 'update':
        return replace(request);
      case 'patch':
        return patch(request);
      case 'delete':
        if (call.subresource !== '') throw methodNotAllowed();
        return remove(request);
      case 'deletecollection':
        return removeAll(request);
      default:
        return call.verb satisfies never;
    }
  };
}

function withName(query: URLSearchParams, name: string): URLSearchParams {
  const scoped = new URLSearchParams(query);
  scoped.set('fieldSelector', `metadata.name=${name}`);
  return scoped;
}

function withoutManagedFields(config: KubeObject): KubeObject {
  const { managedFields: _managedFields, ...metadata } = config.metadata;
  // What an applied configuration lacks of the metadata, the registry fills in.
  return { ...config, metadata: metadata as KubeObject['metadata'] };
}

function isDryRun(query: URLSearchParams): boolean {
  return query.get('dryRun') === 'All';
}

/** Makes the function that applies a patch. Errors: 400, 415. */
export function patchOf(contentType: string, patch: Json): (current: KubeObject) => Json {
  switch (contentType) {
    case 'application/json-patch+json':
      return (current) => jsonPatch(current, patch);
    case 'application/merge-patch+json':
      return (current) => mergePatch(current, patch);
    case 'application/strategic-merge-patch+json':
      if (!isObject(patch)) throw badRequest('error decoding patch: a strategic merge patch is an object');
      return (current) => strategicMergePatch(current, patch, mergeShape(current.kind));
    default:
      throw unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
      );
  }
}

/** Reads the options of a DELETE from its body and its query. Errors: 400. */
export function deleteOptions({ body, query }: Pick<ApiRequest, 'body' | 'query'>): DeleteOptions {
  const given = body.text === '' ? {} : body.json();
  if (!isObject(given)) throw badRequest('the delete options must be an object');
  // Checked member by member below; what is wrong is refused or left out.
  const fromBody = given as unknown as DeleteOptions;
  const options: DeleteOptions = {};
  const grace = fromBody.gracePeriodSeconds ?? numberIn(query, 'gracePeriodSeconds');
  if (grace !== undefined && !Number.isInteger(grace)) throw badRequest('gracePeriodSeconds must be a whole number');
  if (grace !== undefined && grace !== null) options.gracePeriodSeconds = grace;
  if (isObject(given['preconditions'])) options.preconditions = fromBody.preconditions ?? {};
  const policy = fromBody.propagationPolicy ?? query.get('propagationPolicy') ?? undefined;
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') options.propagationPolicy = policy;
  else if (given['orphanDependents'] === true) options.propagationPolicy = 'Orphan';
  return options;
}

function numberIn(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  return text === null || text === '' ? undefined : Number(text);
}

function success(group: string, plural: string, object: KubeObject): JsonObject {
  const { name, uid } = object.metadata;
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name, ...(group !== '' && { group }), kind: plural, uid },
  };
}
