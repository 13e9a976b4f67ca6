import { X509Certificate } from 'node:crypto';
import { createServer, isIP } from 'node:net';
import { ownAddresses } from '../../agent/node-facts.ts';
import { AppError } from '../../base/errors.ts';
import type { Options } from '../../config/options.ts';
import { readPair } from '../../server/serving-files.ts';
import { splitAddress } from '../../telemetry/health-server.ts';
import type { Examination } from './finding.ts';

/** Looks at this machine: the kubelet port, the address that the node would tell, the health page. */
export async function checkSelf(exam: Examination, options: Options): Promise<void> {
  await exam.check('self.address', 'the address of the node', async () => {
    const addresses = options.nodeAddresses.length > 0 ? options.nodeAddresses : ownAddresses();
    const looked = { value: addresses, found: addresses.join(', ') };
    const loopback = addresses.every((address) => address.startsWith('127.') || address === '::1');
    return loopback ? { ...looked, warn: 'the API server proxies to no loopback address: set nodeAddresses' } : looked;
  });
  if (!options.kubeletApi) {
    exam.skip('self.kubelet-port', 'option kubeletApi', 'switched off: kubectl logs and exec will not work');
    return;
  }
  await exam.check('self.kubelet-port', `port ${options.kubeletPort}`, async () => {
    try {
      await tryPort(options.kubeletPort);
      return { value: options.kubeletPort, found: 'is free on this machine' };
    } catch (error) {
      if (!(await isOwnZunletHere(options))) throw error;
      return { value: options.kubeletPort, found: 'is that of the zunlet which works for this node here' };
    }
  });
  await checkCertificate(exam, options);
}

/** Whether the health page of these options is that of a zunlet for this very node. */
async function isOwnZunletHere({ healthAddress, nodeName }: Options): Promise<boolean> {
  if (healthAddress === '') return false;
  try {
    const { host, port } = splitAddress(healthAddress);
    const at = isIP(host) === 6 ? `[${host}]` : host;
    const answer = await fetch(`http://${at}:${port}/metrics`, { signal: AbortSignal.timeout(3000) });
    return (await answer.text()).includes(`kubelet_node_name{node="${nodeName}"}`);
  } catch {
    return false;
  }
}

const soonMs = 14 * 86_400_000;

async function checkCertificate(exam: Examination, options: Options): Promise<void> {
  const addresses = options.nodeAddresses.length > 0 ? options.nodeAddresses : ownAddresses();
  await exam.check('self.certificate', `serving certificate: ${options.servingCertificate}`, async () => {
    if (options.servingCertificate === 'self-signed') {
      const warn =
        'an API server that verifies kubelets refuses it, and metrics-server does: set servingCertificate to csr or files';
      return { value: undefined, found: 'signed by nobody', warn };
    }
    if (options.servingCertificate === 'csr') {
      const found = 'asked of the cluster at the start; somebody has to approve it';
      return {
        value: undefined,
        found: options.approveOwnCsr ? 'asked of the cluster at the start and approved by zunlet' : found,
      };
    }
    const { cert } = await readPair({ certFile: options.tlsCertFile, keyFile: options.tlsKeyFile });
    const certificate = new X509Certificate(cert);
    const ends = new Date(certificate.validTo);
    const looked = { value: undefined, found: `good until ${ends.toISOString()}` };
    const missing = addresses.filter((address) => !isNamedBy(certificate, address));
    if (ends.getTime() < Date.now()) return { ...looked, fail: 'it has expired: renew it' };
    if (missing.length > 0)
      return { ...looked, fail: `it does not name ${missing.join(', ')}: the API server dials the node there` };
    return ends.getTime() < Date.now() + soonMs
      ? { ...looked, warn: 'it ends soon: renew it; zunlet reads the files again by itself' }
      : looked;
  });
}

function isNamedBy(certificate: X509Certificate, address: string): boolean {
  return (isIP(address) ? certificate.checkIP(address) : certificate.checkHost(address)) !== undefined;
}

function tryPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (cause: NodeJS.ErrnoException) =>
      reject(
        new AppError({
          kind: 'invalid',
          code: 'self.port',
          message:
            cause.code === 'EADDRINUSE'
              ? 'is in use here, perhaps by a kubelet or another zunlet: choose another kubeletPort'
              : cause.message,
          cause,
        }),
      ),
    );
    server.listen(port, () => server.close(() => resolve()));
  });
}
