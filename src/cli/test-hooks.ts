import type { Testing } from '../agent/testing.ts';
import { type Clock, systemClock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';

/** What tests ask of this process. */
export interface TestHooks {
  testing: Testing;
  clock: Clock;
}

const hourMs = 3_600_000;

/**
 * Reads what the chaos tests ask for, and only they: none of it is an option, a node in use has none of it set.
 *
 * - `ZUNLET_TEST_KILL_AT=create.sent:2:5` ends this process as kill -9 does, 5 ms after the second time that it is at that point
 * - `ZUNLET_TEST_TIME_RULE=off` switches the rule about time off
 * - `ZUNLET_TEST_CLOCK=jumps` makes the wall clock jump at each SIGUSR2: an hour ahead, two hours back, and home
 *
 * Undefined without any of them. Errors: `usage` for one that is malformed.
 */
export function testHooks(env: Record<string, string | undefined>): TestHooks | undefined {
  const killAt = env['ZUNLET_TEST_KILL_AT'];
  const timeRule = env['ZUNLET_TEST_TIME_RULE'];
  const clock = env['ZUNLET_TEST_CLOCK'];
  if (killAt === undefined && timeRule === undefined && clock === undefined) return undefined;
  if ((timeRule ?? 'off') !== 'off') throw malformed('ZUNLET_TEST_TIME_RULE takes off');
  if ((clock ?? 'jumps') !== 'jumps') throw malformed('ZUNLET_TEST_CLOCK takes jumps');
  return {
    testing: { timeRule: timeRule === undefined, at: killAt === undefined ? () => {} : killer(killAt) },
    clock: clock === undefined ? systemClock : jumpingClock(),
  };
}

function killer(text: string): (point: string) => void {
  const [, point, nth, delayMs = '0'] = /^([a-z.-]+):(\d+)(?::(\d+))?$/.exec(text) ?? [];
  if (point === undefined) throw malformed('ZUNLET_TEST_KILL_AT takes point:n or point:n:ms');
  const kill = () => process.kill(process.pid, 'SIGKILL');
  let left = Number(nth);
  return (passed) => {
    if (passed !== point || --left !== 0) return;
    if (delayMs === '0') kill();
    else setTimeout(kill, Number(delayMs));
  };
}

function jumpingClock(): Clock {
  const offsets = [0, hourMs, -hourMs];
  let jumps = 0;
  process.on('SIGUSR2', () => {
    jumps += 1;
  });
  return { ...systemClock, now: () => systemClock.now() + (offsets[jumps % offsets.length] ?? 0) };
}

function malformed(message: string): AppError {
  return new AppError({ kind: 'invalid', code: 'usage', message });
}
