import { parse as parseYaml } from 'yaml';
import { AppError } from '../base/errors.ts';
import { nearest } from '../base/nearest.ts';
import { envOf, flagOf, type OptionKey, type Options, options } from './options.ts';

export interface Loaded {
  values: Options;
  origin: Record<OptionKey, string>;
}

export interface Sources {
  /** Values of `--flags`, by flag name; unknown flags were refused before. */
  flags: Readonly<Record<string, string | boolean | undefined>>;
  env: Readonly<Record<string, string | undefined>>;
  /** The text of the configuration file and its name, if one was given. */
  file?: { name: string; text: string };
}

const maxFileBytes = 1 << 20;
/** A problem that quotes a huge value is cut. */
const maxLine = 500;
// `Object.keys` widens the keys of the table to strings; the table has no others.
const keys = Object.keys(options) as OptionKey[];
const notOptions = new Set(['ZUNLET_CACHE']);
/** Switches of the chaos tests; see `src/cli/test-hooks.ts`. */
const testPrefix = 'ZUNLET_TEST_';

/**
 * Reads the options from all layers. Every problem of every layer is found before it gives up.
 * Errors: `config.invalid` with one line a problem.
 */
export function loadOptions(sources: Sources): Loaded {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const origin: Record<string, string> = {};
  for (const key of keys) {
    values[key] = options[key].default;
    origin[key] = 'default';
  }
  const set = (key: OptionKey, raw: unknown, from: string) => {
    try {
      values[key] = options[key].type.parse(raw);
      origin[key] = from;
    } catch (error) {
      problems.push(`${from}: ${error instanceof Error ? error.message : String(error)}`);
    }
  };

  if (sources.file) readFile(sources.file, set, problems);
  readEnvironment(sources.env, set, problems);
  for (const key of keys) {
    const raw = sources.flags[flagOf(key)];
    if (raw !== undefined) set(key, raw, `--${flagOf(key)}`);
  }
  if (problems.length > 0) {
    const lines = problems.map((problem) => (problem.length > maxLine ? `${problem.slice(0, maxLine)}…` : problem));
    throw new AppError({
      kind: 'invalid',
      code: 'config.invalid',
      message: `reading the options: ${problems.length === 1 ? '' : `${problems.length} problems:\n  `}${lines.join('\n  ')}`,
    });
  }
  // Every key was filled from the table by its own parser, so the shape is that of Options.
  return { values: values as Options, origin: origin as Record<OptionKey, string> };
}

function readFile(
  file: { name: string; text: string },
  set: (key: OptionKey, raw: unknown, from: string) => void,
  problems: string[],
): void {
  if (file.text.length > maxFileBytes) {
    problems.push(`${file.name}: larger than ${maxFileBytes} bytes`);
    return;
  }
  let content: unknown;
  try {
    content = parseYaml(file.text, { maxAliasCount: 0, logLevel: 'error' });
  } catch (error) {
    problems.push(
      `${file.name}: not YAML: ${error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error)}`,
    );
    return;
  }
  if (content === null || content === undefined) return;
  if (typeof content !== 'object' || Array.isArray(content)) {
    problems.push(`${file.name}: expected a map of option names to values`);
    return;
  }
  for (const [key, raw] of Object.entries(content)) {
    const known = keys.find((name) => name === key);
    if (known) set(known, raw, `${file.name}: ${key}`);
    else problems.push(`${file.name}: unknown option ${key}${suggestion(key, keys)}`);
  }
}

function readEnvironment(
  env: Readonly<Record<string, string | undefined>>,
  set: (key: OptionKey, raw: unknown, from: string) => void,
  problems: string[],
): void {
  const byEnv = new Map(keys.map((key) => [envOf(key), key]));
  for (const [name, raw] of Object.entries(env)) {
    if (!name.startsWith('ZUNLET_') || raw === undefined || notOptions.has(name)) continue;
    if (name.startsWith(testPrefix)) continue;
    const key = byEnv.get(name);
    if (key) set(key, raw, name);
    else problems.push(`${name}: no such option${suggestion(name, byEnv.keys())}`);
  }
}

function suggestion(word: string, known: Iterable<string>): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${near}?`;
}

/** Shows each value and the layer it came from; secrets as `***`. */
export function describeOptions(loaded: Loaded): { key: OptionKey; value: unknown; from: string }[] {
  return keys.map((key) => {
    const spec: { secret?: boolean } = options[key];
    return { key, value: spec.secret ? '***' : loaded.values[key], from: loaded.origin[key] };
  });
}
