import { setTimeout as delay } from 'node:timers/promises';
import type { Random } from '../../src/base/random.ts';
import { type Service, startService } from '../e2e/lib/processes.ts';

/** How to run zunlet in a seat: the same each time but for its environment. */
export interface SeatOptions {
  name: string;
  flags: Record<string, string>;
  env: Record<string, string>;
  logFile: string;
}

/** What one life of the process has to bear. */
export interface Fate {
  /** The point at which it kills itself, as `ZUNLET_TEST_KILL_AT` takes it. */
  killAt?: string;
  /** Its log goes to a disk that is full. */
  isLogFull: boolean;
}

/** A place in which zunlet runs, dies and is started again. */
export interface Seat {
  start(fate?: Fate): void;
  isAlive(): boolean;
  /** True when it has ended, and nobody killed it. */
  hasGivenUp(): boolean;
  kill(): Promise<void>;
  stop(): Promise<void>;
  /** Stops the process in its tracks, as a machine that swaps does; the function that it answers lets it go on. */
  freeze(): () => void;
  jumpClock(): void;
}

const repository = new URL('../..', import.meta.url).pathname;

/** Makes an empty seat. */
export function createSeat(options: SeatOptions): Seat {
  let service: Service | undefined;
  const signal = (name: NodeJS.Signals) => {
    if (service && !service.hasEnded()) process.kill(service.pid, name);
  };
  // Nothing of the user's own clouds or options may reach the test.
  const outside = Object.entries(process.env).filter(([name]) => !/^(OS_|ZUNLET_|KUBE)/.test(name));
  return {
    start(fate) {
      service = startService({
        name: options.name,
        command: process.execPath,
        args: ['src/main.ts', 'run', ...Object.entries(options.flags).map(([name, value]) => `--${name}=${value}`)],
        cwd: repository,
        env: {
          ...Object.fromEntries(outside),
          ...options.env,
          ZUNLET_TEST_CLOCK: 'jumps',
          ...(fate?.killAt && { ZUNLET_TEST_KILL_AT: fate.killAt }),
        },
        logFile: fate?.isLogFull ? '/dev/full' : options.logFile,
      });
    },
    hasGivenUp: () => service !== undefined && service.exitCode() !== null,
    isAlive: () => service !== undefined && !service.hasEnded(),
    kill: async () => service?.stop('SIGKILL'),
    stop: async () => service?.stop('SIGTERM', 20_000),
    freeze() {
      signal('SIGSTOP');
      return () => signal('SIGCONT');
    },
    jumpClock: () => signal('SIGUSR2'),
  };
}

/** Every moment at which the worker can die: before each kind of step, and before and after the answer to each call. */
export const killPoints = [
  ...['delete', 'await-deletion', 'await-hooks', 'observe-first', 'forget', 'remove-pod', 'nothing', 'confirm', 'fail'],
  ...['reject', 'wait', 'create', 'disown', 'restart', 'follow'],
]
  .map((step) => `planned.${step}`)
  .concat(
    ['create', 'delete', 'get', 'list', 'status', 'remove-pod', 'read-pod'].flatMap((call) => [
      `${call}.sent`,
      `${call}.done`,
    ]),
  );

/** Starts the process with a point to die at; false when it has not come there in half a minute. */
export async function dieAt(seat: Seat, point: string, random: Random): Promise<boolean> {
  const delayMs = point.endsWith('.sent') ? Math.floor(random() * 12) : 0;
  seat.start({ isLogFull: false, killAt: `${point}:1:${delayMs}` });
  await untilDead(seat, 30_000, () => false);
  return !seat.isAlive();
}

/** Lets the process of a seat live and die until `isOver`; then it is left alive. Counts every end in `counts`. */
export async function harass(seat: Seat, { random, counts, isOver, absence }: HarassOptions): Promise<void> {
  const count = (what: string) => {
    counts[what] = (counts[what] ?? 0) + 1;
  };
  const points = shuffled(killPoints, random);
  for (let life = 0; !isOver(); life += 1) {
    await pause(absence[0] + random() * (absence[1] - absence[0]), isOver);
    const point = random() < 0.85 ? points[life % points.length] : undefined;
    const delayMs = point?.endsWith('.sent') ? Math.floor(random() * 12) : 0;
    const isLogFull = random() < 0.15;
    const killAt = point && `${point}:${random() < 0.6 ? 1 : 2 + Math.floor(random() * 4)}:${delayMs}`;
    if (isLogFull) count('log disk full');
    seat.start({ isLogFull, ...(killAt && { killAt }) });
    // One with a point to die at gets time to come there.
    await untilDead(seat, killAt ? 25_000 : 4000 + random() * 12_000, isOver);
    if (isOver()) break;
    if (seat.hasGivenUp()) count('gave up by itself');
    else if (!seat.isAlive()) count(`kill at ${point}`);
    else await end(seat, { random, count, isOver });
    await pause(random() < 0.08 ? 50_000 : random() * 2000, isOver);
  }
  if (seat.isAlive()) await seat.kill();
  seat.start();
}

interface HarassOptions {
  random: Random;
  counts: Record<string, number>;
  isOver: () => boolean;
  /** The least and the most ms that it is away before each life, apart from the time to start again. */
  absence: readonly [number, number];
}

async function end(
  seat: Seat,
  { random, count, isOver }: Pick<HarassOptions, 'random' | 'isOver'> & { count: (what: string) => void },
): Promise<void> {
  const what = random();
  if (what < 0.15) {
    count('clock jump');
    seat.jumpClock();
    await delay(3000 + random() * 4000);
  } else if (what < 0.25) {
    count('frozen for a minute');
    const thaw = seat.freeze();
    await pause(60_000, isOver);
    thaw();
    await delay(5000);
  } else if (what < 0.4) {
    count('stopped');
    return seat.stop();
  }
  count('kill at any moment');
  await seat.kill();
}

function untilDead(seat: Seat, forMs: number, isOver: () => boolean): Promise<void> {
  return pause(forMs, () => !seat.isAlive() || isOver());
}

async function pause(forMs: number, isOver: () => boolean): Promise<void> {
  const deadline = performance.now() + forMs;
  while (performance.now() < deadline && !isOver()) await delay(20);
}

function shuffled<T>(items: readonly T[], random: Random): T[] {
  return items
    .map((item) => ({ item, order: random() }))
    .toSorted((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
