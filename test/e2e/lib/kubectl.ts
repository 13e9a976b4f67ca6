import { execFileSync } from 'node:child_process';

/** A real kubectl against one cluster: answers its standard output, trimmed; throws with its standard error when it fails. */
export type Kubectl = (...args: string[]) => string;

/** Makes a kubectl with a kubeconfig; `namespace` is given to every call. */
export function createKubectl(kubeconfig: string, namespace = 'default'): Kubectl {
  return (...args) =>
    execFileSync('kubectl', ['--kubeconfig', kubeconfig, '--namespace', namespace, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 60_000,
    }).trim();
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
