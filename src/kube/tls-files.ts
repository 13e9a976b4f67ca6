import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import { AppError, toAppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { TlsIdentity } from '../http/transport.ts';
import { rereadMs } from './credentials.ts';
import { readLimited } from './files.ts';
import type { KubeAccess, PemSource } from './kubeconfig.ts';

/** The certificates of a kubeconfig, as they are in their files now. */
export interface TlsFiles {
  current(): TlsIdentity;
  /**
   * Reads the files again when a minute has passed, and answers whether they changed. The first call fails when they are
   * no good (`auth.bad-certificate`, `auth.unreadable`); later ones keep what was good.
   */
  refresh(): Promise<boolean>;
  /** Makes the next refresh read. */
  forget(): void;
}

const maxPemBytes = 4 * 1024 * 1024;

/** Makes the reader of the certificates. */
export function createTlsFiles(access: KubeAccess, clock: Clock, log: Log): TlsFiles {
  const { ca, cert, key } = access;
  const hasFiles = [ca, cert, key].some(({ file }) => file !== undefined);
  let tls: TlsIdentity | undefined;
  let readAtMs = Number.NEGATIVE_INFINITY;

  async function read(): Promise<TlsIdentity> {
    const [caText, certText, keyText] = await Promise.all([ca, cert, key].map(readPem));
    checkPair(certText, keyText, access.source);
    return {
      ...(caText !== undefined && { ca: caText }),
      ...(certText !== undefined && { cert: certText }),
      ...(keyText !== undefined && { key: keyText }),
      ...(access.tlsServerName !== undefined && { servername: access.tlsServerName }),
      ...(access.insecure && { insecure: true }),
    };
  }
  return {
    current: () => tls ?? {},
    async refresh() {
      if (tls && (!hasFiles || clock.monotonic() - readAtMs < rereadMs)) return false;
      readAtMs = clock.monotonic();
      if (!tls) {
        tls = await read();
        return false;
      }
      try {
        const next = await read();
        if (JSON.stringify(next) === JSON.stringify(tls)) return false;
        tls = next;
        return true;
      } catch (thrown) {
        // Certificate and key are replaced one after the other: between the two they do not fit. The old pair still does.
        log.warn('kubernetes certificates not reloaded', { err: toAppError(thrown).message });
        return false;
      }
    },
    forget() {
      readAtMs = Number.NEGATIVE_INFINITY;
    },
  };
}

async function readPem({ text, file }: PemSource): Promise<string | undefined> {
  if (text !== undefined || file === undefined) return text;
  const attempt = `reading certificate file ${file}`;
  const read = await readLimited(file, maxPemBytes, attempt);
  if (read?.includes('-----BEGIN')) return read;
  const reason = read === undefined ? 'there is no such file' : 'it is not PEM text';
  throw new AppError({ kind: 'invalid', code: 'auth.bad-certificate', message: `${attempt}: ${reason}` });
}

function checkPair(cert: string | undefined, key: string | undefined, source: string): void {
  if (cert === undefined && key === undefined) return;
  const refuse = (reason: string, cause?: unknown) =>
    new AppError({
      kind: 'invalid',
      code: 'auth.bad-certificate',
      message: `reading the client certificate of ${source}: ${reason}`,
      cause,
    });
  if (cert === undefined || key === undefined) throw refuse('certificate and key go together');
  let fits: boolean;
  try {
    fits = new X509Certificate(cert).checkPrivateKey(createPrivateKey(key));
  } catch (error) {
    throw refuse('it cannot be parsed', error);
  }
  if (!fits) throw refuse('the key does not belong to it');
}
