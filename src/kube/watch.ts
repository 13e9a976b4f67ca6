import { AppError } from '../base/errors.ts';
import type { KubeStatus, Meta } from './types.ts';

/** Anything with the metadata that a list and a watch need. */
export interface Stored {
  metadata: Meta;
}

/** One line of a watch. */
export type WatchEvent<T> =
  | { type: 'ADDED' | 'MODIFIED' | 'DELETED'; object: T }
  | { type: 'BOOKMARK'; object: { metadata: { resourceVersion?: string } } }
  | { type: 'ERROR'; object: KubeStatus };

/** Cuts a byte stream into lines. */
export interface LineSplitter {
  /**
   * Takes the next bytes and answers the lines that they complete, without their ends; empty lines are left out.
   * Errors: `retryable` (`kube.line-too-long`).
   */
  push(chunk: Buffer): Buffer[];
}

const lineFeed = 0x0a;

/**
 * Makes a splitter. It works on bytes, so that a character that lies across two chunks stays whole and nothing but a line
 * feed ends a line (U+2028 does not).
 */
export function createLineSplitter(maxBytes: number): LineSplitter {
  let pending: Buffer[] = [];
  let pendingBytes = 0;

  function keep(part: Buffer): void {
    pendingBytes += part.length;
    if (pendingBytes > maxBytes) {
      throw new AppError({
        kind: 'retryable',
        code: 'kube.line-too-long',
        message: `reading a watch: a line is longer than ${maxBytes} bytes`,
      });
    }
    if (part.length > 0) pending.push(part);
  }
  return {
    push(chunk) {
      const lines: Buffer[] = [];
      let from = 0;
      for (let end = chunk.indexOf(lineFeed); end !== -1; end = chunk.indexOf(lineFeed, from)) {
        keep(chunk.subarray(from, end));
        const line = pending.length === 1 && pending[0] ? pending[0] : Buffer.concat(pending);
        if (line.length > 0) lines.push(line);
        pending = [];
        pendingBytes = 0;
        from = end + 1;
      }
      keep(chunk.subarray(from));
      return lines;
    },
  };
}

const types = new Set(['ADDED', 'MODIFIED', 'DELETED', 'BOOKMARK', 'ERROR']);

/**
 * Parses one line. Undefined for an event type that this version does not know. Drops `managedFields`, which are up to
 * half of an object and nobody reads.
 * Errors: `retryable` (`kube.garbage`).
 */
export function parseWatchEvent<T extends Stored>(line: Buffer, attempt: string): WatchEvent<T> | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(line.toString('utf8'));
  } catch (error) {
    throw garbage(attempt, error);
  }
  if (typeof parsed !== 'object' || parsed === null || !('type' in parsed) || !('object' in parsed)) {
    throw garbage(attempt, undefined);
  }
  if (typeof parsed.type !== 'string' || !types.has(parsed.type)) return undefined;
  // The API server promises the shape that goes with each type; what we read of it is checked below.
  const event = parsed as WatchEvent<T>;
  if (event.type === 'BOOKMARK' || event.type === 'ERROR') return event;
  if (typeof event.object?.metadata?.uid !== 'string') throw garbage(attempt, undefined);
  delete event.object.metadata.managedFields;
  return event;
}

function garbage(attempt: string, cause: unknown): AppError {
  return new AppError({
    kind: 'retryable',
    code: 'kube.garbage',
    message: `${attempt}: a line of the watch is not a watch event`,
    cause,
  });
}
