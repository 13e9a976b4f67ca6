import { X509Certificate } from 'node:crypto';
import { AppError } from '../base/errors.ts';
import type { TlsPair } from './self-signed.ts';

/** Checks that a certificate and a key are readable and belong together. Errors: `serving.pair`. */
export function checkPair(pair: TlsPair, matches: (certificate: X509Certificate) => boolean): TlsPair {
  let certificate: X509Certificate;
  try {
    certificate = new X509Certificate(pair.cert);
  } catch (error) {
    throw pairError('the certificate cannot be read', error);
  }
  if (!matches(certificate)) throw pairError('the certificate is not of this key');
  return pair;
}

function pairError(what: string, cause?: unknown): AppError {
  return new AppError({
    kind: 'invalid',
    code: 'serving.pair',
    message: `using a serving certificate: ${what}`,
    cause,
  });
}
