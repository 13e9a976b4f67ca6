/**
 * `npm run chaos -- --minutes M --seed S [--protection-off timeRule] [--every-point] [--json]`: faults of every kind between
 * zunlet, a real control plane and an emulated cloud for M minutes, then rest; prints the four numbers that must be zero and how
 * many faults struck. Exit 1 if one is not zero. `--every-point` first kills the node once before and after each thing that its
 * worker does. The same seed makes the same plan; how the processes interleave is up to the machine.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { missingForControlPlane } from '../e2e/lib/control-plane-binary.ts';
import { readFlags, wrongUsage } from '../lib/flags.ts';
import { chaosPlan } from './plan.ts';
import { print, type Report } from './report.ts';
import { becomeEmpty, comeToRest } from './rest.ts';
import { harass } from './seat.ts';
import { killAtEveryPoint } from './sweep.ts';
import { becomeCalm, startWorld, type World } from './world.ts';

const help = `npm run chaos -- [--minutes M] [--seed S] [--every-point] [--protection-off timeRule] [--keep-logs] [--json]

Puts faults of every kind between zunlet, a real control plane and an emulated cloud for M minutes, while users create, delete
and recreate Pods; then lets everything come to rest and counts: lost Pods, double capsules at any moment, leaked capsules,
ports or volumes, terminal phases taken back. Exit 0 only if all four are zero. The same seed makes the same plan; how the
processes interleave is up to the machine.

  --minutes M                how long faults strike; default 5
  --seed S                   default 1
  --every-point              first kills the node once before and after each thing that its worker does
  --protection-off timeRule  switches a protection off, to see that the faults are hard enough: it finds violations
  --keep-logs                leaves the logs of the zunlets in place also after a clean run
  --json                     the report as one object
`;

const { values } = readFlags(help, {
  minutes: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  'protection-off': { type: 'string' },
  'every-point': { type: 'boolean', default: false },
  json: { type: 'boolean', default: false },
  'keep-logs': { type: 'boolean', default: false },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
const off = values['protection-off'];
if (!(minutes > 0)) wrongUsage(help, `--minutes ${values.minutes} is no number above 0`);
if (!Number.isInteger(seed)) wrongUsage(help, `--seed ${values.seed} is no whole number`);
if (off !== undefined && off !== 'timeRule') wrongUsage(help, `--protection-off ${off}: there is only timeRule`);
const missing = missingForControlPlane();
if (missing) {
  process.stdout.write(`skipped: ${missing}\n`);
  process.exit(0);
}

const logs = mkdtempSync(join(tmpdir(), 'zunlet-chaos-'));
const report = await run();
print(report, values.json);
const isClean = Object.values(report.verdict).every((found) => found.length === 0);
if (isClean && !values['keep-logs']) rmSync(logs, { recursive: true });
else process.stderr.write(`the logs of the zunlets are in ${logs}\n`);
process.exit(isClean ? 0 : 1);

async function run(): Promise<Report> {
  const world = await startWorld({ seed, timeRule: off === undefined, logs });
  if (values['every-point']) {
    say('killing the node once at every point of its worker');
    const missed = await killAtEveryPoint(world, seed);
    if (missed.length > 0) say(`never came to: ${missed.join(', ')}`);
  }
  const began = performance.now();
  say(`seed ${seed}: faults for ${minutes} min`);
  await rage(world);
  say('faults are over; coming to rest');
  await becomeCalm(world);
  await comeToRest(world, say);
  const restSeconds = Math.round((performance.now() - began) / 1000 - minutes * 60);
  say(`at rest after ${restSeconds} s; deleting everything`);
  await becomeEmpty(world, say);
  const { verdict } = world.judge;
  for (const { podUid, uuids } of await world.cloud.control.zun.doubles()) {
    verdict.doubleCapsules.push(`pod ${podUid}: ${uuids.join(', ')}`);
  }
  const { leftovers } = await world.cloud.control.zun.inventory();
  const result: Report = {
    ...{ seed, minutes, restSeconds, verdict, protectionOff: off },
    ...world.judge.counts(),
    leftOnHosts: leftovers.filter(({ kind }) => kind !== 'port').length,
    faults: {
      zun: await struck(world, 'zun'),
      keystone: await struck(world, 'keystone'),
      neutron: await struck(world, 'neutron'),
      cinder: await struck(world, 'cinder'),
      api: world.proxy.injected(),
      world: world.counts,
    },
    users: world.users.counts,
  };
  await Promise.all(world.seats.map((seat) => seat.stop()));
  await world.stop();
  return result;
}

/** Lives the plan, and lets the two processes of the node die again and again. */
async function rage(world: World): Promise<void> {
  const lengthMs = minutes * 60_000;
  const plan = chaosPlan(seed, lengthMs);
  const endAt = performance.now() + lengthMs;
  const isOver = () => performance.now() >= endAt;
  const lives = { counts: world.counts, isOver };
  const [first, second] = world.seats;
  await Promise.all([
    harass(first, { ...lives, random: seededRandom(seed + 1), absence: [0, 0] }),
    harass(second, { ...lives, random: seededRandom(seed + 2), absence: [20_000, 60_000] }),
    follow(plan.users.map(({ atMs, action }) => ({ atMs, happen: () => world.users.act(action) }))),
    follow(plan.world.map(({ atMs, action }) => ({ atMs, happen: () => world.act(action) }))),
    follow(plan.weather.map(({ atMs, weather }) => ({ atMs, happen: () => world.setWeather(weather) }))),
    sow(world, isOver),
    delay(lengthMs),
  ]);
}

/** Does each thing at its time; one that takes long does not keep the others waiting. */
async function follow(things: readonly { atMs: number; happen: () => Promise<void> }[]): Promise<void> {
  const started = performance.now();
  const underWay: Promise<void>[] = [];
  for (const { atMs, happen } of things) {
    await delay(Math.max(0, started + atMs - performance.now()));
    underWay.push(happen());
  }
  await Promise.all(underWay);
}

/** Makes, every few seconds, what Pods wait for. */
async function sow({ users }: World, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    await delay(3000);
    await users.makeSecrets().catch(() => undefined);
  }
}

/** How many faults of a service struck, those with a status by status. */
async function struck(
  { cloud }: World,
  service: 'zun' | 'keystone' | 'neutron' | 'cinder',
): Promise<Record<string, number>> {
  const { faults } = cloud.control[service];
  const { status: _, ...kinds } = await faults.injected();
  return { ...kinds, ...(await faults.injectedStatuses()) };
}

function say(line: string): void {
  if (!values.json) process.stderr.write(`${line}\n`);
}
