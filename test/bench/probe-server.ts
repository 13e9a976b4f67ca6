/** A server that probes are sent to, in a process of its own so that only the prober's time is measured. Writes its port to stdout. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const server = createServer((_, response) => response.end('ok'));
server.listen(0, '127.0.0.1', 4_096, () => {
  // A server that listens on TCP has this form of address.
  process.stdout.write(`${(server.address() as AddressInfo).port}\n`);
});
process.stdin.on('end', () => process.exit(0)).resume();
