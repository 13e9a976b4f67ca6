import { randomUUID } from 'node:crypto';
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

/** Creates one tiny capsule, follows it until it runs, and deletes it whatever happens. */
export async function probeCloud(
  exam: Examination,
  { api, capsules }: CloudClients,
  image: string,
  signal: AbortSignal,
): Promise<void> {
  // Its name finds it again when the answer to its creation was lost.
  const name = `zunlet-check-${randomUUID().slice(0, 8)}`;
  let uuid: string | undefined;
  try {
    await exam.check('zun.probe', `capsule with ${image}`, async () => {
      const began = performance.now();
      const made = await api.create({
        backend: 'capsule',
        template: {
          capsuleVersion: 'beta',
          kind: 'capsule',
          metadata: { name, labels: { 'zunlet.io/check': name } },
          spec: {
            restartPolicy: 'Never',
            containers: [{ image, command: ['sleep', '600'], resources: { requests: { cpu: 0.1, memory: 64 } } }],
          },
        },
      });
      uuid = made.uuid;
      let seen = made;
      while (seen.status === 'Creating' || seen.status === 'Created') {
        if (performance.now() - began > probeMs)
          return {
            value: seen,
            found: `still ${seen.status} after ${probeMs / 1000} s`,
            fail: 'look at zun-compute: it may be down or pulling',
          };
        await new Promise((resolve) => setTimeout(resolve, 1000));
        signal.throwIfAborted();
        seen = (await capsules.get(made.uuid)) ?? { ...seen, status: 'Error', status_reason: 'it vanished' };
      }
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      const reason = (seen.status_reason ?? '').split('\n')[0] ?? '';
      if (seen.status !== 'Running') return { value: seen, found: `${seen.status}: ${reason}`, fail: cureOf(reason) };
      const docker = seen.containers.some(({ hostname }) => hostname);
      return {
        value: seen,
        found: `Running after ${seconds} s, driver ${docker ? 'docker' : 'cri'}, address ${Object.values(seen.addresses).flat()[0]?.addr ?? 'none'}`,
      };
    });
  } finally {
    const made = uuid ?? (await findProbe(capsules, name));
    if (made !== undefined) await removeProbe(exam, api, made);
  }
}

/** Undefined where there is none, or where Zun cannot be asked. */
async function findProbe(capsules: CloudClients['capsules'], name: string): Promise<string | undefined> {
  try {
    return (await capsules.list()).find(({ labels }) => labels?.['zunlet.io/check'] === name)?.uuid;
  } catch {
    return undefined;
  }
}

const probeMs = 180_000;

function cureOf(reason: string): string {
  if (/not enough hosts|no valid host/i.test(reason))
    return 'no compute host has room or is up: openstack appcontainer service list';
  if (/image/i.test(reason)) return 'the computes cannot pull the image: name another by --probe-image';
  return "look for it in zun-compute's log";
}

async function removeProbe(exam: Examination, api: CloudClients['api'], uuid: string): Promise<void> {
  await exam.check('zun.probe-removed', `deletion of capsule ${uuid}`, async () => {
    await api.delete('capsule', uuid, 10);
    for (let tries = 0; tries < 60; tries += 1) {
      if (!(await api.get('capsule', uuid))) return { value: true, found: 'gone' };
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    return { value: false, found: 'still there after 60 s', fail: `delete it by hand: zunlet capsule delete ${uuid}` };
  });
}
