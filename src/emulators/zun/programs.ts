import type { Clock } from '../../base/clock.ts';
import type { ProcessSpec } from './process.ts';
import type { ProcessLog } from './process-log.ts';

/** A program in play. */
export interface Program {
  /** SIGTERM: the exit code it ends with, or that it does not care. */
  terminate(): number | 'ignored';
  /** Stops playing. */
  abandon(): void;
}

export interface ProgramStage {
  clock: Clock;
  log: ProcessLog;
  end(code: number): void;
}

/**
 * Plays a container's program. What is known:
 *
 * - environment `PEER_EXIT` (code), `PEER_EXIT_AFTER` (seconds), `PEER_LOG` (a line): whatever the command is;
 * - `sleep N`, `sleep infinity`, `true`, `false`, `exit N`;
 * - everything else stays running.
 */
export function programFor(spec: ProcessSpec, stage: ProgramStage): Program {
  const { environment } = spec;
  if (environment['PEER_LOG'] !== undefined) stage.log.write('stdout', `${environment['PEER_LOG']}\n`);
  const ending = scriptedEnding(spec);
  const cancel = ending ? stage.clock.after(ending.afterMs, () => stage.end(ending.code)) : () => {};
  return { terminate: () => (spec.image.includes('nginx') ? 0 : 143), abandon: cancel };
}

function scriptedEnding(spec: ProcessSpec): { afterMs: number; code: number } | undefined {
  const code = spec.environment['PEER_EXIT'];
  if (code !== undefined) {
    return { afterMs: Number(spec.environment['PEER_EXIT_AFTER'] ?? 0) * 1000, code: Number(code) };
  }
  const [name, argument = ''] = spec.command;
  switch (name?.split('/').at(-1)) {
    case 'true':
      return { afterMs: 0, code: 0 };
    case 'false':
      return { afterMs: 0, code: 1 };
    case 'exit':
      return { afterMs: 0, code: Number(argument) || 0 };
    case 'sleep': {
      const ms = sleepMs(argument);
      return ms === undefined ? undefined : { afterMs: ms, code: 0 };
    }
    default:
      return undefined;
  }
}

/** Reads the argument of `sleep`; undefined for ever. */
export function sleepMs(argument: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(argument);
  if (!match) return undefined;
  const unit = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }[match[2] ?? ''] ?? 1;
  return Number(match[1]) * unit * 1000;
}
