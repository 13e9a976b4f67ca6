import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { CloudControl } from '../../src/emulators/cloud.ts';
import { type Remote, remoteControl } from '../../src/emulators/control-server.ts';

/** An emulated OpenStack in a process of its own. */
export interface ChaosCloud {
  env: Record<string, string>;
  /** Of the Kubernetes API that `--kube` starts beside it; empty without. */
  kubeUrl: string;
  kubeconfig: string;
  control: Remote<CloudControl>;
  stop(): Promise<void>;
}

/** Starts the emulators as a user would; they end with this process at the latest. */
export async function startCloud(args: string[]): Promise<ChaosCloud> {
  const program = new URL('../../src/emulators/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const end = () => child.kill('SIGKILL');
  process.on('exit', end);
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  // The emulators' own announcement.
  const { env, control, kube = '', kubeconfig = '' } = JSON.parse(line) as Announcement;
  return {
    env,
    kubeUrl: kube,
    kubeconfig,
    control: remoteControl<CloudControl>(control),
    async stop() {
      process.off('exit', end);
      const ended = once(child, 'exit');
      child.kill('SIGTERM');
      await ended;
    },
  };
}

interface Announcement {
  env: Record<string, string>;
  control: string;
  kube?: string;
  kubeconfig?: string;
}
