import type { Options } from '../../config/options.ts';
import { createZunProject } from '../../openstack/zun-project.ts';
import type { CloudClients } from '../cloud.ts';
import type { Examination } from './finding.ts';

const skewWarnMs = 5000;
const skewFailMs = 60_000;

/** What is not tried without a token. */
export const cloudChecks = [
  ...['keystone.clock', 'zun.endpoint', 'zun.version', 'zun.capsules', 'zun.quota'],
  ...['neutron.network', 'cinder.endpoint'],
];

/** Looks at the cloud: Keystone, Zun, quota, network, Cinder. */
export async function checkOpenStack(exam: Examination, clients: CloudClients, options: Options): Promise<void> {
  const { session, cloud } = clients;
  const token = await exam.check(
    'keystone.login',
    `login at ${session.keystone.url} (${cloud.source})`,
    async () => {
      const got = await session.token();
      const roles = got.roles.join(', ') || 'no role';
      return { value: got, found: `project ${got.projectName}, user ${got.userName}, ${roles}` };
    },
    {
      unauthorized:
        'the password or application credential is wrong, expired or disabled: openstack --os-cloud … token issue',
      'keystone.not-scoped':
        'name a project in clouds.yaml (project_name or project_id); Zun needs a project-scoped token',
      retryable: 'see that auth_url is right and that this machine reaches Keystone',
    },
  );
  if (!token) {
    for (const check of cloudChecks) exam.skip(check, 'needs a token', 'not tried');
    return;
  }
  await exam.check('keystone.clock', "Keystone's clock against ours", async () => {
    const skew = Math.abs(token.skewMs);
    const looked = { value: skew, found: `${(token.skewMs / 1000).toFixed(1)} s` };
    const cure = 'set the clock by NTP: tokens and certificates expire by it';
    if (skew > skewFailMs) return { ...looked, fail: cure };
    return skew > skewWarnMs ? { ...looked, warn: cure } : looked;
  });
  const endpoint = await exam.check('zun.endpoint', 'Zun in the catalog', async () => {
    const url = await session.endpoint('zun');
    return { value: url, found: url };
  });
  const version = endpoint === undefined ? undefined : await checkVersion(exam, clients);
  if (version === undefined) {
    for (const check of ['zun.capsules', 'zun.quota']) exam.skip(check, 'needs Zun', 'not tried');
  } else {
    await exam.check('zun.capsules', 'GET /capsules', async () => {
      const found = await clients.capsules.list();
      return { value: found, found: `${found.length} capsules in the project` };
    });
    await checkQuota(exam, clients, options);
  }
  await checkNetwork(exam, clients);
  await exam.check(
    'cinder.endpoint',
    'Cinder in the catalog',
    async () => {
      const volumes = await clients.cinder.volumes();
      return { value: volumes, found: `${volumes.length} volumes in the project` };
    },
    { other: 'without Cinder no volumes work; set emptyDir to reject so that Pods hear of it' },
  );
}

async function checkVersion(exam: Examination, { zun }: CloudClients) {
  return exam.check(
    'zun.version',
    'GET / of Zun',
    async () => {
      const { minimum, maximum, used } = await zun.version();
      return {
        value: used,
        found: `microversions ${minimum.join('.')} to ${maximum.join('.')}, using ${used.join('.')}`,
      };
    },
    { unsupported: 'Zun of OpenStack Train (microversion 1.32) or later is needed' },
  );
}

async function checkQuota(exam: Examination, { zun }: CloudClients, options: Options): Promise<void> {
  await exam.check('zun.quota', 'quota of the project', async () => {
    const quotas = await createZunProject(zun).quotas();
    const text = Object.entries(quotas)
      .map(([name, { limit, inUse }]) => `${name} ${inUse ?? '?'}/${limit < 0 ? 'unlimited' : limit}`)
      .join(', ');
    const containers = quotas['containers'];
    const tight =
      options.backend !== 'capsule' && containers && containers.limit >= 0 && containers.limit < Number(options.pods);
    return {
      value: quotas,
      found: `${text}; capsules are not counted by Zun`,
      ...(tight && {
        warn: `the node offers ${options.pods} Pods, the quota allows ${containers.limit} containers: lower pods or raise the quota`,
      }),
    };
  });
}

async function checkNetwork(exam: Examination, { neutron, session }: CloudClients): Promise<void> {
  await exam.check(
    'neutron.network',
    'the network that Zun will choose',
    async () => {
      const token = await session.token();
      const networks = await neutron.networks();
      const own = networks.filter(({ projectId, shared }) => projectId === token.projectId && !shared);
      const candidates = own.length > 0 ? own : networks.filter(({ shared }) => shared);
      const [chosen] = candidates.toSorted((a, b) => (a.createdAt < b.createdAt ? -1 : 1));
      if (!chosen)
        return {
          value: undefined,
          found: 'there is none',
          fail: 'create a network with a subnet in the project, or share one: Zun answers every capsule with 409 without',
        };
      const looked = { value: chosen, found: `${chosen.name || chosen.id} (the oldest of ${candidates.length})` };
      if (chosen.external && !chosen.shared)
        return { ...looked, fail: 'it is external: Zun refuses it; create an internal network that is older or alone' };
      if (chosen.subnets.length === 0) return { ...looked, fail: 'it has no subnet: add one' };
      const groups = await neutron.securityGroups();
      const hasDefault = groups.some(({ name }) => name === 'default');
      return hasDefault
        ? { ...looked, found: `${looked.found}; Pods get the security group default` }
        : { ...looked, warn: 'the project has no security group default; Pods may be unreachable' };
    },
    { other: 'without Neutron no capsule gets a port: see that it is in the catalog and reachable' },
  );
}
