import { type KeyObject, sign } from 'node:crypto';
import { isIPv4, isIPv6 } from 'node:net';
import { AppError } from '../base/errors.ts';

/** Whom a certificate is for. */
export interface CertificateSubject {
  commonName: string;
  /** Written before the common name. */
  organizations: string[];
  dnsNames: string[];
  /** Without zone ids. Errors: `certificate.address` for what is no address. */
  ipAddresses: string[];
}

export interface KeyPair {
  privateKey: KeyObject;
  publicKey: KeyObject;
}

const oid = {
  commonName: [2, 5, 4, 3],
  organization: [2, 5, 4, 10],
  extensionRequest: [1, 2, 840, 113549, 1, 9, 14],
  ecdsaWithSha256: [1, 2, 840, 10045, 4, 3, 2],
  basicConstraints: [2, 5, 29, 19],
  keyUsage: [2, 5, 29, 15],
  extendedKeyUsage: [2, 5, 29, 37],
  subjectAltName: [2, 5, 29, 17],
  serverAuth: [1, 3, 6, 1, 5, 5, 7, 3, 1],
  clientAuth: [1, 3, 6, 1, 5, 5, 7, 3, 2],
};

/**
 * Makes a certificate signing request in PEM, signed with ECDSA and SHA-256; the key pair must be EC P-256.
 * Source: RFC 2986; the subject's order and the one extension are what the signer kubernetes.io/kubelet-serving expects.
 */
export function certificateRequest(subject: CertificateSubject, keys: KeyPair): string {
  const extensions = sequence(alternativeNames(subject));
  const body = sequence(
    integer(Buffer.from([0])),
    distinguishedName(subject),
    publicKeyInfo(keys.publicKey),
    tagged(0xa0, sequence(objectId(oid.extensionRequest), tagged(0x31, extensions))),
  );
  return pem('CERTIFICATE REQUEST', signed(body, keys.privateKey));
}

/** What a certificate may be used for. */
export type CertificateUse = 'server' | 'client' | 'authority';

export interface CertificateIssue {
  subject: CertificateSubject;
  publicKey: KeyObject;
  /** The same subject and its own key for a self-signed one. */
  issuer: { subject: CertificateSubject; privateKey: KeyObject };
  use: CertificateUse;
  notBeforeMs: number;
  notAfterMs: number;
  /** 1 to 20 bytes, the first below 0x80 and not zero. */
  serial: Buffer;
}

/** Makes a certificate in PEM, signed with ECDSA and SHA-256; the issuer's key must be EC P-256. Source: RFC 5280. */
export function issueCertificate(issue: CertificateIssue): string {
  const body = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(issue.serial),
    sequence(objectId(oid.ecdsaWithSha256)),
    distinguishedName(issue.issuer.subject),
    sequence(time(issue.notBeforeMs), time(issue.notAfterMs)),
    distinguishedName(issue.subject),
    publicKeyInfo(issue.publicKey),
    tagged(0xa3, certificateExtensions(issue)),
  );
  return pem('CERTIFICATE', signed(body, issue.issuer.privateKey));
}

function certificateExtensions({ subject, use }: CertificateIssue): Buffer {
  const isAuthority = use === 'authority';
  const authorityFlag = Buffer.from([0x01, 0x01, 0xff]);
  // keyCertSign and cRLSign, or digitalSignature.
  const usage = isAuthority ? Buffer.from([0x03, 0x02, 0x01, 0x06]) : Buffer.from([0x03, 0x02, 0x07, 0x80]);
  const purpose = objectId(use === 'client' ? oid.clientAuth : oid.serverAuth);
  const hasNames = subject.dnsNames.length + subject.ipAddresses.length > 0;
  return sequence(
    extension(oid.basicConstraints, isAuthority ? sequence(authorityFlag) : sequence(), true),
    extension(oid.keyUsage, usage, true),
    ...(isAuthority ? [] : [extension(oid.extendedKeyUsage, sequence(purpose), false)]),
    ...(hasNames ? [alternativeNames(subject)] : []),
  );
}

function signed(body: Buffer, key: KeyObject): Buffer {
  return sequence(body, sequence(objectId(oid.ecdsaWithSha256)), bitString(sign('sha256', body, key)));
}

function distinguishedName(subject: CertificateSubject): Buffer {
  const attribute = (id: number[], value: string): Buffer =>
    tagged(0x31, sequence(objectId(id), tagged(0x0c, Buffer.from(value, 'utf8'))));
  return sequence(
    ...subject.organizations.map((name) => attribute(oid.organization, name)),
    attribute(oid.commonName, subject.commonName),
  );
}

function alternativeNames(subject: CertificateSubject): Buffer {
  const names = [
    ...subject.dnsNames.map((name) => tagged(0x82, Buffer.from(name, 'latin1'))),
    ...subject.ipAddresses.map((address) => tagged(0x87, addressBytes(address))),
  ];
  return extension(oid.subjectAltName, sequence(...names), false);
}

function extension(id: number[], value: Buffer, critical: boolean): Buffer {
  const flag = critical ? [Buffer.from([0x01, 0x01, 0xff])] : [];
  return sequence(objectId(id), ...flag, tagged(0x04, value));
}

function publicKeyInfo(key: KeyObject): Buffer {
  return key.export({ type: 'spki', format: 'der' });
}

/** Converts an IPv4 or IPv6 address to its 4 or 16 bytes. Errors: `certificate.address`. */
export function addressBytes(address: string): Buffer {
  if (isIPv4(address)) return Buffer.from(address.split('.').map(Number));
  if (!isIPv6(address) || address.includes('%')) {
    throw new AppError({
      kind: 'invalid',
      code: 'certificate.address',
      message: `writing a certificate: "${address}" is not an IP address`,
    });
  }
  const withoutIPv4 = address.replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...parts: string[]) => {
    const [a = 0, b = 0, c = 0, d = 0] = parts.slice(0, 4).map(Number);
    return `${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}`;
  });
  const [left = '', right] = withoutIPv4.split('::');
  const words = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((word) => Number.parseInt(word, 16));
  const head = words(left);
  const rest = words(right ?? '');
  const all = [...head, ...new Array<number>(8 - head.length - rest.length).fill(0), ...rest];
  return Buffer.from(all.flatMap((word) => [word >>> 8, word & 0xff]));
}

function time(ms: number): Buffer {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '');
  const isUtcTime = new Date(ms).getUTCFullYear() < 2050;
  return isUtcTime ? tagged(0x17, Buffer.from(text.slice(2))) : tagged(0x18, Buffer.from(text));
}

function objectId([first = 0, second = 0, ...rest]: number[]): Buffer {
  const bytes = [first * 40 + second];
  for (const part of rest) {
    const digits = [part & 0x7f];
    for (let left = Math.floor(part / 128); left > 0; left = Math.floor(left / 128))
      digits.unshift((left & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tagged(0x06, Buffer.from(bytes));
}

function integer(bytes: Buffer): Buffer {
  return tagged(0x02, bytes);
}

function bitString(bytes: Buffer): Buffer {
  return tagged(0x03, Buffer.concat([Buffer.from([0]), bytes]));
}

function sequence(...parts: Buffer[]): Buffer {
  return tagged(0x30, Buffer.concat(parts));
}

function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes: number[] = [];
  for (let left = length; left > 0; left >>>= 8) bytes.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([tag, 0x80 | bytes.length, ...bytes]), content]);
}

function pem(label: string, der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
