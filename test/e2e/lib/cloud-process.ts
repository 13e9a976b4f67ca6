/**
 * The emulated cloud in a process of its own, so that zunlet is measured and killed apart from it. Started by cloud.ts;
 * answers calls over the channel to its parent and ends when that closes.
 */
import { createCloudEmulator } from '../../../src/emulators/cloud.ts';

/** What a test may ask of the emulated cloud; the parent's types come from here. */
export type CloudCalls = ReturnType<typeof callsOf>;

const emulator = await createCloudEmulator();
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
  };
}

process.on('message', (message: { id: number; call: keyof CloudCalls }) => {
  Promise.resolve(calls[message.call]())
    .then((value) => process.send?.({ id: message.id, value }))
    .catch((error: unknown) => process.send?.({ id: message.id, error: String(error) }));
});
process.on('disconnect', () => process.exit(0));
process.send?.({ ready: { env: emulator.env, zunUrl: emulator.zun.url } });
