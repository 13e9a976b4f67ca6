import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { drawUserAction, kinds } from './plan.ts';
import type { PodKind } from './pods.ts';
import { dieAt, killPoints } from './seat.ts';
import type { World } from './world.ts';

/** Slow enough for Pods to come to every step before somebody deletes them. */
const actEveryMs = 200;

/** Every kind of Pod as often as any other: the rare ones lead to the rare steps. */
const evenly = kinds.map(([kind]): [PodKind, number] => [kind, 1]);

/**
 * Kills the node's process once at each point of the worker, one after the other, while users go on and nothing else fails.
 * Answers the points that it never came to.
 */
export async function killAtEveryPoint(world: World, seed: number): Promise<string[]> {
  const random = seededRandom(seed);
  const [seat] = world.seats;
  let isOver = false;
  const users = (async () => {
    for (let tick = 1; !isOver; tick += 1) {
      await Promise.all([world.users.act(drawUserAction(random, evenly)), delay(actEveryMs)]);
      if (tick % 40 === 0) await world.users.makeSecrets().catch(() => undefined);
    }
  })();
  const missed: string[] = [];
  for (const point of killPoints) {
    if (await dieAt(seat, point, random)) {
      const what = `kill at ${point}`;
      world.counts[what] = (world.counts[what] ?? 0) + 1;
    } else {
      missed.push(point);
      await seat.kill();
    }
  }
  isOver = true;
  await users;
  return missed;
}
