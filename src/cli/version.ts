import { readFileSync } from 'node:fs';

/** Written into a bundle by scripts/build.ts; there is no such thing outside of one. */
declare const ZUNLET_VERSION: string;

/** The version of the program: the one that a bundle was built as, else that of its package.json. */
export const version: string = typeof ZUNLET_VERSION === 'string' ? ZUNLET_VERSION : readVersion();

function readVersion(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  throw new Error('package.json has no version');
}
