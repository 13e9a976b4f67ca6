import { type ParseArgsConfig, parseArgs } from 'node:util';

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Options> = ReturnType<typeof parseArgs<{ options: T; allowPositionals: true; strict: true }>>;

/** Reads the flags of a command of the tests: `--help` prints the help and ends with 0, a wrong flag says which, and ends with 2. */
export function readFlags<const T extends Options>(help: string, options: T): Parsed<T> {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(help);
    process.exit(0);
  }
  try {
    return parseArgs({ args, options, allowPositionals: true, strict: true });
  } catch (thrown) {
    return wrongUsage(help, thrown instanceof Error ? thrown.message : String(thrown));
  }
}

/** Says what is wrong with the flags, shows the help and ends with 2. */
export function wrongUsage(help: string, what: string): never {
  process.stderr.write(`${what}\n\n${help}`);
  process.exit(2);
}
