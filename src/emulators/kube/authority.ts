import { issueCertificate, type KeyedCertificate } from './certificates.ts';
import type { User } from './strategy.ts';

/** The emulated cluster's certificate authority and what it has signed. */
export interface Authority {
  /** PEM of the root certificate. */
  ca: string;
  server: KeyedCertificate;
  /** The API server's identity towards kubelets. */
  kubeletClient: KeyedCertificate;
  /** Makes a client certificate for a user. */
  clientFor(user: User): KeyedCertificate;
}

/** Makes an authority; `now` is wall time in milliseconds. */
export function createAuthority(now: number): Authority {
  const commonName = 'zunlet-emulator-ca';
  const root = issueCertificate({ commonName, use: { kind: 'authority' }, now });
  const issuer = { ...root, commonName };
  const clientFor = (user: User) =>
    issueCertificate({
      commonName: user.name,
      organizations: user.groups.filter((group) => group !== 'system:authenticated'),
      use: { kind: 'client' },
      issuer,
      now,
    });
  return {
    ca: root.cert,
    server: issueCertificate({
      commonName: 'kube-apiserver',
      use: {
        kind: 'server',
        dnsNames: ['localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc'],
        ips: ['127.0.0.1', '10.96.0.1'],
      },
      issuer,
      now,
    }),
    kubeletClient: clientFor({ name: 'kube-apiserver-kubelet-client', groups: ['system:masters'] }),
    clientFor,
  };
}
