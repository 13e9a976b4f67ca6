import { X509Certificate } from 'node:crypto';
import type { Clock } from '../base/clock.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { type ServingIdentity, selfSignedPair, type TlsPair } from './self-signed.ts';
import { type CertificateSigner, followSignedCertificate } from './serving-csr.ts';
import { followCertificateFiles } from './serving-files.ts';

/** Where the serving certificate comes from. */
export type ServingMode =
  | { kind: 'files'; certFile: string; keyFile: string }
  /** `approve`: this identity may approve its own request. */
  | { kind: 'csr'; signer: CertificateSigner; approve: boolean; expirationSeconds?: number }
  | { kind: 'self-signed' };

export interface ServingOptions {
  mode: ServingMode;
  /** Read again now and then: a new set of addresses asks for a new certificate. */
  identity: () => ServingIdentity;
  clock: Clock;
  random: Random;
  /** Bytes nobody can guess. */
  randomBytes: (bytes: number) => Buffer;
  log: Log;
}

/** What the serving certificate is, for metrics. */
export interface ServingView {
  /** When the one in use ends, in wall-clock ms. */
  notAfterMs: number;
  /** Ages, in seconds, at which certificates were replaced since the start. */
  rotationAgesSeconds: number[];
  renewErrors: number;
  isSelfSigned: boolean;
}

/** The serving certificate and what keeps it fresh. */
export interface ServingCertificate {
  /** Resolves with a usable pair: from the files, or a self-signed one until the signer has answered. */
  start(onChange: (pair: TlsPair) => void): Promise<TlsPair>;
  view(): ServingView;
  stop(): void;
}

/**
 * Keeps a serving certificate. Files are read again when they change; a signed one is renewed at 70 to 90 % of its life
 * and when the addresses change; until it is there, and in the mode `self-signed`, clients cannot verify the node.
 * Errors of `start`: `serving.files`.
 */
export function createServingCertificate(options: ServingOptions): ServingCertificate {
  const { clock, log, mode } = options;
  let view: ServingView = { notAfterMs: 0, rotationAgesSeconds: [], renewErrors: 0, isSelfSigned: false };
  let sinceMs = 0;
  let stop = (): void => {};

  function use(pair: TlsPair, isSelfSigned: boolean): TlsPair {
    const notAfterMs = new Date(new X509Certificate(pair.cert).validTo).getTime();
    if (sinceMs !== 0) view.rotationAgesSeconds.push((clock.now() - sinceMs) / 1000);
    sinceMs = clock.now();
    view = { ...view, notAfterMs, isSelfSigned };
    return pair;
  }
  function selfSigned(): TlsPair {
    return use(selfSignedPair(options.identity(), clock.now(), options.randomBytes), true);
  }
  function onError(error: unknown): void {
    view = { ...view, renewErrors: view.renewErrors + 1 };
    log.error('renewing the serving certificate failed', { err: error });
  }
  return {
    async start(onChange) {
      if (mode.kind === 'files') {
        const files = await followCertificateFiles(mode, clock, {
          onChange(pair) {
            onChange(use(pair, false));
            log.info('serving certificate read again');
          },
          onError,
        });
        stop = files.stop;
        return use(files.pair, false);
      }
      log.warn('serving with a self-signed certificate: clients cannot verify this node', { mode: mode.kind });
      if (mode.kind === 'self-signed') {
        stop = renewSelfSigned(clock, () => onChange(selfSigned()));
        return selfSigned();
      }
      const signed = followSignedCertificate({
        ...options,
        mode,
        onError,
        onChange(pair) {
          onChange(use(pair, false));
          log.info('serving certificate issued', { notAfter: new Date(view.notAfterMs).toISOString() });
        },
      });
      stop = signed.stop;
      return selfSigned();
    },
    view: () => view,
    stop: () => stop(),
  };
}

const renewSelfSignedMs = 240 * 24 * 3600 * 1000;
const maxDelayMs = 20 * 24 * 3600 * 1000;

function renewSelfSigned(clock: Clock, renew: () => void): () => void {
  let dueMs = clock.monotonic() + renewSelfSignedMs;
  let cancel = (): void => {};
  const arm = (): void => {
    if (clock.monotonic() >= dueMs) {
      dueMs = clock.monotonic() + renewSelfSignedMs;
      renew();
    }
    cancel = clock.after(Math.min(dueMs - clock.monotonic(), maxDelayMs), arm);
  };
  arm();
  return () => cancel();
}
