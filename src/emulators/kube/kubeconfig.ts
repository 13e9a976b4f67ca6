import type { KeyedCertificate } from './certificates.ts';
import type { User } from './strategy.ts';

export interface KubeconfigOptions {
  /** Who it is for; default the administrator. */
  user?: User;
  /** What it shows to the server; default a token. A certificate needs TLS. */
  as?: 'token' | 'certificate';
  /** The namespace of calls that name none; default `default`. */
  namespace?: string;
}

interface KubeconfigParts {
  url: string;
  namespace: string;
  /** PEM; left out for plain HTTP. */
  ca?: string;
  token?: string;
  certificate?: KeyedCertificate;
}

const base64 = (text: string) => Buffer.from(text).toString('base64');

/** Writes a kubeconfig with one context. */
export function kubeconfigText({ url, namespace, ca, token, certificate }: KubeconfigParts): string {
  const lines = [
    'apiVersion: v1',
    'kind: Config',
    'current-context: zunlet-emulator',
    'clusters:',
    '- name: zunlet-emulator',
    '  cluster:',
    `    server: ${url}`,
    ...(ca === undefined ? [] : [`    certificate-authority-data: ${base64(ca)}`]),
    'users:',
    '- name: user',
    '  user:',
    ...(token === undefined ? [] : [`    token: ${token}`]),
    ...(certificate === undefined
      ? []
      : [
          `    client-certificate-data: ${base64(certificate.cert)}`,
          `    client-key-data: ${base64(certificate.key)}`,
        ]),
    'contexts:',
    '- name: zunlet-emulator',
    '  context:',
    '    cluster: zunlet-emulator',
    '    user: user',
    `    namespace: ${namespace}`,
  ];
  return `${lines.join('\n')}\n`;
}
