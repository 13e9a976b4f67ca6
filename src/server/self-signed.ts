import { generateKeyPairSync } from 'node:crypto';
import { isIP } from 'node:net';
import { type CertificateSubject, issueCertificate, type KeyPair } from './der.ts';

/** A serving certificate with its key, in PEM. The certificate may carry its chain. */
export interface TlsPair {
  cert: string;
  key: string;
}

/** What a serving certificate is made from. */
export interface ServingIdentity {
  node: string;
  /** IP addresses and DNS names by which the API server and scrapers reach the node. */
  addresses: string[];
}

const dayMs = 24 * 3600 * 1000;

/** Makes an EC P-256 key pair. */
export function createServingKeys(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

/** Writes a private key as PKCS#8 PEM. */
export function privateKeyPem(keys: KeyPair): string {
  return keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

/** Sorts addresses into the two kinds of alternative names. Source: the signer kubernetes.io/kubelet-serving. */
export function servingSubject(identity: ServingIdentity): CertificateSubject {
  return {
    commonName: `system:node:${identity.node}`,
    organizations: ['system:nodes'],
    dnsNames: identity.addresses.filter((address) => isIP(address) === 0),
    ipAddresses: identity.addresses.filter((address) => isIP(address) !== 0),
  };
}

/** Makes a certificate that nobody vouches for, valid for a year. `random` gives the serial number's bytes. */
export function selfSignedPair(identity: ServingIdentity, nowMs: number, random: (bytes: number) => Buffer): TlsPair {
  const keys = createServingKeys();
  const serial = random(16);
  serial[0] = ((serial[0] ?? 0) & 0x3f) | 0x40;
  const subject = {
    ...servingSubject(identity),
    commonName: `${identity.node}@${Math.floor(nowMs / 1000)}`,
    organizations: [],
  };
  const cert = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer: { subject, privateKey: keys.privateKey },
    use: 'server',
    notBeforeMs: nowMs - 3600_000,
    notAfterMs: nowMs + 365 * dayMs,
    serial,
  });
  return { cert, key: privateKeyPem(keys) };
}
