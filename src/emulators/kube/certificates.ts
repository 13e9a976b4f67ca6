import { createPrivateKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

/** A certificate and its key, both PEM. */
export interface KeyedCertificate {
  cert: string;
  key: string;
}

export interface CertificateRequest {
  commonName: string;
  organizations?: string[];
  /** What it is for: signing others, serving on these names, or being a client. */
  use: { kind: 'authority' } | { kind: 'server'; dnsNames: string[]; ips: string[] } | { kind: 'client' };
  /** Who signs; itself when left out. */
  issuer?: KeyedCertificate & { commonName: string };
  /** Wall time in milliseconds. */
  now: number;
}

const tag = {
  boolean: 0x01,
  integer: 0x02,
  bits: 0x03,
  octets: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  sequence: 0x30,
  set: 0x31,
  utcTime: 0x17,
};
const oid = {
  commonName: '2.5.4.3',
  organization: '2.5.4.10',
  basicConstraints: '2.5.29.19',
  keyUsage: '2.5.29.15',
  extendedKeyUsage: '2.5.29.37',
  subjectAltName: '2.5.29.17',
  serverAuth: '1.3.6.1.5.5.7.3.1',
  clientAuth: '1.3.6.1.5.5.7.3.2',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
};

/** Makes a P-256 certificate that is valid from an hour ago for ten years. Source: RFC 5280. */
export function issueCertificate(request: CertificateRequest): KeyedCertificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signer: KeyObject = request.issuer ? createPrivateKey(request.issuer.key) : pair.privateKey;
  const algorithm = der(tag.sequence, objectId(oid.ecdsaWithSha256));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(15)]);
  const hour = 3_600_000;
  const body = der(
    tag.sequence,
    der(0xa0, der(tag.integer, Buffer.from([2]))),
    der(tag.integer, serial),
    algorithm,
    distinguishedName(request.issuer?.commonName ?? request.commonName, request.issuer ? [] : request.organizations),
    der(tag.sequence, utcTime(request.now - hour), utcTime(request.now + 87_600 * hour)),
    distinguishedName(request.commonName, request.organizations),
    pair.publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, der(tag.sequence, ...extensions(request))),
  );
  const signature = der(tag.bits, Buffer.from([0]), sign('sha256', body, signer));
  return {
    cert: pem('CERTIFICATE', der(tag.sequence, body, algorithm, signature)),
    key: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function extensions({ use }: CertificateRequest): Buffer[] {
  switch (use.kind) {
    case 'authority':
      return [
        extension(oid.basicConstraints, true, der(tag.sequence, der(tag.boolean, Buffer.from([0xff])))),
        extension(oid.keyUsage, true, der(tag.bits, Buffer.from([1, 0x06]))),
      ];
    case 'server': {
      const names = [
        ...use.dnsNames.map((name) => der(0x82, Buffer.from(name, 'ascii'))),
        ...use.ips.map((ip) => der(0x87, Buffer.from(ip.split('.').map(Number)))),
      ];
      return [...leafExtensions(oid.serverAuth), extension(oid.subjectAltName, false, der(tag.sequence, ...names))];
    }
    case 'client':
      return leafExtensions(oid.clientAuth);
    default:
      return use satisfies never;
  }
}

function leafExtensions(purpose: string): Buffer[] {
  return [
    extension(oid.basicConstraints, true, der(tag.sequence)),
    extension(oid.keyUsage, true, der(tag.bits, Buffer.from([7, 0x80]))),
    extension(oid.extendedKeyUsage, false, der(tag.sequence, objectId(purpose))),
  ];
}

function extension(id: string, isCritical: boolean, value: Buffer): Buffer {
  const critical = isCritical ? [der(tag.boolean, Buffer.from([0xff]))] : [];
  return der(tag.sequence, objectId(id), ...critical, der(tag.octets, value));
}

function distinguishedName(commonName: string, organizations: string[] = []): Buffer {
  const part = (id: string, text: string) =>
    der(tag.set, der(tag.sequence, objectId(id), der(tag.utf8, Buffer.from(text, 'utf8'))));
  return der(
    tag.sequence,
    ...organizations.map((name) => part(oid.organization, name)),
    part(oid.commonName, commonName),
  );
}

function utcTime(ms: number): Buffer {
  const digits = new Date(ms).toISOString().replace(/\D/g, '').slice(2, 14);
  return der(tag.utcTime, Buffer.from(`${digits}Z`, 'ascii'));
}

function objectId(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(tag.oid, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const bytes = [value & 0x7f];
  for (let left = Math.floor(value / 128); left > 0; left = Math.floor(left / 128)) bytes.unshift((left & 0x7f) | 0x80);
  return bytes;
}

/** Writes one DER value: tag, length, content. */
function der(type: number, ...content: Buffer[]): Buffer {
  const body = Buffer.concat(content);
  if (body.length < 0x80) return Buffer.concat([Buffer.from([type, body.length]), body]);
  const length: number[] = [];
  for (let left = body.length; left > 0; left = Math.floor(left / 256)) length.unshift(left & 0xff);
  return Buffer.concat([Buffer.from([type, 0x80 | length.length, ...length]), body]);
}

function pem(label: string, content: Buffer): string {
  const lines = content.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
