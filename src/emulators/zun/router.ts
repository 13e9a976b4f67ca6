import { randomUUID } from 'node:crypto';
import type { Answer, Call } from '../service.ts';
import { createCapsule, deleteCapsule, listCapsules, showCapsule } from './capsules.ts';
import { containerResource } from './containers.ts';
import {
  answerForError,
  BareError,
  internal,
  keystoneDownAnswer,
  routerAnswer,
  unauthorizedAnswer,
  ZunError,
} from './errors.ts';
import { otherResources } from './other-endpoints.ts';
import { headerOf, readParameters, withoutExtension } from './parameters.ts';
import type { Caller } from './request.ts';
import type { ZunState } from './state.ts';
import { healthDocument, rootDocument, v1Document } from './version-documents.ts';
import { negotiateVersion, versionHeaders } from './versions.ts';

/** A handler of one resource; `rest` is the path behind its name. Undefined: there is no such route. */
export type Resource = (
  zun: ZunState,
  call: Call,
  caller: Caller,
  rest: string[],
) => Answer | Promise<Answer> | undefined;

const resources: Record<string, Resource> = {
  capsules: capsuleResource,
  containers: containerResource,
  ...otherResources,
};

/** Names a call for counters and faults: `capsule.list`, `container.logs`. */
export function operationName(method: string, path: string): string {
  const segments = segmentsOf(path);
  const [collection, ident, action] = segments;
  if (collection === undefined) return 'version.get';
  const noun = collection.replace(/ies$/, 'y').replace(/s$/, '');
  if (action !== undefined) return `${noun}.${action}`;
  const verbs: Record<string, string> =
    ident === undefined ? { GET: 'list', POST: 'create' } : { GET: 'get', PATCH: 'update' };
  return `${noun}.${verbs[method] ?? method.toLowerCase()}`;
}

/** Answers a call on Zun's API: who asks, in which version, then the resource (docs/zun.md §1). */
export async function handleCall(zun: ZunState, call: Call): Promise<Answer> {
  const requestId = `req-${randomUUID()}`;
  const answer = await answerCall(zun, call, requestId);
  const isBare = answer.status === 500 && answer.text === '';
  if (isBare) return answer;
  return { ...answer, headers: { 'x-openstack-request-id': requestId, ...answer.headers } };
}

async function answerCall(zun: ZunState, call: Call, requestId: string): Promise<Answer> {
  const path = call.path.replace(/\/+$/, '');
  const { maxMinor } = zun.options;
  if (call.method === 'GET' && path === '') return { status: 200, json: rootDocument(call.root, maxMinor) };
  if (call.method === 'GET' && path === '/healthcheck') return { status: 200, json: healthDocument };
  if (call.method === 'GET' && path === '/v1') {
    return { status: 200, json: v1Document(call.root), headers: versionHeaders(1, maxMinor) };
  }
  const info = zun.options.identity(headerOf(call, 'x-auth-token'));
  if (info === 'down') return keystoneDownAnswer();
  if (!info) return unauthorizedAnswer(zun.options.keystoneUrl());
  const [name = '', ...rest] = segmentsOf(call.path);
  const resource = Object.hasOwn(resources, name) ? resources[name] : undefined;
  if (!resource) return routerAnswer(404, headerOf(call, 'accept'));
  if (call.method === 'HEAD') return { status: 405, json: { errors: [] } };
  let minor: number;
  try {
    minor = negotiateVersion(headerOf(call, 'openstack-api-version'), zun.isFaithful, maxMinor);
  } catch (error) {
    return answerForError(error);
  }
  const caller: Caller = {
    userId: info.userId,
    projectId: info.projectId ?? `user:${info.userId}`,
    isAdmin: info.roles.includes('admin'),
    minor,
    requestId,
  };
  if (!caller.isAdmin && zun.memberProject === '') zun.memberProject = caller.projectId;
  try {
    const answer = (await resource(zun, call, caller, rest)) ?? routerAnswer(404, headerOf(call, 'accept'));
    return isFromRouter(answer)
      ? answer
      : { ...answer, headers: { ...versionHeaders(minor, maxMinor), ...answer.headers } };
  } catch (error) {
    const answer = answerForError(error);
    const hasNoVersion = error instanceof BareError || (error instanceof ZunError && error.status === 406);
    return hasNoVersion ? answer : { ...answer, headers: { ...versionHeaders(minor, maxMinor), ...answer.headers } };
  }
}

/** No controller was reached: nobody added the headers of a version. */
function isFromRouter(answer: Answer): boolean {
  return answer.status === 404 || answer.status === 405;
}

/** The segments of a path behind an optional `/v1`. */
function segmentsOf(path: string): string[] {
  const segments = path.split('/').filter((segment) => segment !== '');
  if (segments[0] === 'v1') segments.shift();
  return segments.map((segment) => {
    try {
      return decodeURIComponent(segment);
    } catch {
      return segment;
    }
  });
}

function capsuleResource(zun: ZunState, call: Call, caller: Caller, rest: string[]): Answer | undefined {
  const [ident, ...more] = rest;
  if (more.length > 0) return undefined;
  if (ident === undefined) {
    if (call.method === 'GET') return listCapsules(zun, call, caller);
    if (call.method === 'POST') return createCapsule(zun, call, caller, readParameters(zun, call));
    // Not 405: pecan calls the handler without its argument (docs/zun.md, Appendix A).
    if (call.method === 'DELETE') throw internal("delete() missing 1 required positional argument: 'capsule_ident'");
    return notAllowed(call, 'DELETE, GET, POST');
  }
  const name = withoutExtension(ident);
  if (name === undefined) return routerAnswer(404, headerOf(call, 'accept'), null);
  if (call.method === 'GET') return showCapsule(zun, call, caller, name);
  if (call.method === 'DELETE') return deleteCapsule(zun, call, caller, name);
  return notAllowed(call, 'DELETE, GET, POST');
}

function notAllowed(call: Call, allow: string): Answer {
  return { ...routerAnswer(405, headerOf(call, 'accept')), headers: { allow } };
}
