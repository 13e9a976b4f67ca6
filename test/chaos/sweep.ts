import { setTimeout as delay } from 'node:timers/promises';
import { seededRandom } from '../../src/base/random.ts';
import { drawUserAction } from './plan.ts';
import { dieAt, killPoints } from './seat.ts';
import type { World } from './world.ts';

const actEveryMs = 150;

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
      await Promise.all([world.users.act(drawUserAction(random)), delay(actEveryMs)]);
      if (tick % 20 === 0) await world.users.makeSecrets().catch(() => undefined);
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
