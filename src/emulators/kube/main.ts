import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { startControlServer } from '../control-server.ts';
import { createKubeEmulator } from './emulator.ts';

const usage = `Starts an emulated Kubernetes API server on loopback and prints one line of JSON when it is ready: its URL, the kubeconfig
and a control URL. Ends on SIGTERM or SIGINT.

  node src/emulators/kube/main.ts [options]

  --tls                 serve HTTPS and demand credentials
  --kubeconfig FILE     write the kubeconfig there as well
  --control-port N      port of the control (default: any)
`;

const { values } = parseArgs({
  options: {
    tls: { type: 'boolean' },
    kubeconfig: { type: 'string' },
    'control-port': { type: 'string' },
    help: { type: 'boolean' },
  },
});

async function main(): Promise<void> {
  if (values.help) {
    process.stdout.write(usage);
    return;
  }
  const emulator = await createKubeEmulator({ tls: values.tls === true });
  const control = await startControlServer(emulator.control, Number(values['control-port'] ?? 0));
  const kubeconfig = emulator.kubeconfig();
  if (values.kubeconfig !== undefined) writeFileSync(values.kubeconfig, kubeconfig, { mode: 0o600 });
  process.stdout.write(
    `${JSON.stringify({ kube: emulator.url, kubeconfig, control: control.url, pid: process.pid })}\n`,
  );
  const stop = () => {
    void Promise.all([emulator.close(), control.close()]).then(() => process.exit(0));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
}

await main();
