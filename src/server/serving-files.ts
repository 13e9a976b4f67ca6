import { createPrivateKey } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Clock } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { TlsPair } from './self-signed.ts';
import { checkPair } from './serving-pair.ts';

const everyMs = 30_000;

/**
 * Reads a certificate and its key from files, and again every 30 s; a mounted Secret changes behind links, which file
 * watching misses. A pair that does not fit together, as between two writes, is left for the next look.
 * Errors: `serving.files` at the first read.
 */
export async function followCertificateFiles(
  files: { certFile: string; keyFile: string },
  clock: Clock,
  listener: { onChange(pair: TlsPair): void; onError(error: unknown): void },
): Promise<{ pair: TlsPair; stop(): void }> {
  const pair = await readPair(files);
  let last = pair;
  let cancel = clock.after(everyMs, look);
  let isStopped = false;
  function look(): void {
    again()
      .catch((error: unknown) => listener.onError(error))
      .finally(() => {
        if (!isStopped) cancel = clock.after(everyMs, look);
      });
  }
  async function again(): Promise<void> {
    const next = await readPair(files);
    if (isStopped || (next.cert === last.cert && next.key === last.key)) return;
    last = next;
    listener.onChange(next);
  }
  return {
    pair,
    stop() {
      isStopped = true;
      cancel();
    },
  };
}

/** Reads a certificate and its key and checks that they belong together. Errors: `serving.files`. */
export async function readPair(files: { certFile: string; keyFile: string }): Promise<TlsPair> {
  try {
    const [cert, key] = await Promise.all([readFile(files.certFile, 'utf8'), readFile(files.keyFile, 'utf8')]);
    const privateKey = createPrivateKey(key);
    return checkPair({ cert, key }, (certificate) => certificate.checkPrivateKey(privateKey));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new AppError({
      kind: 'invalid',
      code: 'serving.files',
      message: `reading the serving certificate from ${files.certFile} and ${files.keyFile}: ${reason}`,
      cause: error,
    });
  }
}
