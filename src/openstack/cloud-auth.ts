import type { AppError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import type { AuthKey, AuthValues } from './cloud-schema.ts';

/** A Keystone domain, by id or by name. */
export type DomainRef = { id: string } | { name: string };

/** The project that a token is for. */
type ProjectRef = { id: string } | { name: string; domain: DomainRef };

/** A user; the domain goes with the name only. */
export type UserRef = { id: string } | { name: string; domain: DomainRef };

/** How to get a token. Holds secrets: never print it. */
export type CloudAuth =
  | { method: 'password'; url: string; user: UserRef; password: string; project: ProjectRef }
  | {
      method: 'application_credential';
      url: string;
      credential: { id: string } | { name: string; user: UserRef };
      secret: string;
    }
  | { method: 'token'; url: string; token: string; project: ProjectRef };

type FailKey = (key: AuthKey, message: string) => AppError;
type FailPath = (keys: string[], message: string) => AppError;

const methods: Record<string, CloudAuth['method']> = {
  password: 'password',
  v3password: 'password',
  token: 'token',
  v3token: 'token',
  v3applicationcredential: 'application_credential',
  v3application_credential: 'application_credential',
  application_credential: 'application_credential',
};

/** Makes the login out of the values of `auth`, or throws the error that says which key is missing or wrong. */
export function cloudAuth(type: string | undefined, auth: AuthValues, fail: FailKey, failPath: FailPath): CloudAuth {
  const method = authMethod(type, auth, failPath);
  const url = authUrl(auth, fail);
  if (auth.system_scope) throw fail('system_scope', 'a token for the system cannot run containers: name a project');
  if (auth.trust_id) throw fail('trust_id', 'trusts are not supported: use an application credential');
  switch (method) {
    case 'password':
      return {
        method,
        url,
        user: user(auth, fail),
        password: need(auth, 'password', fail),
        project: project(auth, fail),
      };
    case 'token':
      return { method, url, token: auth.auth_token ?? need(auth, 'token', fail), project: project(auth, fail) };
    case 'application_credential': {
      const secret = need(auth, 'application_credential_secret', fail);
      if (auth.application_credential_id)
        return { method, url, secret, credential: { id: auth.application_credential_id } };
      if (!auth.application_credential_name) throw fail('application_credential_id', 'is missing');
      return { method, url, secret, credential: { name: auth.application_credential_name, user: user(auth, fail) } };
    }
    default:
      return method satisfies never;
  }
}

/** The type may be left out where the keys tell it. */
function authMethod(type: string | undefined, auth: AuthValues, fail: FailPath): CloudAuth['method'] {
  if (type) {
    const method = methods[type.toLowerCase()];
    if (method === 'password' && !auth.password && auth.application_credential_secret) return 'application_credential';
    if (method) return method;
    const names = ['password', 'v3applicationcredential', 'token'];
    const meant = nearest(type, names);
    throw fail(
      ['auth_type'],
      meant ? `${type} is not supported, did you mean ${meant}` : `${type} is not supported; use ${names.join(', ')}`,
    );
  }
  if (auth.application_credential_id || auth.application_credential_name || auth.application_credential_secret)
    return 'application_credential';
  if ((auth.token || auth.auth_token) && !auth.password) return 'token';
  return 'password';
}

function authUrl(auth: AuthValues, fail: FailKey): string {
  const raw = need(auth, 'auth_url', fail);
  if (!URL.canParse(raw)) throw fail('auth_url', 'is not a URL');
  const url = new URL(raw);
  if (url.protocol !== 'http:' && url.protocol !== 'https:')
    throw fail('auth_url', 'must begin with http:// or https://');
  if (url.username || url.password) throw fail('auth_url', 'must not hold a user name or a password');
  const path = url.pathname.replace(/\/+$/, '').replace(/\/v2\.0$/, '');
  return `${url.origin}${/\/v3$/.test(path) ? path : `${path}/v3`}`;
}

function need(auth: AuthValues, key: AuthKey, fail: FailKey): string {
  const value = auth[key];
  if (value === undefined) throw fail(key, 'is missing');
  return value;
}

/** Without a domain the one with the id `default` is meant, as in the openstack command. */
function domain(auth: AuthValues, kind: 'user' | 'project'): DomainRef {
  const id = kind === 'user' ? auth.user_domain_id : auth.project_domain_id;
  const name = kind === 'user' ? auth.user_domain_name : auth.project_domain_name;
  if (id) return { id };
  if (name) return { name };
  if (auth.default_domain_id ?? auth.default_domain) return { id: auth.default_domain_id ?? auth.default_domain ?? '' };
  if (auth.default_domain_name) return { name: auth.default_domain_name };
  if (kind === 'user' && auth.domain_id) return { id: auth.domain_id };
  if (kind === 'user' && auth.domain_name) return { name: auth.domain_name };
  return { id: 'default' };
}

function user(auth: AuthValues, fail: FailKey): UserRef {
  if (auth.user_id) return { id: auth.user_id };
  const name = auth.username ?? auth.user_name;
  if (!name) throw fail('username', 'is missing');
  return { name, domain: domain(auth, 'user') };
}

function project(auth: AuthValues, fail: FailKey): ProjectRef {
  const id = auth.project_id ?? auth.tenant_id;
  if (id) return { id };
  const name = auth.project_name ?? auth.tenant_name;
  if (!name) throw fail('project_name', 'is missing: Zun needs a token for a project');
  return { name, domain: domain(auth, 'project') };
}
