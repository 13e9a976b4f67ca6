import { open } from 'node:fs/promises';
import { isMap, isScalar, LineCounter, type Node, parseDocument, visit } from 'yaml';
import { AppError } from '../base/errors.ts';

/** Largest file that is read, in bytes. A clouds.yaml is a few kilobytes. */
const maxFileBytes = 1024 * 1024;

/** A value of a parsed file: every scalar is its text, so that no password or id loses its leading zeros. */
export type CloudValue = string | null | CloudValue[] | { [key: string]: CloudValue };

/** One parsed clouds file. */
export interface CloudsFile {
  path: string;
  root: Record<string, CloudValue>;
  /** Says where a key stands, `FILE line N`; the file alone when the key is not in it. */
  where(keys: string[]): string;
  has(keys: string[]): boolean;
}

/** Tells whether a parsed value is a map. */
export function isRecord(value: unknown): value is Record<string, CloudValue> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Makes the error for a clouds file or variable that cannot be used; the message must not hold values of secrets. */
export function cloudError(code: string, message: string, cause?: unknown): AppError {
  return new AppError({ kind: 'invalid', code, message: `reading the OpenStack cloud: ${message}`, cause });
}

/** Keys may be written with `-` or `_`. */
export function keyName(key: string): string {
  return key.replaceAll('-', '_');
}

/**
 * Reads a text file of at most 1 MiB; undefined when it does not exist.
 * Errors: `cloud.unreadable`, `cloud.too-large`.
 */
export async function readTextFile(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size > maxFileBytes) throw tooLarge(path);
      const buffer = Buffer.alloc(maxFileBytes + 1);
      let length = 0;
      for (;;) {
        const { bytesRead } = await file.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
        if (length > maxFileBytes) throw tooLarge(path);
      }
      return buffer.toString('utf8', 0, length);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = (error as NodeJS.ErrnoException).code; // open, stat and read throw nothing else
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw cloudError('cloud.unreadable', `${path} cannot be read: ${code ?? String(error)}`, error);
  }
}

function tooLarge(path: string): AppError {
  return cloudError('cloud.too-large', `${path} is larger than ${maxFileBytes} bytes`);
}

/**
 * Parses a clouds file (YAML or JSON), which must be a map.
 * Errors: `cloud.malformed` with the line, `cloud.too-large`.
 */
export function parseCloudsFile(path: string, text: string): CloudsFile {
  if (text.length > maxFileBytes) throw tooLarge(path);
  const lines = new LineCounter();
  try {
    const document = parseDocument(text, { schema: 'failsafe', merge: true, lineCounter: lines, prettyErrors: false });
    const problem = document.errors[0];
    if (problem) {
      const { line } = lines.linePos(problem.pos[0]);
      throw cloudError('cloud.malformed', `${path} line ${line} is not YAML: ${problem.code.toLowerCase()}`);
    }
    visit(document, {
      Scalar(_, node) {
        if (node.type === 'PLAIN' && /^(~|null|)$/i.test(String(node.value ?? ''))) node.value = null;
      },
    });
    const root: unknown = document.toJS({ maxAliasCount: 100 }) ?? {};
    if (!isRecord(root)) throw cloudError('cloud.malformed', `${path} must hold a map with the key clouds`);
    const find = (keys: string[]) => findKey(document.contents, keys);
    return {
      path,
      root,
      has: (keys) => find(keys) !== undefined,
      where(keys) {
        const start = find(keys);
        return start === undefined ? path : `${path} line ${lines.linePos(start).line}`;
      },
    };
  } catch (error) {
    if (error instanceof AppError) throw error;
    // Nested so deeply that the stack is exhausted, or a bomb of aliases. The parser's own text may quote a password.
    throw cloudError('cloud.malformed', `${path} is not YAML that can be understood`);
  }
}

function findKey(node: Node | null, keys: string[]): number | undefined {
  let current: unknown = node;
  let start: number | undefined;
  for (const key of keys) {
    if (!isMap(current)) return undefined;
    const pair = current.items.find((item) => isScalar(item.key) && keyName(String(item.key.value)) === keyName(key));
    if (!pair) return undefined;
    start = isScalar(pair.key) ? pair.key.range?.[0] : undefined;
    current = pair.value;
  }
  return start;
}
