import { createDeletion, type DeleteOptions, type Removed } from './deletion.ts';
import {
  ApiFailure,
  alreadyExists,
  badRequest,
  conflict,
  type FieldCause,
  forbidden,
  invalid,
  modifiedMeanwhile,
  notFound,
  type Subject,
} from './failures.ts';
import { metadataCauses } from './metadata-validation.ts';
import {
  copyOf,
  finalizersOf,
  isDeleting,
  isObject,
  isSame,
  type Json,
  type JsonObject,
  type KubeObject,
  memberOf,
  namespaceOf,
  numberOf,
  textOf,
  timestamp,
} from './objects.ts';
import { groupVersionOf, type Resource, resourceNamed } from './resources.ts';
import type { ObjectStore } from './store.ts';
import { strategyOf } from './strategies.ts';
import type { Strategy, StrategyContext, User } from './strategy.ts';

/** One call on one object. */
export interface ObjectCall {
  resource: Resource;
  /** Empty for objects of the whole cluster. */
  namespace: string;
  name: string;
  user: User;
  /** Check everything, store nothing. */
  dryRun?: boolean;
}

export interface UpdateCall extends ObjectCall {
  /** `status` writes the status only; empty writes all but the status. Others write what `make` changed, without further rules. */
  subresource: string;
  /** Makes the wanted object from a copy of the stored one. */
  make(current: KubeObject): KubeObject;
  /** The body was a patch, which is refused in other words when it names another UID. */
  isPatch?: boolean;
  /** The object that a PUT to an unknown name creates. */
  orCreate?: KubeObject;
}

/** Creates, changes and deletes objects with the rules of the API server. */
export interface Registry {
  create(call: Omit<ObjectCall, 'name'>, object: KubeObject): KubeObject;
  /** Errors: 404. */
  read(call: Pick<ObjectCall, 'resource' | 'namespace' | 'name'>): KubeObject;
  update(call: UpdateCall): KubeObject;
  has(call: Pick<ObjectCall, 'resource' | 'namespace' | 'name'>): boolean;
  remove(call: ObjectCall, options: DeleteOptions): Removed;
}

export interface RegistryParts {
  store: ObjectStore;
  now(): number;
  newUid(): string;
  suffix(): string;
}

/** Makes the registry over a store. */
export function createRegistry(parts: RegistryParts): Registry {
  const { store } = parts;
  const deletion = createDeletion(parts);

  const contextOf = (user: User): StrategyContext => ({
    now: parts.now,
    suffix: parts.suffix,
    user,
    find: (resource, namespace, name) => store.get(resource.storage, namespace, name),
    list: (resource, namespace) => store.list(resource.storage, namespace),
  });

  function create(call: Omit<ObjectCall, 'name'>, given: KubeObject): KubeObject {
    const { resource } = call;
    const strategy = strategyOf(resource);
    const object = withIdentity(copyOf(given), call);
    checkNamespace(call, object.metadata.name);
    if (resource.hasStatus && strategy.keepsStatusOnCreate !== true) delete object['status'];
    if (strategy.hasGeneration) object.metadata['generation'] = 1;
    strategy.prepareCreate?.(object, contextOf(call.user));
    refuse(resource, object, [...metadataCauses(object, resource), ...(strategy.validate?.(object) ?? [])]);
    const { name } = object.metadata;
    if (store.get(resource.storage, namespaceOf(object), name)) throw alreadyExists(resource, name);
    return call.dryRun ? object : store.put(resource, object);
  }

  /** Gives a new object its name, uid and times, and takes away what only the server may set. */
  function withIdentity(object: KubeObject, call: Omit<ObjectCall, 'name'>): KubeObject {
    const { metadata } = object;
    const given = textOf(metadata['namespace']);
    if (call.resource.namespaced) {
      if (given !== '' && given !== call.namespace) {
        throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
      }
      metadata['namespace'] = call.namespace;
    } else delete metadata['namespace'];
    if (textOf(metadata['resourceVersion']) !== '') {
      throw new ApiFailure(500, '', 'resourceVersion should not be set on objects to be created');
    }
    const base = textOf(metadata['generateName']);
    if (textOf(metadata['name']) === '' && base !== '') metadata.name = `${base.slice(0, 58)}${parts.suffix()}`;
    for (const name of ['deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'managedFields', 'generation']) {
      delete metadata[name];
    }
    metadata.uid = parts.newUid();
    metadata.creationTimestamp = timestamp(parts.now());
    return object;
  }

  function checkNamespace(call: Omit<ObjectCall, 'name'>, name: string): void {
    if (!call.resource.namespaced) return;
    const namespaces = resourceNamed('namespaces');
    const found = store.get(namespaces.storage, '', call.namespace);
    if (!found) throw notFound(namespaces, call.namespace);
    if (isDeleting(found)) {
      const why = `unable to create new content in namespace ${call.namespace} because it is being terminated`;
      throw forbidden(call.resource, name, why);
    }
  }

  function read(call: Pick<ObjectCall, 'resource' | 'namespace' | 'name'>): KubeObject {
    const found = store.get(call.resource.storage, call.namespace, call.name);
    if (!found) throw notFound(call.resource, call.name);
    return found;
  }

  function update(call: UpdateCall): KubeObject {
    const { resource } = call;
    const strategy = strategyOf(resource);
    const current = store.get(resource.storage, call.namespace, call.name);
    if (!current) {
      if (strategy.createsOnUpdate && call.orCreate) return create(call, call.orCreate);
      throw notFound(resource, call.name);
    }
    const wanted = call.make(copyOf(current));
    checkIdentity(call, wanted, current, strategy);
    const object = merged(call, wanted, current, strategy);
    if (isSame(object, current)) return current;
    if (call.dryRun) return object;
    if (!deletion.isFinished(object)) return store.put(resource, object);
    store.remove(resource, current);
    return object;
  }

  /** Joins what the call may write with what it may not, and checks the result. */
  function merged(call: UpdateCall, wanted: KubeObject, current: KubeObject, strategy: Strategy): KubeObject {
    const { resource } = call;
    const object = withFixedMetadata(wanted, current);
    const context = contextOf(call.user);
    if (call.subresource === 'status') {
      const { status } = object;
      const rest = { ...copyOf(current), metadata: object.metadata };
      const next: KubeObject = status === undefined ? rest : { ...rest, status };
      if (current.metadata['ownerReferences']) next.metadata['ownerReferences'] = current.metadata['ownerReferences'];
      strategy.prepareStatus?.(next, current, context);
      refuse(resource, next, strategy.validateStatus?.(next, current) ?? []);
      return next;
    }
    if (call.subresource !== '') return withGeneration(object, current, strategy, call.subresource !== 'binding');
    if (resource.hasStatus) {
      if (current['status'] === undefined) delete object['status'];
      else object['status'] = copyOf(current['status']);
    }
    strategy.prepareUpdate?.(object, current, context);
    refuse(resource, object, [
      ...metadataCauses(object, resource),
      ...finalizerCauses(object, current),
      ...(strategy.validate?.(object) ?? []),
      ...(strategy.validateUpdate?.(object, current) ?? []),
    ]);
    return withGeneration(object, current, strategy, true);
  }

  return {
    create,
    read,
    update,
    remove: deletion.remove,
    has: ({ resource, namespace, name }) => store.get(resource.storage, namespace, name) !== undefined,
  };
}

/** What is being deleted gets no further finalizers. */
function finalizerCauses(object: KubeObject, current: KubeObject): FieldCause[] {
  const added = isDeleting(current) ? finalizersOf(object).filter((name) => !finalizersOf(current).includes(name)) : [];
  if (added.length === 0) return [];
  const found = `[]string{${added.map((name) => JSON.stringify(name)).join(', ')}}`;
  const message = `Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers ${found}`;
  return [{ reason: 'FieldValueForbidden', field: 'metadata.finalizers', message }];
}

/** Counts a change of the specification. A binding is none. */
function withGeneration(object: KubeObject, current: KubeObject, strategy: Strategy, counts: boolean): KubeObject {
  if (!counts || !strategy.hasGeneration || isSame(object['spec'], current['spec'])) return object;
  const generation = numberOf(current.metadata['generation']) + 1;
  return { ...object, metadata: { ...object.metadata, generation } };
}

function refuse(subject: Subject, object: KubeObject, causes: FieldCause[]): void {
  if (causes.length > 0) throw invalid(subject, object.metadata.name ?? '', causes);
}

function checkIdentity(call: UpdateCall, wanted: KubeObject, current: KubeObject, strategy: Strategy): void {
  const { resource, name } = call;
  const { metadata } = wanted;
  if (textOf(metadata['name']) !== name) {
    throw badRequest(
      `the name of the object (${textOf(metadata['name'])}) does not match the name on the URL (${name})`,
    );
  }
  if (resource.namespaced && ![call.namespace, ''].includes(textOf(metadata['namespace']))) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const uid = textOf(metadata['uid']);
  if (uid !== '' && uid !== current.metadata.uid) {
    if (call.isPatch) {
      const message = `Invalid value: "${uid}": field is immutable`;
      throw invalid(resource, name, [{ reason: 'FieldValueInvalid', field: 'metadata.uid', message }]);
    }
    const key = ['/registry', resource.plural, call.namespace, name].filter((part) => part !== '').join('/');
    const why = `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`;
    throw conflict(resource, name, why);
  }
  const version = textOf(metadata['resourceVersion']);
  if (version === '' && strategy.needsVersion) {
    const message = 'Invalid value: 0: must be specified for an update';
    throw invalid({ ...resource, kind: resource.plural }, name, [
      { reason: 'FieldValueInvalid', field: 'metadata.resourceVersion', message },
    ]);
  }
  if (version !== '' && version !== '0' && version !== current.metadata.resourceVersion) {
    throw conflict(resource, name, modifiedMeanwhile);
  }
}

const fixed = [
  'uid',
  'creationTimestamp',
  'resourceVersion',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
];

function withFixedMetadata(wanted: KubeObject, current: KubeObject): KubeObject {
  const metadata: JsonObject = { ...wanted.metadata };
  for (const name of [...fixed, 'generateName', 'namespace', 'selfLink', 'managedFields']) {
    const value: Json | undefined = current.metadata[name];
    if (value === undefined) delete metadata[name];
    else metadata[name] = value;
  }
  for (const name of ['labels', 'annotations', 'finalizers', 'ownerReferences']) {
    const value = metadata[name];
    const isEmpty = value === null || (isObject(value) && Object.keys(value).length === 0);
    if (isEmpty || (Array.isArray(value) && value.length === 0)) delete metadata[name];
  }
  // The members that the type demands were copied just above.
  return {
    ...wanted,
    apiVersion: current.apiVersion,
    kind: current.kind,
    metadata: metadata as KubeObject['metadata'],
  };
}

/**
 * Makes an object of what a client sent: an object of the expected kind with metadata.
 * Errors: 400.
 */
export function decodeObject(body: Json, resource: Resource): KubeObject {
  if (!isObject(body)) throw badRequest('the object provided is unrecognized: it must be a JSON object');
  const apiVersion = textOf(body['apiVersion']) || groupVersionOf(resource);
  const kind = textOf(body['kind']) || resource.kind;
  if (apiVersion !== groupVersionOf(resource) || kind !== resource.kind) {
    const version = groupVersionOf(resource);
    throw badRequest(
      apiVersion === version
        ? `${kind} in version "${version}" cannot be handled as a ${resource.kind}: converting (${version}.${kind}) to (core.${resource.kind}): unknown conversion`
        : `the API version in the data (${apiVersion}) does not match the expected API version (${version})`,
    );
  }
  memberOf(body, 'metadata');
  // The registry fills in the metadata that the type demands before it stores the object.
  return { ...body, apiVersion, kind } as KubeObject;
}
