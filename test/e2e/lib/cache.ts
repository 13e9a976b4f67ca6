import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

/** What a cached folder is made from, and how. */
export interface CachedFolder {
  /** First part of the folder's name. */
  name: string;
  /** Everything that decides what is built: file contents, versions. A change makes a new folder. */
  inputs: string[];
  /** Fills the folder. When it throws, the folder is removed. */
  build: (folder: string) => Promise<void>;
}

/** The folder that outlives test runs: `ZUNLET_CACHE`, else `~/.cache/zunlet`. */
export function cacheRoot(): string {
  return resolve(process.env['ZUNLET_CACHE'] ?? join(homedir(), '.cache', 'zunlet'));
}

/**
 * Answers a folder that `build` filled, built at most once for the same inputs, also when several processes ask at the
 * same time. A folder counts as built only when its last file, `.complete`, is there.
 */
export async function cachedFolder({ name, inputs, build }: CachedFolder): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 12);
  const folder = join(cacheRoot(), `${name}-${hash}`);
  const complete = join(folder, '.complete');
  if (existsSync(complete)) return folder;
  mkdirSync(cacheRoot(), { recursive: true });
  const unlock = await lock(`${folder}.lock`);
  try {
    if (existsSync(complete)) return folder;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await build(folder);
    writeFileSync(complete, '');
    return folder;
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  } finally {
    unlock();
  }
}

/** Takes a lock file that holds our pid; one left by a process that died is taken over. */
async function lock(path: string): Promise<() => void> {
  for (;;) {
    try {
      const file = openSync(path, 'wx');
      writeSync(file, String(process.pid));
      return () => rmSync(path, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    if (!isAlive(readPid(path))) rmSync(path, { force: true });
    else await delay(500);
  }
}

function readPid(path: string): number {
  try {
    return Number(readFileSync(path, 'utf8')) || process.pid;
  } catch {
    return process.pid;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
