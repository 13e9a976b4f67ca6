import { createServer } from 'node:net';
import { ownAddresses } from '../../agent/node-facts.ts';
import { AppError } from '../../base/errors.ts';
import type { Options } from '../../config/options.ts';
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
    await tryPort(options.kubeletPort);
    return { value: options.kubeletPort, found: 'is free on this machine' };
  });
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
