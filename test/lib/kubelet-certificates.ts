import { generateKeyPairSync, type KeyObject, randomBytes } from 'node:crypto';
import { type CertificateSubject, issueCertificate, type KeyPair } from '../../src/server/der.ts';

/** A certificate authority for tests. */
export interface TestAuthority {
  cert: string;
  issue(
    use: 'server' | 'client',
    subject: { commonName: string; organizations?: string[]; ipAddresses?: string[]; dnsNames?: string[] },
    life?: { notBeforeMs: number; notAfterMs: number },
  ): { cert: string; key: string };
  /** Certifies somebody else's key for serving. */
  sign(publicKey: KeyObject, life: { notBeforeMs: number; notAfterMs: number }): string;
}

const hourMs = 3_600_000;

function keyPair(): KeyPair {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' });
}

function serial(): Buffer {
  const bytes = randomBytes(8);
  bytes[0] = 0x11;
  return bytes;
}

function aroundNow() {
  return { notBeforeMs: Date.now() - hourMs, notAfterMs: Date.now() + 24 * hourMs };
}

/** Makes an authority that exists only here. */
export function createTestAuthority(commonName: string): TestAuthority {
  const keys = keyPair();
  const subject: CertificateSubject = { commonName, organizations: [], dnsNames: [], ipAddresses: [] };
  const issuer = { subject, privateKey: keys.privateKey };
  const cert = issueCertificate({
    subject,
    publicKey: keys.publicKey,
    issuer,
    use: 'authority',
    serial: serial(),
    ...aroundNow(),
  });
  return {
    cert,
    sign: (publicKey, life) =>
      issueCertificate({
        subject: { ...subject, commonName: 'system:node:zun-1' },
        publicKey,
        issuer,
        use: 'server',
        serial: serial(),
        ...life,
      }),
    issue(use, { organizations = [], ipAddresses = [], dnsNames = [], ...rest }, life = aroundNow()) {
      const leaf = keyPair();
      return {
        cert: issueCertificate({
          subject: { ...rest, organizations, ipAddresses, dnsNames },
          publicKey: leaf.publicKey,
          issuer,
          use,
          serial: serial(),
          ...life,
        }),
        key: leaf.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      };
    },
  };
}
