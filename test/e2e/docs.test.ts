/**
 * The commands of the documentation that need a cluster or a cloud, as they stand there and in the order of a person who goes
 * through it: on a real API server and an emulated cloud. The part outside of the cluster is systemd.test.ts.
 */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { stringify } from 'yaml';
import { kubeTools } from '../lib/kube-tools.ts';
import { blocks, pages, repository } from '../lib/markdown.ts';
import { cloudsYaml, startEmulatedCloud } from './lib/cloud.ts';
import { startControlPlane } from './lib/control-plane.ts';
import { reasonElsewhere } from './lib/elsewhere.ts';
import { pod } from './lib/manifests.ts';
import { isRunning, observePods } from './lib/observe.ts';
import { temporaryFolder } from './lib/processes.ts';
import { accountKubeconfig } from './lib/service-account.ts';
import { startZunlet, type Zunlet } from './lib/zunlet.ts';

const order = [
  'README.md',
  'docs/credentials.md',
  'docs/install.md',
  'docs/openstack.md',
  'docs/volumes.md',
  'docs/troubleshooting.md',
  'docs/upgrade.md',
];
/** The headings of these sections; their commands are those of systemd.test.ts. */
const outside =
  /^(npm run build|install |useradd |umask|admin=|kubectl config view|kubectl --kubeconfig bootstrap|kubectl --namespace kube-system get configmap|systemctl |journalctl |set -a|node \/opt)/;

const [plane, cloud, tools] = await Promise.all([startControlPlane(), startEmulatedCloud(), kubeTools('v35')]);
const { api } = plane;
const pods = await observePods(api);
const home = makeHome();
const env: Record<string, string> = {
  HOME: home,
  PATH: `${join(home, 'bin')}:${process.env['PATH']}`,
  KUBECONFIG: plane.kubeconfig,
  ZUNLET_SETTLE: '2s',
  ZUNLET_NODE_ADDRESSES: plane.hostIP,
  // The usual ports may be taken on the machine of the test.
  ZUNLET_KUBELET_PORT: '0',
  ZUNLET_HEALTH_ADDRESS: '127.0.0.1:0',
};
let node: Zunlet | undefined;
after(async () => {
  await pods.stop();
  await node?.stop();
  await Promise.all([cloud.stop(), plane.stop()]);
});

/** The folder of a person who follows the documentation: the repository, credentials, and the programs on the PATH. */
function makeHome(): string {
  const folder = temporaryFolder('docs');
  for (const name of ['bin', '.kube']) mkdirSync(join(folder, name));
  for (const name of ['charts', 'deploy']) symlinkSync(join(repository, name), join(folder, name));
  const script = (name: string, text: string) => {
    writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`);
    chmodSync(join(folder, 'bin', name), 0o755);
  };
  script('zunlet', `exec ${process.execPath} ${join(repository, 'bin/zunlet.mjs')} "$@"`);
  script('npx', 'exec "$@"');
  for (const name of ['kubectl', 'helm'] as const) symlinkSync(tools[name], join(folder, 'bin', name));
  copyFileSync(plane.kubeconfig, join(folder, '.kube/config'));
  writeFileSync(join(folder, 'clouds.yaml'), cloudsYaml(cloud.env, 'mycloud', 'devstack'));
  copyFileSync(plane.clientAuthority, join(folder, 'ca.crt'));
  const spec = { containers: [{ image: 'busybox', command: ['sleep', '3600'] }] };
  const template = { capsuleVersion: 'beta', kind: 'capsule', metadata: { name: 'capsule-example' }, spec };
  writeFileSync(join(folder, 'capsule.yaml'), stringify(template));
  return folder;
}

/** What has to be there before a command, as its page says or supposes. */
const before: Record<string, () => Promise<unknown>> = {
  'kubectl --namespace zunlet create secret generic openstack --from-file=clouds.yaml --from-file=ca.crt': () =>
    api.delete('/api/v1/namespaces/zunlet/secrets/openstack'),
  'kubectl get nodes': startNode,
  'kubectl describe pod web-0': () =>
    api.post('/api/v1/namespaces/default/pods', pod('web-0', { nodeName: 'zun-zunlet' })),
  'kubectl drain zun-zunlet --ignore-daemonsets --delete-emptydir-data': async () => {
    await api.delete('/api/v1/namespaces/default/pods');
    await pods.until('all Pods are gone', () => pods.all().length === 0);
  },
  'kubectl delete node zun-zunlet': async () => node?.stop(),
};

/** What has to be true after a command. */
const afterwards: Record<string, () => Promise<unknown>> = {
  // The Node stays, and would be chosen for Pods until Kubernetes notices that nobody works for it.
  'npx zunlet run': () => api.patch('/api/v1/nodes/zun-1', { spec: { unschedulable: true } }),
  'kubectl run hello': () => pods.until('hello runs', () => isRunning(pods.get('hello'))),
};

/** The Pod of the chart's Deployment, which needs a node of its own, as a process: its options, its account, its rights. */
async function startNode(): Promise<void> {
  const map = await api.get<{ data: Record<string, string> }>('/api/v1/namespaces/zunlet/configmaps/zun-zunlet');
  const config = join(home, 'zunlet.yaml');
  writeFileSync(config, map.data['zunlet.yaml'] ?? '');
  const kubeconfig = await accountKubeconfig(plane, 'zunlet', 'zun-zunlet');
  node = await startZunlet({
    plane,
    cloud: cloud.env,
    nodeName: 'zun-zunlet',
    flags: { config, kubeconfig, settle: '2s' },
  });
}

/** Commands that go on until they are stopped, and what shows that they work. */
const endless: readonly (readonly [command: RegExp, sign: RegExp])[] = [
  [/kubectl get .* --watch$/, /hello .*Running/],
  [/zunlet run (?!--print-config)/, /"node works"/],
];

async function run(command: string): Promise<void> {
  const sign = endless.find(([pattern]) => pattern.test(command))?.[1];
  const child = spawn('sh', ['-ec', sign ? `exec ${command.replace(/^npx /, '')}` : command], { cwd: home, env });
  let out = '';
  let isStopped = false;
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      out += text;
      if (isStopped || !sign?.test(out)) return;
      isStopped = true;
      child.kill('SIGINT');
    });
  }
  const [code, signal] = (await once(child, 'close', { signal: AbortSignal.timeout(90_000) })) as [
    number | null,
    string | null,
  ];
  if (sign) assert.match(out, sign);
  else assert.equal(code, 0, `${command}: ${signal ?? code}\n${out}`);
}

/** Another way to the same end, tried when the first has gone. */
const alternatives = new Set(['kubectl apply -k deploy/kubernetes']);

const sorted = pages().sort((a, b) => order.indexOf(a.file) - order.indexOf(b.file));
const commands = sorted.flatMap(({ file, text }) =>
  blocks({ file, text })
    .filter(({ marker }) => marker === 'cluster' || marker === 'cloud')
    .flatMap(({ lines }) => lines.map((line) => ({ file, line: line.replace(/ +#.*$/, '') })))
    .filter(({ line }) => !outside.test(line) && reasonElsewhere(line) === undefined),
);
const first = commands.filter(({ line }, index) => commands.findIndex((one) => one.line === line) === index);
const isAlternative = ({ line }: { line: string }) => alternatives.has(line);

for (const { file, line } of [...first.filter((one) => !isAlternative(one)), ...first.filter(isAlternative)]) {
  test(`docs: ${file}: ${line}`, async () => {
    const [, name, value] = /^export (\w+)=(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined) {
      env[name] = value.replace('~', home);
      return;
    }
    await before[line]?.();
    await run(line);
    for (const [start, check] of Object.entries(afterwards)) if (line.startsWith(start)) await check();
  });
}

test('docs: after all of them: no capsule is left', async () => {
  assert.deepEqual(await cloud.uuids(), []);
});
