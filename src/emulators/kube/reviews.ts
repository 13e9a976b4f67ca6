import type { Identities } from './identities.ts';
import { at, type JsonObject, type KubeObject, listOf, objectOf, textOf } from './objects.ts';
import type { User } from './strategy.ts';

/** What an access review asks: may this user do this. */
export interface AccessQuestion {
  user: string;
  groups: string[];
  verb: string;
  group: string;
  resource: string;
  subresource: string;
  namespace: string;
  name: string;
  /** For paths that are no resources. */
  path: string;
}

export interface ReviewParts {
  identities: Identities;
  /** Says no with a reason; undefined allows. */
  authorize(question: AccessQuestion): string | undefined;
}

/** Answers a review: an object that is posted, completed and sent back, and never stored. */
export function review(object: KubeObject, caller: User, parts: ReviewParts): JsonObject {
  switch (object.kind) {
    case 'TokenReview':
      return { ...object, status: tokenStatus(textOf(at(object, 'spec', 'token')), parts) };
    case 'SelfSubjectReview':
      return { ...object, status: { userInfo: userInfo(caller) } };
    case 'SelfSubjectRulesReview':
      return {
        ...object,
        status: {
          resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
          nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
          incomplete: false,
        },
      };
    default:
      return { ...object, status: accessStatus(object, caller, parts) };
  }
}

function userInfo(user: User): JsonObject {
  return { username: user.name, ...(user.uid !== undefined && { uid: user.uid }), groups: user.groups };
}

function tokenStatus(token: string, parts: ReviewParts): JsonObject {
  const user = parts.identities.userOf(token);
  if (!user) return { user: {}, error: '[invalid bearer token]' };
  return { authenticated: true, user: userInfo(user) };
}

function accessStatus(object: KubeObject, caller: User, parts: ReviewParts): JsonObject {
  const spec = objectOf(object['spec']);
  const wanted = objectOf(spec['resourceAttributes']);
  const isSelf = object.kind === 'SelfSubjectAccessReview';
  const reason = parts.authorize({
    user: isSelf ? caller.name : textOf(spec['user']),
    groups: isSelf ? caller.groups : listOf(spec['groups']).map((group) => textOf(group)),
    verb: textOf(wanted['verb']) || textOf(at(spec, 'nonResourceAttributes', 'verb')),
    group: textOf(wanted['group']),
    resource: textOf(wanted['resource']),
    subresource: textOf(wanted['subresource']),
    namespace: textOf(wanted['namespace']),
    name: textOf(wanted['name']),
    path: textOf(at(spec, 'nonResourceAttributes', 'path')),
  });
  return reason === undefined ? { allowed: true } : { allowed: false, reason };
}
