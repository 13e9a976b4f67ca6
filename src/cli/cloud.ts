import { systemClock } from '../base/clock.ts';
import { silentLog } from '../base/log.ts';
import { createCapsuleApi } from '../openstack/capsule-api.ts';
import { type Capsules, createCapsules } from '../openstack/capsules.ts';
import { type Cinder, createCinder } from '../openstack/cinder.ts';
import { type Cloud, loadCloud } from '../openstack/cloud-config.ts';
import { readTextFile } from '../openstack/cloud-files.ts';
import { type ContainerApi, createContainers } from '../openstack/containers.ts';
import { createNeutron, type Neutron } from '../openstack/neutron.ts';
import { createSession, type Session } from '../openstack/session.ts';
import type { CapsuleApi } from '../openstack/types.ts';
import { createZun, type Zun } from '../openstack/zun.ts';
import type { Io } from './io.ts';
import { version } from './version.ts';

/** The clients of one cloud, for commands that work with it directly. */
export interface CloudClients {
  cloud: Cloud;
  session: Session;
  zun: Zun;
  api: CapsuleApi;
  capsules: Capsules;
  containers: ContainerApi;
  cinder: Cinder;
  neutron: Neutron;
}

/** Reads the cloud's credentials, runs some work with its clients and closes them. Warnings go to stderr. */
export async function withCloud<T>(
  io: Io,
  name: string | undefined,
  work: (clients: CloudClients) => Promise<T>,
): Promise<T> {
  const cloud = await loadCloud({ env: io.env, cwd: process.cwd(), readFile: readTextFile }, name);
  for (const warning of cloud.warnings) io.stderr.write(`warning: ${warning}\n`);
  const session = createSession({ cloud, clock: systemClock, log: silentLog, userAgent: `zunlet/${version}` });
  const zun = createZun(session);
  // Waiting between two reads keeps no process alive: timers of the clock do not.
  const hold = setInterval(() => {}, 2 ** 30);
  try {
    return await work({
      cloud,
      session,
      zun,
      api: createCapsuleApi(zun),
      capsules: createCapsules(zun),
      containers: createContainers(zun),
      cinder: createCinder(session),
      neutron: createNeutron(session),
    });
  } finally {
    clearInterval(hold);
    await session.close();
  }
}
