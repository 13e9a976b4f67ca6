import { createHash } from 'node:crypto';

export interface Project {
  id: string;
  name: string;
  enabled: boolean;
}

export interface User {
  id: string;
  name: string;
  password: string;
  enabled: boolean;
  /** Role names by project name. */
  roles: Record<string, string[]>;
  defaultProject?: string;
}

interface ApplicationCredential {
  id: string;
  name: string;
  secret: string;
  /** User name. */
  user: string;
  /** Project name. */
  project: string;
  roles: string[];
  /** Milliseconds since 1970; absent: never. */
  expiresAt?: number;
}

/** Everybody and everything that Keystone knows, all in the domain `Default`. */
export interface Identity {
  projects: Project[];
  users: User[];
  applicationCredentials: ApplicationCredential[];
}

/** The only domain. */
export const defaultDomain = { id: 'default', name: 'Default' };

/** Makes the 32 hex digits that Keystone uses as an id; the same name always gives the same id. */
export function identityId(kind: string, name: string): string {
  return createHash('md5').update(`${kind}/${name}`).digest('hex');
}

/**
 * Makes the identities every emulated cloud starts with: members `demo` (password `demopw`) and `other` (`otherpw`) of
 * the projects of their names, `reader` (`readerpw`) of project `demo`, `admin` (`adminpw`) of project `admin`, and the
 * application credential `zunlet` (secret `acsecret`) of `demo`.
 */
export function defaultIdentity(): Identity {
  const project = (name: string): Project => ({ id: identityId('project', name), name, enabled: true });
  const user = (name: string, password: string, home: string, role: string): User => ({
    id: identityId('user', name),
    name,
    password,
    enabled: true,
    roles: { [home]: [role] },
  });
  return {
    projects: [project('demo'), project('other'), project('admin')],
    users: [
      user('demo', 'demopw', 'demo', 'member'),
      user('other', 'otherpw', 'other', 'member'),
      user('reader', 'readerpw', 'demo', 'reader'),
      user('admin', 'adminpw', 'admin', 'admin'),
    ],
    applicationCredentials: [
      {
        id: identityId('application_credential', 'zunlet'),
        name: 'zunlet',
        secret: 'acsecret',
        user: 'demo',
        project: 'demo',
        roles: ['member'],
      },
    ],
  };
}

/** Finds by id or by name, as a request names things. */
export function findNamed<T extends { id: string; name: string }>(
  all: T[],
  reference: { id?: unknown; name?: unknown } | undefined,
): T | undefined {
  return all.find((item) => (reference?.id === undefined ? item.name === reference?.name : item.id === reference.id));
}
