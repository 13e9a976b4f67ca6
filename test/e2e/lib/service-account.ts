import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ControlPlane } from './control-plane.ts';
import { temporaryFolder } from './processes.ts';

/** Makes a token of a ServiceAccount. */
export async function accountToken(plane: ControlPlane, namespace: string, name: string): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`;
  const answer = await plane.api.post<{ status: { token: string } }>(path, { spec: { expirationSeconds: 3600 } });
  return answer.status.token;
}

/** Writes a kubeconfig with the token of a ServiceAccount. */
export async function accountKubeconfig(plane: ControlPlane, namespace: string, name: string): Promise<string> {
  const admin = JSON.parse(readFileSync(plane.kubeconfig, 'utf8')) as { clusters: [{ name: string }] };
  const [cluster] = admin.clusters;
  const file = join(temporaryFolder('account'), 'kubeconfig');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [cluster],
    users: [{ name, user: { token: await accountToken(plane, namespace, name) } }],
    contexts: [{ name, context: { cluster: cluster.name, user: name } }],
    'current-context': name,
  };
  writeFileSync(file, JSON.stringify(config), { mode: 0o600 });
  return file;
}
