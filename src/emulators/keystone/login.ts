import type { Clock } from '../../base/clock.ts';
import { findNamed, type Identity, type User } from './identity.ts';
import type { Token, TokenStore } from './tokens.ts';

/** Why a login failed, as Keystone's status and sentence. */
export interface Refusal {
  status: 400 | 401;
  message: string;
}

type Fields = Record<string, unknown>;

interface Proof {
  methods: string[];
  user: User;
  applicationCredential?: { id: string; project: string; roles: string[]; expiresAt?: number };
  /** The scope and the end of the token that was shown. */
  from?: Token;
}

const hiddenReason = 'The request you have made requires authentication.';
const refused: Refusal = { status: 401, message: hiddenReason };
const malformed = (what: string): Refusal => ({
  status: 400,
  message: `${what} The server could not comply with the request since it is either malformed or otherwise incorrect. The client is assumed to be in error.`,
});

/** Answers `POST /v3/auth/tokens`. Keystone does not tell why credentials were refused; nor does this. */
export function login(body: unknown, identity: Identity, tokens: TokenStore, clock: Clock): Token | Refusal {
  const auth = fieldsOf(fieldsOf(body)?.['auth']);
  const methods = fieldsOf(auth?.['identity'])?.['methods'];
  if (!auth || !Array.isArray(methods) || methods.length === 0) return malformed("'auth' is a required property.");
  const proof = prove(fieldsOf(auth['identity']) ?? {}, methods.map(String), identity, tokens, clock);
  if ('status' in proof) return proof;
  if (!proof.user.enabled) return refused;
  const { applicationCredential } = proof;
  if (applicationCredential) {
    const project = findNamed(identity.projects, { name: applicationCredential.project });
    if (auth['scope'] !== undefined || !project?.enabled) return refused;
    return tokens.issue({
      methods: proof.methods,
      user: proof.user,
      project,
      roles: applicationCredential.roles,
      applicationCredential: applicationCredential.id,
      ...(applicationCredential.expiresAt === undefined ? {} : { expiresAt: applicationCredential.expiresAt }),
    });
  }
  return scoped(auth['scope'], proof, identity, tokens);
}

function scoped(scope: unknown, proof: Proof, identity: Identity, tokens: TokenStore): Token | Refusal {
  const wanted = scope === 'unscoped' ? undefined : scope;
  const reference = wanted === undefined ? undefined : fieldsOf(fieldsOf(wanted)?.['project']);
  if (wanted !== undefined && !reference) return malformed('Expecting to find project in scope.');
  if (reference && reference['id'] === undefined && !namesDomain(reference['domain'])) {
    return malformed('Expecting to find domain in project.');
  }
  const home = scope === 'unscoped' ? undefined : proof.user.defaultProject;
  const project = reference
    ? findNamed(identity.projects, reference)
    : home === undefined
      ? undefined
      : findNamed(identity.projects, { name: home });
  const roles = project ? proof.user.roles[project.name] : [];
  if ((reference && !project) || project?.enabled === false || !roles) return refused;
  const end = proof.from?.expiresAt;
  return tokens.issue({
    methods: proof.methods,
    user: proof.user,
    roles,
    ...(project ? { project } : {}),
    ...(end === undefined ? {} : { expiresAt: end }),
  });
}

function prove(
  shown: Fields,
  methods: string[],
  identity: Identity,
  tokens: TokenStore,
  clock: Clock,
): Proof | Refusal {
  if (methods.includes('password')) return provePassword(shown, identity);
  if (methods.includes('application_credential')) return proveApplicationCredential(shown, identity, clock);
  if (methods.includes('token')) {
    const from = tokens.find(String(fieldsOf(shown['token'])?.['id']));
    if (!from || from.applicationCredential) return refused;
    return { methods: [...new Set([...from.methods, 'token'])], user: from.user, from };
  }
  return { status: 401, message: 'Attempted to authenticate with an unsupported method.' };
}

function provePassword(shown: Fields, identity: Identity): Proof | Refusal {
  const reference = fieldsOf(fieldsOf(shown['password'])?.['user']);
  if (!reference) return malformed('Expecting to find user in password.');
  if (reference['id'] === undefined && !namesDomain(reference['domain'])) {
    return malformed('Expecting to find domain in user.');
  }
  const user = findNamed(identity.users, reference);
  if (!user || user.password !== reference['password']) return refused;
  return { methods: ['password'], user };
}

function proveApplicationCredential(shown: Fields, identity: Identity, clock: Clock): Proof | Refusal {
  const reference = fieldsOf(shown['application_credential']);
  if (!reference) return malformed('Expecting to find application_credential in identity.');
  const owner = fieldsOf(reference['user']);
  if (reference['id'] === undefined && !owner) return malformed('Expecting to find user in application_credential.');
  const credential = findNamed(identity.applicationCredentials, reference);
  const user = credential && findNamed(identity.users, { name: credential.user });
  if (!credential || !user || credential.secret !== reference['secret']) return refused;
  if (owner && findNamed(identity.users, owner) !== user) return refused;
  if (credential.expiresAt !== undefined && credential.expiresAt <= clock.now()) return refused;
  return { methods: ['application_credential'], user, applicationCredential: credential };
}

function namesDomain(domain: unknown): boolean {
  const fields = fieldsOf(domain);
  return fields?.['id'] === 'default' || String(fields?.['name']).toLowerCase() === 'default';
}

function fieldsOf(value: unknown): Fields | undefined {
  // Any object that is not null or a list can be read by key.
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
}
