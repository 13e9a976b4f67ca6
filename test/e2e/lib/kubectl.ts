import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** A real kubectl against one cluster: answers its standard output, trimmed; rejects with its standard error when it fails. */
export type Kubectl = (...args: string[]) => Promise<string>;

/** Makes a kubectl with a kubeconfig; `namespace` is given to every call. */
export function createKubectl(kubeconfig: string, namespace = 'default'): Kubectl {
  return async (...args) => {
    const all = ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args];
    const { stdout } = await run('kubectl', all, { timeout: 120_000, maxBuffer: 64 << 20 });
    return stdout.trim();
  };
}

/** Says in one sentence what is missing for kubectl; undefined when it is there. */
export function missingKubectl(): string | undefined {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return undefined;
  } catch {
    return 'the end-to-end tests call kubectl, which is not on the PATH';
  }
}
