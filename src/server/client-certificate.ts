import { X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { UserInfo } from './auth.ts';

/** Tells who stands behind a connection by its client certificate. */
export interface CertificateVerifier {
  /** Undefined when there is no certificate, or none that the current authorities vouch for. */
  user(socket: TLSSocket): UserInfo | undefined;
  /** Other authorities from now on. Connections that are open are judged again. */
  setAuthorities(pem: string | undefined): void;
}

interface Verdict {
  user: UserInfo | undefined;
  validToMs: number;
  generation: number;
}

/**
 * Makes a verifier. The TLS layer checks the chain and the purpose at the handshake; since connections outlive a change of
 * the authorities, the certificate's issuer is checked again after each. Source: client-go's x509 authenticator: user is
 * the common name, groups are the organizations.
 */
export function createCertificateVerifier(now: () => number): CertificateVerifier {
  const verdicts = new WeakMap<TLSSocket, Verdict>();
  let authorities: X509Certificate[] = [];
  let generation = 0;

  function judge(socket: TLSSocket, before: Verdict | undefined): Verdict {
    const certificate = socket.getPeerX509Certificate();
    const none = { user: undefined, validToMs: Number.POSITIVE_INFINITY, generation };
    if (!certificate) return none;
    // At first the handshake's verdict, which knows intermediates; later the authorities of today.
    const isTrusted = before ? before.user !== undefined && isIssuedBy(certificate, authorities) : socket.authorized;
    if (!isTrusted) return none;
    const user = subjectUser(socket);
    return { user, validToMs: new Date(certificate.validTo).getTime(), generation };
  }
  return {
    user(socket) {
      let verdict = verdicts.get(socket);
      if (verdict?.generation !== generation) {
        verdict = judge(socket, verdict);
        verdicts.set(socket, verdict);
      }
      return verdict.validToMs > now() ? verdict.user : undefined;
    },
    setAuthorities(pem) {
      authorities = splitPem(pem ?? '').flatMap(parse);
      generation += 1;
    },
  };
}

function subjectUser(socket: TLSSocket): UserInfo | undefined {
  const subject: { CN?: string | string[]; O?: string | string[] } = socket.getPeerCertificate().subject;
  const name = subject.CN;
  if (typeof name !== 'string' || name === '') return undefined;
  const groups = subject.O === undefined ? [] : Array.isArray(subject.O) ? subject.O : [subject.O];
  return { username: name, groups: [...groups, 'system:authenticated'] };
}

function isIssuedBy(certificate: X509Certificate, authorities: X509Certificate[]): boolean {
  return authorities.some((authority) => certificate.checkIssued(authority) && certificate.verify(authority.publicKey));
}

/** Cuts a bundle into its certificates. */
export function splitPem(pem: string): string[] {
  return pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
}

function parse(pem: string): X509Certificate[] {
  try {
    return [new X509Certificate(pem)];
  } catch {
    return [];
  }
}
