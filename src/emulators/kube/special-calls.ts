import { badRequest, conflict, forbidden, invalid, methodNotAllowed, notFound } from './failures.ts';
import type { Identities } from './identities.ts';
import {
  at,
  isObject,
  type JsonObject,
  type KubeObject,
  listOf,
  memberOf,
  numberOf,
  objectsOf,
  textOf,
  timestamp,
} from './objects.ts';
import { asPod, defaultPodSpec } from './pod-defaults.ts';
import { decodeObject, type Registry } from './registry.ts';
import type { ResourceApiParts } from './resource-api.ts';
import { deleteOptions, patchOf } from './resource-api.ts';
import { resourceNamed } from './resources.ts';
import { type AccessQuestion, review } from './reviews.ts';
import type { Answer, ApiRequest } from './server.ts';

export interface SpecialParts {
  registry: Registry;
  identities: Identities;
  now(): number;
  authorize(question: AccessQuestion): string | undefined;
  /** Carries log, exec, attach and port-forward to the node's kubelet. */
  proxy: ResourceApiParts['special'];
}

const pods = resourceNamed('pods');

/** Makes the handler of reviews and of sub-resources other than `status`. */
export function createSpecialCalls(parts: SpecialParts): ResourceApiParts['special'] {
  const { registry } = parts;
  const target = ({ call, user }: ApiRequest) => ({
    resource: call.resource,
    namespace: call.namespace,
    name: call.name,
    user,
  });

  function answerReview(request: ApiRequest): Answer {
    if (request.call.verb !== 'create') throw methodNotAllowed();
    if (request.call.resource.kind === 'Binding')
      return bind(request, textOf(at(request.body.json(), 'metadata', 'name')));
    const object = decodeObject(request.body.json(), request.call.resource);
    return { status: 201, body: review(object, request.user, parts) };
  }

  function bind(request: ApiRequest, name: string): Answer {
    const body = request.body.json();
    if (textOf(at(body, 'metadata', 'name')) !== name)
      throw badRequest('name in URL does not match name in Binding object');
    const node = textOf(at(body, 'target', 'name'));
    bindPod(parts, { namespace: request.call.namespace, name, node });
    return { status: 201, body: created() };
  }

  function evict(request: ApiRequest): Answer {
    const given = request.body.json();
    const options = isObject(given) && isObject(given['deleteOptions']) ? given['deleteOptions'] : {};
    const body = { ...request.body, text: JSON.stringify(options), json: () => options };
    registry.remove({ ...target(request), resource: pods }, deleteOptions({ body, query: request.query }));
    return { status: 201, body: created() };
  }

  function token(request: ApiRequest): Answer {
    const account = registry.read(target(request));
    const body = decodeTokenRequest(request);
    const seconds = numberOf(at(body, 'spec', 'expirationSeconds')) || 3600;
    if (seconds < 600) {
      const message = `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`;
      throw invalid({ plural: '', group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', [
        { reason: 'FieldValueInvalid', field: 'spec.expirationSeconds', message },
      ]);
    }
    const { namespace, name } = request.call;
    const expires = parts.now() + seconds * 1000;
    const user = {
      name: `system:serviceaccount:${namespace}:${name}`,
      uid: account.metadata.uid,
      groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    };
    const status = { token: parts.identities.issue(user, expires), expirationTimestamp: timestamp(expires) };
    return { status: 201, body: { ...body, status } };
  }

  function scale(request: ApiRequest): Answer {
    const { call, body } = request;
    const current = registry.read(target(request));
    if (call.verb === 'get') return { status: 200, body: scaleOf(current) };
    const wanted = call.verb === 'patch' ? patchOf(body.contentType, body.json())(scaleOf(current)) : body.json();
    const replicas = numberOf(at(wanted, 'spec', 'replicas'));
    const stored = registry.update({
      ...target(request),
      subresource: '',
      make(object) {
        memberOf(object, 'spec')['replicas'] = replicas;
        return object;
      },
    });
    return { status: 200, body: scaleOf(stored) };
  }

  /** Adds ephemeral containers, finalizes namespaces, approves requests: writes that go round the ordinary rules. */
  function write(request: ApiRequest, allowed: (wanted: KubeObject, current: KubeObject) => KubeObject): Answer {
    const { call, body } = request;
    if (call.verb === 'get') return { status: 200, body: registry.read(target(request)) };
    if (call.verb !== 'update' && call.verb !== 'patch') throw methodNotAllowed();
    const stored = registry.update({
      ...target(request),
      subresource: call.subresource,
      make(current) {
        const wanted = call.verb === 'patch' ? patchOf(body.contentType, body.json())(current) : body.json();
        return allowed(decodeObject(wanted, call.resource), current);
      },
    });
    return { status: 200, body: stored };
  }

  return (request, response) => {
    const { call } = request;
    if (call.resource.isReview) return answerReview(request);
    switch (`${call.resource.plural}/${call.subresource}`) {
      case 'pods/binding':
        return bind(request, call.name);
      case 'pods/eviction':
        return evict(request);
      case 'pods/ephemeralcontainers':
        return write(request, (wanted, current) => {
          memberOf(current, 'spec')['ephemeralContainers'] = listOf(at(wanted, 'spec', 'ephemeralContainers'));
          defaultPodSpec(asPod(current).spec);
          return current;
        });
      case 'serviceaccounts/token':
        return token(request);
      case 'namespaces/finalize':
        return write(request, (wanted, current) => {
          current['spec'] = isObject(wanted['spec']) ? wanted['spec'] : {};
          return current;
        });
      case 'certificatesigningrequests/approval':
        return write(request, (wanted, current) => {
          memberOf(current, 'status')['conditions'] = listOf(at(wanted, 'status', 'conditions'));
          return current;
        });
      case 'deployments/scale':
      case 'replicasets/scale':
      case 'statefulsets/scale':
        return scale(request);
      default:
        return parts.proxy(request, response);
    }
  };
}

/** Gives a Pod its node. Errors: 404, 409 when it has one already. */
export function bindPod(
  parts: Pick<SpecialParts, 'registry' | 'now'>,
  binding: { namespace: string; name: string; node: string },
): KubeObject {
  if (binding.node === '') throw badRequest('target.name: Required value');
  return parts.registry.update({
    resource: pods,
    namespace: binding.namespace,
    name: binding.name,
    user: { name: 'system:kube-scheduler', groups: [] },
    subresource: 'binding',
    make(pod) {
      const spec = memberOf(pod, 'spec');
      const bound = textOf(spec['nodeName']);
      if (bound !== '')
        throw conflict(
          { ...pods, plural: 'pods/binding' },
          binding.name,
          `pod ${binding.name} is already assigned to node "${bound}"`,
        );
      if (pod.metadata['deletionTimestamp'] !== undefined) throw notFound(pods, binding.name);
      if (objectsOf(spec['schedulingGates']).length > 0) {
        throw forbidden(pods, binding.name, 'pod has non-empty .spec.schedulingGates');
      }
      spec['nodeName'] = binding.node;
      const status = memberOf(pod, 'status');
      const others = objectsOf(status['conditions']).filter((one) => one['type'] !== 'PodScheduled');
      const condition = {
        type: 'PodScheduled',
        status: 'True',
        lastProbeTime: null,
        lastTransitionTime: timestamp(parts.now()),
      };
      status['conditions'] = [...others, condition];
      return pod;
    },
  });
}

function decodeTokenRequest(request: ApiRequest): JsonObject {
  const body = request.body.json();
  if (!isObject(body)) throw badRequest('a TokenRequest is an object');
  return { ...body, kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1' };
}

function created(): JsonObject {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 };
}

function scaleOf(object: KubeObject): KubeObject {
  const { name, uid, resourceVersion, creationTimestamp } = object.metadata;
  const labels = Object.entries(at(object, 'spec', 'selector', 'matchLabels') ?? {});
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace: textOf(object.metadata['namespace']), uid, resourceVersion, creationTimestamp },
    spec: { replicas: numberOf(at(object, 'spec', 'replicas')) },
    status: {
      replicas: numberOf(at(object, 'status', 'replicas')),
      selector: labels.map(([key, value]) => `${key}=${String(value)}`).join(','),
    },
  };
}
