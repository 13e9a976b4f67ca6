import { servicePasswords, type ZunPorts } from './settings.ts';

/** The `OS_*` variables of a user in a project. */
export type OpenStackEnvironment = Record<`OS_${string}`, string>;

/** A user that the bed makes, by what it is for. */
export type Account = 'demo' | 'other' | 'reader' | 'admin';

/** What the bed's Keystone holds when it is filled. */
export interface Identity {
  adminToken: string;
  /** Project ids by name. */
  projects: Record<string, string>;
  /** An application credential of the user demo, with the role member. */
  applicationCredential: { id: string; secret: string };
}

export const adminPassword = 'adminpw';
const region = 'RegionOne';

const members = [
  { user: 'zun', password: servicePasswords.zun, project: 'service', roles: ['admin', 'service'] },
  { user: 'placement', password: servicePasswords.placement, project: 'service', roles: ['admin', 'service'] },
  { user: 'demo', password: 'demopw', project: 'demo', roles: ['member'] },
  { user: 'other', password: 'otherpw', project: 'other', roles: ['member'] },
  { user: 'reader', password: 'readerpw', project: 'demo', roles: ['reader'] },
];

/** Answers the variables with which a client logs in as one of the bed's users. */
export function openStackEnvironment(ports: ZunPorts, account: Account): OpenStackEnvironment {
  const member = members.find(({ user }) => user === account);
  return {
    OS_AUTH_URL: `http://127.0.0.1:${ports.keystone}/v3`,
    OS_USERNAME: account,
    OS_PASSWORD: member?.password ?? adminPassword,
    OS_PROJECT_NAME: member?.project ?? 'admin',
    OS_USER_DOMAIN_NAME: 'Default',
    OS_PROJECT_DOMAIN_NAME: 'Default',
    OS_REGION_NAME: region,
    OS_IDENTITY_API_VERSION: '3',
  };
}

/** Fills an empty Keystone with projects, users, roles and the catalog. */
export async function fillKeystone(ports: ZunPorts, zunType: string): Promise<Identity> {
  const url = `http://127.0.0.1:${ports.keystone}/v3`;
  const admin = await logIn(url, 'admin', adminPassword, 'admin');
  const call = (method: string, path: string, body?: object) => keystone(url, admin.token, method, path, body);
  const make = async (kind: string, body: object): Promise<string> => {
    const answer = await call('POST', `/${kind}s`, { [kind]: body });
    return (answer[kind] as { id: string }).id;
  };

  const projects: Record<string, string> = { admin: admin.project };
  for (const name of ['service', 'demo', 'other']) {
    projects[name] = await make('project', { name, domain_id: 'default' });
  }
  const listed = (await call('GET', '/roles'))['roles'] as { name: string; id: string }[];
  const roles = new Map(listed.map(({ name, id }) => [name, id]));
  for (const member of members) {
    const user = await make('user', { name: member.user, domain_id: 'default', password: member.password });
    for (const role of member.roles) {
      const id = roles.get(role) ?? (await make('role', { name: role }));
      roles.set(role, id);
      await call('PUT', `/projects/${projects[member.project]}/users/${user}/roles/${id}`);
    }
  }
  for (const [type, name, endpoint] of catalog(ports, zunType)) {
    const service = await make('service', { type, name });
    for (const kind of ['public', 'internal', 'admin']) {
      await make('endpoint', { service_id: service, interface: kind, url: endpoint, region_id: region });
    }
  }
  return { adminToken: admin.token, projects, applicationCredential: await makeCredential(url) };
}

function catalog(ports: ZunPorts, zunType: string): [type: string, name: string, url: string][] {
  const at = (port: number) => `http://127.0.0.1:${port}`;
  return [
    [zunType, 'zun', `${at(ports.zun)}/v1`],
    ['network', 'neutron', at(ports.neutron)],
    ['volumev3', 'cinderv3', `${at(ports.cinder)}/v3/$(project_id)s`],
    ['placement', 'placement', at(ports.placement)],
  ];
}

async function makeCredential(url: string): Promise<{ id: string; secret: string }> {
  const demo = await logIn(url, 'demo', 'demopw', 'demo');
  const secret = 'credential-secret';
  const body = { application_credential: { name: 'zunlet', secret, roles: [{ name: 'member' }] } };
  const answer = await keystone(url, demo.token, 'POST', `/users/${demo.user}/application_credentials`, body);
  return { id: (answer['application_credential'] as { id: string }).id, secret };
}

/** Logs in with a password. */
export async function logIn(url: string, name: string, password: string, project: string) {
  const domain = { id: 'default' };
  const identity = { methods: ['password'], password: { user: { name, domain, password } } };
  const answer = await fetch(`${url}/auth/tokens`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ auth: { identity, scope: { project: { name: project, domain } } } }),
  });
  const token = answer.headers.get('x-subject-token');
  if (!token) throw new Error(`logging in as ${name}: keystone answered ${answer.status}: ${await answer.text()}`);
  const body = (await answer.json()) as { token: { project: { id: string }; user: { id: string } } };
  return { token, project: body.token.project.id, user: body.token.user.id };
}

async function keystone(url: string, token: string, method: string, path: string, body?: object) {
  const answer = await fetch(url + path, {
    method,
    headers: { 'content-type': 'application/json', 'x-auth-token': token },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: keystone answered ${answer.status}: ${text}`);
  return (text ? JSON.parse(text) : {}) as Record<string, unknown>;
}
