import { X509Certificate } from 'node:crypto';
import { backoffMs } from '../base/backoff.ts';
import { type Clock, sleep } from '../base/clock.ts';
import { AppError } from '../base/errors.ts';
import type { Log } from '../base/log.ts';
import type { Random } from '../base/random.ts';
import { certificateRequest } from './der.ts';
import { createServingKeys, privateKeyPem, type ServingIdentity, servingSubject, type TlsPair } from './self-signed.ts';
import { checkPair } from './serving-pair.ts';

/** What the API server says about a certificate request. */
export interface SigningState {
  /** PEM, with chain. */
  certificate?: string;
  /** Why it will never be signed. */
  refused?: string;
}

/** The calls on CertificateSigningRequests (certificates.k8s.io/v1). Errors are `AppError`s. */
export interface CertificateSigner {
  /** Creates the object and answers its name. */
  create(request: {
    csr: string;
    signerName: string;
    usages: string[];
    expirationSeconds?: number;
    signal: AbortSignal;
  }): Promise<string>;
  read(name: string, signal: AbortSignal): Promise<SigningState>;
  /** Adds the condition Approved. */
  approve(name: string, signal: AbortSignal): Promise<void>;
}

export interface SignedCertificateOptions {
  mode: { signer: CertificateSigner; approve: boolean; expirationSeconds?: number };
  identity: () => ServingIdentity;
  clock: Clock;
  random: Random;
  log: Log;
  onChange(pair: TlsPair): void;
  onError(error: unknown): void;
}

const signerName = 'kubernetes.io/kubelet-serving';
const usages = ['digital signature', 'server auth'];
const pollLimits = { firstMs: 2_000, maxMs: 30_000 };
const retryLimits = { firstMs: 30_000, maxMs: 600_000 };
const waitMs = 15 * 60_000;
const lookMs = 60_000;

/**
 * Keeps a certificate that the cluster signs: asks, waits up to 15 minutes for the approval, and asks again at a random
 * 70 to 90 % of its life, but never before half of what was left of it has passed, or when the node's addresses change. Failures are reported and tried again; it never throws.
 */
export function followSignedCertificate(options: SignedCertificateOptions): { stop(): void } {
  const { clock } = options;
  const stopped = new AbortController();
  const run = async (): Promise<void> => {
    let failures = 0;
    while (!stopped.signal.aborted) {
      const addresses = addressKey(options.identity());
      try {
        const pair = await requestPair(options, stopped.signal);
        failures = 0;
        options.onChange(pair);
        await waitForRenewal(options, pair, { addresses, signal: stopped.signal });
      } catch (error) {
        if (stopped.signal.aborted) return;
        options.onError(error);
        await sleep(clock, backoffMs(failures, retryLimits, options.random), stopped.signal);
        failures += 1;
      }
    }
  };
  run().catch(() => {});
  return { stop: () => stopped.abort() };
}

async function requestPair(options: SignedCertificateOptions, signal: AbortSignal): Promise<TlsPair> {
  const { clock, mode } = options;
  const keys = createServingKeys();
  const name = await mode.signer.create({
    csr: certificateRequest(servingSubject(options.identity()), keys),
    signerName,
    usages,
    ...(mode.expirationSeconds !== undefined && { expirationSeconds: mode.expirationSeconds }),
    signal,
  });
  options.log.info('serving certificate requested', { request: name });
  if (mode.approve) await mode.signer.approve(name, signal);
  const deadline = clock.monotonic() + waitMs;
  for (let attempt = 0; clock.monotonic() < deadline; attempt++) {
    const state = await mode.signer.read(name, signal);
    if (state.refused !== undefined) {
      throw signingError('serving.refused', `certificate request ${name} was refused: ${state.refused}`);
    }
    if (state.certificate !== undefined) {
      const pair = { cert: state.certificate, key: privateKeyPem(keys) };
      return checkPair(pair, (certificate) => certificate.checkPrivateKey(keys.privateKey));
    }
    await sleep(clock, backoffMs(attempt, pollLimits, options.random), signal);
  }
  throw signingError(
    'serving.not-approved',
    `certificate request ${name} was not approved within ${waitMs / 60_000} minutes`,
  );
}

async function waitForRenewal(
  options: SignedCertificateOptions,
  pair: TlsPair,
  issued: { addresses: string; signal: AbortSignal },
): Promise<void> {
  const { clock, random } = options;
  const certificate = new X509Certificate(pair.cert);
  const from = new Date(certificate.validFrom).getTime();
  const until = new Date(certificate.validTo).getTime();
  // Signers date certificates back by minutes: a short one would be due for renewal when it comes.
  const halfLeftMs = (clock.now() + until) / 2;
  const renewAtMs = Math.max(from + (until - from) * (0.7 + 0.2 * random()), halfLeftMs);
  while (clock.now() < renewAtMs && addressKey(options.identity()) === issued.addresses) {
    await sleep(clock, Math.min(lookMs, Math.max(1, renewAtMs - clock.now())), issued.signal);
  }
}

function addressKey(identity: ServingIdentity): string {
  return [...identity.addresses].sort().join(' ');
}

function signingError(code: string, message: string): AppError {
  return new AppError({ kind: 'forbidden', code, message: `asking for a serving certificate: ${message}` });
}
