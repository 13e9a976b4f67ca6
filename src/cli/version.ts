import { readFileSync } from 'node:fs';

/** The version of the program, from its package.json; `0.0.0` where a bundle was built without one. */
export const version: string = readVersion();

function readVersion(): string {
  try {
    const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version);
  } catch {
    // A bundle stands alone; the build replaces this.
  }
  return '0.0.0';
}
