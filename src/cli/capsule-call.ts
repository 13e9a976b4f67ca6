import { AppError } from '../base/errors.ts';
import { durationType } from '../config/option-types.ts';
import type { Io } from './io.ts';
import type { ParsedFlags } from './option-flags.ts';

/** The flags of one call of `zunlet capsule`, and what follows its verb. */
export interface CapsuleCall {
  io: Io;
  flags: ParsedFlags['extra'];
  names: string[];
}

/** Makes the error for a wrong command line. */
export function usage(message: string, meant?: string): AppError {
  return new AppError({
    kind: 'invalid',
    code: 'usage',
    message: meant ? `${message}; did you mean ${meant}?` : message,
  });
}

/** The text of a flag that was given one. */
export function textFlag(flags: ParsedFlags['extra'], name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}

/** The milliseconds of a duration flag. Errors: `usage`. */
export function durationFlag(flags: CapsuleCall['flags'], name: string, otherwise: number): number {
  const value = textFlag(flags, name);
  if (value === undefined) return otherwise;
  try {
    return durationType.parse(value);
  } catch (error) {
    throw usage(`--${name}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
