import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { AppError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { type Loaded, loadOptions } from '../config/load.ts';
import { formatDuration } from '../config/option-types.ts';
import { envOf, flagOf, type OptionKey, options } from '../config/options.ts';
import type { Io } from './io.ts';

/** Flags of one command beside the option table. */
export type ExtraFlags = Record<string, { type: 'string' | 'boolean'; short?: string; multiple?: boolean }>;

export interface ParsedFlags {
  loaded: Loaded;
  extra: Record<string, string | boolean | (string | boolean)[] | undefined>;
  positionals: string[];
}

// `Object.keys` widens the keys of the table to strings; the table has no others.
const keys = Object.keys(options) as OptionKey[];

/**
 * Parses the flags of a command that takes all options of the table, and reads the other layers.
 * Errors: `usage` for an unknown flag, with the nearest one; `config.invalid`.
 */
export async function parseFlags(args: string[], io: Pick<Io, 'env'>, extra: ExtraFlags): Promise<ParsedFlags> {
  const known: ExtraFlags = { config: { type: 'string' }, ...extra };
  for (const key of keys) known[flagOf(key)] = { type: isBoolean(key) ? 'boolean' : 'string' };
  const { values, positionals } = parse(args, known);
  const path = values['config'];
  const file = typeof path === 'string' ? { name: path, text: await readConfig(path) } : undefined;
  const flags: Record<string, string | boolean | undefined> = {};
  for (const key of keys) {
    const value = values[flagOf(key)];
    if (typeof value === 'string' || typeof value === 'boolean') flags[flagOf(key)] = value;
  }
  return { loaded: loadOptions({ flags, env: io.env, ...(file && { file }) }), extra: values, positionals };
}

function isBoolean(key: OptionKey): boolean {
  return options[key].type.name === 'boolean';
}

/** Parses flags strictly: `--no-probes` works for booleans; an unknown flag names the nearest one. */
export function parse(args: string[], known: ExtraFlags): { values: ParsedFlags['extra']; positionals: string[] } {
  try {
    // Absent keys are undefined; parseArgs types that away.
    const { values, positionals } = parseArgs({
      args,
      options: known,
      allowPositionals: true,
      allowNegative: true,
      strict: true,
    });
    return { values: { ...values }, positionals };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const unknown = /^Unknown option '(-[^']*)'/.exec(message)?.[1];
    const near = unknown && nearest(unknown.replace(/^--?/, ''), Object.keys(known));
    throw new AppError({
      kind: 'invalid',
      code: 'usage',
      message: unknown
        ? `unknown option ${unknown}${near ? `; did you mean --${near}?` : ''}`
        : (message.split('. To specify')[0] ?? message),
    });
  }
}

async function readConfig(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    throw new AppError({
      kind: 'invalid',
      code: 'config.unreadable',
      message: `reading the configuration file ${path}: ${cause instanceof Error ? cause.message : String(cause)}`,
      cause,
    });
  }
}

/** Writes the option table as help text, by group. */
export function optionHelp(): string {
  const groups = new Map<string, string[]>();
  for (const key of keys) {
    const spec = options[key];
    const shown = defaultText(key);
    const head = `  --${flagOf(key)}${isBoolean(key) ? '' : ` <${spec.type.name}>`}`;
    const lines = [
      head,
      ...wrap(`${spec.doc}${shown === '' ? '' : ` Default: ${shown}.`}`, 94).map((line) => `      ${line}`),
    ];
    groups.set(spec.group, [...(groups.get(spec.group) ?? []), lines.join('\n')]);
  }
  return [...groups].map(([group, rows]) => `${group}\n${rows.join('\n')}`).join('\n\n');
}

/** The default of an option as a user would write it; empty when there is none. */
export function defaultText(key: OptionKey): string {
  const { type, default: value }: { type: { name: string }; default: unknown } = options[key];
  if (type.name === 'duration' && typeof value === 'number') return formatDuration(value);
  if (Array.isArray(value)) return value.join(',');
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value)
      .map(([name, item]) => `${name}=${item}`)
      .join(',');
  }
  return String(value);
}

/** Breaks text at spaces. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return line === '' ? lines : [...lines, line];
}

/** How the layers are named, for help. */
export const layersHelp = `Every option can also stand in a file given by --config, under its key (${'nodeName'}), or in the environment (${envOf('nodeName')}).
Flags win over the environment, the environment over the file, the file over the defaults.`;
