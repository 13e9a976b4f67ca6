import { createReadStream } from 'node:fs';
import { AppError } from '../base/errors.ts';

/**
 * Reads a small text file; undefined when it does not exist. Never reads more than the limit, whatever the file claims.
 * Errors, `invalid`: `auth.unreadable`, `auth.too-large`.
 */
export async function readLimited(file: string, maxBytes: number, attempt: string): Promise<string | undefined> {
  try {
    const chunks: Buffer[] = [];
    let bytes = 0;
    // Without an encoding a file stream yields buffers only; `end` is inclusive, so one byte too many can be seen.
    for await (const chunk of createReadStream(file, { end: maxBytes }) as AsyncIterable<Buffer>) {
      chunks.push(chunk);
      bytes += chunk.length;
    }
    if (bytes > maxBytes) throw tooLarge(attempt, maxBytes);
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (error instanceof AppError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError({ kind: 'invalid', code: 'auth.unreadable', message: `${attempt}: ${reason}`, cause: error });
  }
}

function tooLarge(attempt: string, maxBytes: number): AppError {
  return new AppError({
    kind: 'invalid',
    code: 'auth.too-large',
    message: `${attempt}: it is larger than ${maxBytes} bytes`,
  });
}
