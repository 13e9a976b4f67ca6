import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { type KubeToolsVersion, kubeTools } from '../../lib/kube-tools.ts';
import { type SmallKubelet, startSmallKubelet } from './small-kubelet.ts';

const run = promisify(execFile);
const folder = mkdtempSync(join(tmpdir(), 'zunlet-kubectl-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const manifest = (replicas: number, image = 'nginx:1') => `
apiVersion: v1
kind: ConfigMap
metadata: {name: settings}
data: {colour: blue}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: ${replicas}
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      tolerations: [{key: virtual-kubelet.io/provider, operator: Exists}]
      containers: [{name: a, image: "${image}", envFrom: [{configMapRef: {name: settings}}]}]
---
apiVersion: v1
kind: Pod
metadata: {name: p}
spec:
  tolerations: [{key: virtual-kubelet.io/provider, operator: Exists}]
  containers: [{name: a, image: nginx}]
`;

/** A cluster and a kubectl for it. */
interface Cluster {
  emulator: KubeEmulator;
  kubelet: SmallKubelet;
  kubectl(...args: string[]): Promise<string>;
  /** Starts kubectl and answers its output once it matches; then ends it. */
  until(pattern: RegExp, ...args: string[]): Promise<string>;
  write(name: string, text: string): string;
}

for (const version of ['v32', 'v35'] as const) {
  const cluster = {} as Cluster;
  let missing: string | undefined;
  let close: () => Promise<void> = async () => {};

  before(async () => {
    const found = await kubeTools(version).catch((error: Error) => error);
    if (found instanceof Error) missing = found.message;
    else close = await open(cluster, found.kubectl, version);
  });
  after(() => close());

  /** Runs a test with kubectl; without it, it says why nothing was tried. */
  const kubectlTest = (title: string, body: () => Promise<void>) => {
    void test(`kubectl ${version}: ${title}`, async (context: TestContext) => {
      if (missing === undefined) await body();
      else context.diagnostic(missing);
    });
  };

  kubectlTest('apply twice and with a change: created, unchanged, configured', async () => {
    // A Pod with tolerations is always "configured": admission adds two, and the list is written whole.
    const file = cluster.write('all.yaml', manifest(2));
    assert.match(
      await cluster.kubectl('apply', '-f', file),
      /configmap\/settings created\n.*web created\npod\/p created/,
    );
    assert.match(await cluster.kubectl('apply', '-f', file), /settings unchanged\n.*web unchanged\npod\/p configured/);
    cluster.write('all.yaml', manifest(3, 'nginx:2'));
    assert.match(await cluster.kubectl('apply', '-f', file), /settings unchanged\n.*web configured\npod\/p configured/);
    assert.match(
      await cluster.kubectl('rollout', 'status', 'deployment/web', '--timeout=20s'),
      /successfully rolled out/,
    );
    await cluster.kubectl('wait', 'pod/p', '--for=condition=Ready', '--timeout=20s');
  });

  kubectlTest('get and describe: what a real cluster shows', async () => {
    const wide = await cluster.kubectl('get', 'pod', 'p', '-o', 'wide');
    assert.match(wide, /^NAME +READY +STATUS +RESTARTS +AGE +IP +NODE +NOMINATED NODE +READINESS GATES\n/);
    assert.match(wide, /\np +1\/1 +Running +0 +\d+s +10\.1\.2\.3 +small +<none> +<none>/);
    const pod = await cluster.kubectl('describe', 'pod', 'p');
    assert.match(pod, /Node: +small\/127\.0\.0\.1/);
    assert.match(pod, /Normal +Scheduled +\d+s +default-scheduler +Successfully assigned default\/p to small/);
    const node = await cluster.kubectl('describe', 'node', 'small');
    assert.match(node, /Taints: +virtual-kubelet\.io\/provider=zun:NoSchedule/);
    assert.match(node, /Non-terminated Pods: +\(4 in total\)/);
    const yaml = await cluster.kubectl('get', 'node', 'small', '-o', 'yaml');
    assert.match(yaml, /kubeletEndpoint:\n +Port: \d+/);
    assert.match(await cluster.kubectl('get', 'deploy,rs,cm,svc'), /deployment\.apps\/web +3\/3 +3 +3/);
  });

  kubectlTest('logs and exec: what the kubelet answers', async () => {
    assert.equal(await cluster.kubectl('logs', 'p', '--tail=2'), 'line one\nline two\n');
    await assert.rejects(cluster.kubectl('logs', 'p', '--previous'), /BadRequest\): previous terminated container/);
    await assert.rejects(cluster.kubectl('exec', 'p', '--', 'refuse'), /container not found/);
    assert.ok(cluster.kubelet.asked.some((line) => /^GET \/containerLogs\/default\/p\/a\?tailLines=2$/.test(line)));
    assert.ok(cluster.kubelet.asked.includes('POST /exec/default/p/a?command=refuse&error=1&output=1 SPDY/3.1'));
    assert.deepEqual([...cluster.kubelet.clients], ['kube-apiserver-kubelet-client']);
    assert.equal(await cluster.kubectl('get', '--raw', '/api/v1/nodes/small/proxy/healthz'), 'ok');
  });

  kubectlTest('apply --server-side, then without one key: the key is gone', async () => {
    const config = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data });
    const file = (data: object) => cluster.write('applied.json', JSON.stringify(config(data)));
    const apply = (data: object) => cluster.kubectl('apply', '--server-side', '-f', file(data));
    assert.match(await apply({ a: '1', b: '2' }), /configmap\/applied serverside-applied/);
    await apply({ b: '3' });
    assert.equal(await cluster.kubectl('get', 'cm', 'applied', '-o', 'jsonpath={.data}'), '{"b":"3"}');
  });

  kubectlTest('typed commands, which send protobuf: created', async () => {
    await cluster.kubectl('create', 'namespace', 'typed');
    await cluster.kubectl('create', 'configmap', 'c', '--from-literal=a=b', '-n', 'typed');
    await cluster.kubectl('create', 'deployment', 'd', '--image=nginx:1', '--replicas=0', '-n', 'typed');
    const read = await cluster.kubectl(
      'get',
      'cm/c',
      'deploy/d',
      '-n',
      'typed',
      '-o',
      'jsonpath={.items[0].data.a} {.items[1].spec.replicas}',
    );
    assert.equal(read, 'b 0');
    assert.equal(await cluster.kubectl('auth', 'can-i', 'create', 'pods'), 'yes\n');
    assert.match(await cluster.kubectl('delete', 'namespace', 'typed', '--timeout=20s'), /namespace "typed" deleted/);
  });

  kubectlTest('events as they happen, then deletion: seen and gone', async () => {
    const events = cluster.until(
      /Created pod: web-\S+/,
      'get',
      'events',
      '-w',
      '--field-selector=reason=SuccessfulCreate',
    );
    await cluster.kubectl('scale', 'deployment/web', '--replicas=4');
    assert.match(await events, /LAST SEEN +TYPE +REASON +OBJECT +MESSAGE\n/);
    assert.match(await cluster.kubectl('delete', 'pod', 'p', '--timeout=20s'), /pod "p" deleted/);
    await cluster.kubectl('delete', 'deployment', 'web', '--timeout=20s');
    await cluster.kubectl('wait', 'pod', '-l', 'app=web', '--for=delete', '--timeout=20s');
    assert.equal(await cluster.kubectl('get', 'pods', '-o', 'name'), '');
  });
}

async function open(cluster: Cluster, program: string, version: KubeToolsVersion): Promise<() => Promise<void>> {
  const emulator = await createKubeEmulator({ tls: true });
  const kubelet = await startSmallKubelet(emulator);
  const write = (name: string, text: string) => {
    const path = join(folder, `${version}-${name}`);
    writeFileSync(path, text);
    return path;
  };
  const config = write('kubeconfig', emulator.kubeconfig());
  const common = ['--kubeconfig', config, '--cache-dir', join(folder, `${version}-cache`)];
  Object.assign(cluster, {
    emulator,
    kubelet,
    write,
    kubectl: async (...args: string[]) => (await run(program, [...common, ...args], { timeout: 60_000 })).stdout,
    until: (pattern: RegExp, ...args: string[]) => outputUntil(pattern, program, [...common, ...args]),
  });
  return async () => {
    await kubelet.close();
    await emulator.close();
  };
}

function outputUntil(pattern: RegExp, program: string, args: string[]): Promise<string> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 60_000 });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (pattern.test(output)) child.kill();
    });
    child.on('error', fail);
    child.on('close', () => done(output));
  });
}
