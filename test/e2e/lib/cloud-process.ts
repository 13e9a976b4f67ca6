/**
 * The emulated cloud in a process of its own, so that zunlet is measured and killed apart from it. Started by cloud.ts;
 * answers calls over the channel to its parent and ends when that closes.
 */
import { createCloudEmulator } from '../../../src/emulators/cloud.ts';

/** What a test may ask of the emulated cloud; the parent's types come from here. */
export type CloudCalls = ReturnType<typeof callsOf>;

// Beds that run side by side must not serve Pods on the same addresses.
const cidr = process.argv[2] ?? `127.${100 + Math.floor(Math.random() * 100)}.0.0/16`;
const emulator = await createCloudEmulator({ cidr });
const calls = callsOf(emulator);

function callsOf(cloud: Awaited<ReturnType<typeof createCloudEmulator>>) {
  const { control } = cloud.zun;
  return {
    /** Every capsule's uuid as Zun holds it, without a call that would be counted. */
    uuids: () => control.inventory().capsules.map(({ uuid }) => uuid),
    /** Calls by operation since the last reset. */
    counts: () => control.counters(),
    resetCounts: () => control.resetCounters(),
    /** Moments at which a Pod had two live capsules. */
    doubles: () => control.doubles(),
    /** How many Pods have a live capsule. */
    livePods: () => control.livePods(),
    /** Zun's port is closed and its connections are cut. */
    down: () => control.goDown(),
    up: () => control.comeUp(),
    /** How the web servers of a capsule or container answer from now on. */
    serve: (uuid: string, status: number) => control.serve(uuid, { status }),
    /** Makes a Cinder volume of the member's project and answers its id. */
    createVolume: () =>
      cloud.volumes.create({ projectId: cloud.keystone.identity.projects[0]?.id ?? '', sizeGiB: 1 }).id,
    volumes: () => cloud.volumes.all(),
    /** Makes a security group of the member's project and answers its id. */
    createSecurityGroup: (name: string) =>
      cloud.networks.createSecurityGroup(name, cloud.keystone.identity.projects[0]?.id ?? ''),
    ports: () => cloud.networks.ports(),
    floatingIps: () => [...cloud.networks.floatingIps.values()],
  };
}

process.on('message', (message: { id: number; call: keyof CloudCalls; given: unknown[] }) => {
  // The caller's side has the types of these very functions.
  const call = calls[message.call] as (...given: unknown[]) => unknown;
  Promise.resolve(call(...message.given))
    .then((value) => process.send?.({ id: message.id, value }))
    .catch((error: unknown) => process.send?.({ id: message.id, error: String(error) }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: { env: emulator.env, zunUrl: emulator.zun.url } });
