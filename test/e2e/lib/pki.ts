import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** What a certificate says. */
export interface CertificateRequest {
  /** File name without ending. */
  name: string;
  commonName: string;
  organizations?: string[];
  /** The authority that signs it. */
  signer: string;
  /** Names and addresses of a server, as openssl writes them: `DNS:localhost`, `IP:127.0.0.1`. Absent for a client. */
  serverNames?: string[];
}

/** Where a certificate and its key lie; PEM files. */
export interface CertificateFiles {
  cert: string;
  key: string;
}

/** A folder of keys and certificates, made with openssl because Node cannot sign any. */
export interface Pki {
  /** The files of a certificate or authority that was made before. */
  files(name: string): CertificateFiles;
  /** Makes an authority. */
  authority(name: string): CertificateFiles;
  certificate(request: CertificateRequest): CertificateFiles;
  /** Makes a bare key pair and answers its private and public PEM files. */
  keyPair(name: string): { privateKey: string; publicKey: string };
  /** Makes one file of several authorities' certificates. */
  bundle(name: string, authorities: string[]): string;
}

/** Opens a folder of keys and certificates, making it where it is missing. */
export function createPki(folder: string): Pki {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const path = (file: string) => join(folder, file);
  const files = (name: string) => ({ cert: path(`${name}.crt`), key: path(`${name}.key`) });
  const makeKey = (name: string) =>
    openssl(['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out', files(name).key]);

  return {
    files,
    authority(name) {
      makeKey(name);
      const { cert, key } = files(name);
      const usage = 'keyUsage=critical,digitalSignature,keyEncipherment,keyCertSign';
      openssl([
        'req',
        '-x509',
        '-new',
        '-key',
        key,
        '-subj',
        `/CN=${name}`,
        '-days',
        '3650',
        '-addext',
        usage,
        '-out',
        cert,
      ]);
      return files(name);
    },
    certificate({ name, commonName, organizations = [], signer, serverNames }) {
      makeKey(name);
      const { cert, key } = files(name);
      const subject = [...organizations.map((organization) => `/O=${organization}`), `/CN=${commonName}`].join('');
      const extensions = [
        'basicConstraints=CA:FALSE',
        'keyUsage=critical,digitalSignature,keyEncipherment',
        `extendedKeyUsage=${serverNames ? 'serverAuth' : 'clientAuth'}`,
        ...(serverNames ? [`subjectAltName=${serverNames.join(',')}`] : []),
      ];
      writeFileSync(path(`${name}.ext`), `${extensions.join('\n')}\n`);
      const request = openssl(['req', '-new', '-key', key, '-subj', subject]);
      const serial = `0x${randomBytes(12).toString('hex')}`;
      const signing = ['x509', '-req', '-CA', files(signer).cert, '-CAkey', files(signer).key, '-set_serial', serial];
      openssl([...signing, '-days', '3650', '-extfile', path(`${name}.ext`), '-out', cert], request);
      return files(name);
    },
    keyPair(name) {
      makeKey(name);
      const pair = { privateKey: files(name).key, publicKey: path(`${name}.pub`) };
      openssl(['ec', '-in', pair.privateKey, '-pubout', '-out', pair.publicKey]);
      return pair;
    },
    bundle(name, authorities) {
      writeFileSync(path(name), '');
      for (const authority of authorities) appendFileSync(path(name), readFileSync(files(authority).cert));
      return path(name);
    },
  };
}

/** Writes a kubeconfig whose user shows a client certificate. */
export function writeKubeconfig(file: string, server: string, authority: string, user: CertificateFiles): string {
  const base64 = (path: string) => readFileSync(path).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'test',
    clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority) } }],
    users: [
      { name: 'test', user: { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) } },
    ],
    contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
  };
  writeFileSync(file, JSON.stringify(config, undefined, 1), { mode: 0o600 });
  return file;
}

function openssl(args: string[], input?: Buffer): Buffer {
  return execFileSync('openssl', args, { stdio: ['pipe', 'pipe', 'pipe'], ...(input !== undefined && { input }) });
}
