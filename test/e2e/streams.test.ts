import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { kubeTools } from '../lib/kube-tools.ts';
import { path, startBed } from './lib/bed.ts';
import { asContainer, pod } from './lib/manifests.ts';
import { isRunning } from './lib/observe.ts';
import { until } from './lib/processes.ts';
import { shellQuoted, typeInTerminal } from './lib/terminal.ts';

/** The kubelet's API through a real API server: its proxy, its translation of WebSocket to SPDY, its error texts. */
const bed = await startBed();
const { api, plane, pods } = bed;
const folder = mkdtempSync(join(tmpdir(), 'zunlet-e2e-streams-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const annotations = asContainer;
await api.post(path.pods, pod('box', { annotations, command: ['sh', '-c', 'echo one; echo two; sleep infinity'] }));
await api.post(path.pods, pod('web', { annotations, env: [{ name: 'PEER_LISTEN', value: '8080' }] }));
await api.post(path.pods, pod('talk', { annotations, command: ['sh', '-i'], interactive: true }));
await api.post(path.pods, pod('member', { annotations: { 'zunlet.io/backend': 'capsule' } }));
for (const name of ['box', 'web', 'talk', 'member']) {
  await pods.until(`${name} runs`, () => isRunning(pods.get(name)) && pods.get(name));
}

interface Result {
  code: number;
  stdout: Buffer;
  stderr: string;
}

const spdyOnly = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };

for (const [version, name, env] of [
  ['v32', 'SPDY', spdyOnly],
  ['v35', 'WebSocket', {}],
] as const) {
  const { kubectl: program } = await kubeTools(version);
  const common = ['--kubeconfig', plane.kubeconfig, '--namespace', 'default', '--cache-dir', join(folder, version)];
  const environment = { ...process.env, ...env };
  const kubectl = (args: string[], input: Buffer | string = ''): Promise<Result> =>
    new Promise((resolve) => {
      const options = { encoding: 'buffer' as const, maxBuffer: 1 << 28, timeout: 120_000, env: environment };
      const child = execFile(program, [...common, ...args], options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr: stderr.toString() });
      });
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });
  const title = (text: string): string => `kubectl ${version}, ${name}: ${text}`;

  test(title('logs with flags: the lines'), async () => {
    const logs = async (...flags: string[]): Promise<string> => (await kubectl(['logs', ...flags])).stdout.toString();
    assert.equal(await logs('box'), 'one\ntwo\n');
    assert.equal(await logs('box', '--tail=1'), 'two\n');
    assert.equal(await logs('box', '--tail=0'), '');
    assert.equal(await logs('box', '--limit-bytes=5'), 'one\nt');
    assert.equal(await logs('box', '--since=1h'), 'one\ntwo\n');
    assert.equal(await logs('box', '--since-time=2026-01-01T00:00:00Z', '-c', 'main'), 'one\ntwo\n');
    assert.equal(await logs('box', '--all-containers', '--prefix', '--tail=1'), '[pod/box/main] two\n');
    assert.match(await logs('box', '--timestamps', '--tail=1'), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z two\n$/);
    const previous = await kubectl(['logs', 'box', '--previous']);
    assert.match(previous.stderr, /\(BadRequest\): previous terminated container "main" in pod "box" not found/);
  });

  test(title('exec: output, errors and exit code'), async () => {
    const result = await kubectl(['exec', 'box', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.equal(result.stdout.toString(), 'out\n');
    assert.match(result.stderr, /^err\n.*exit code 3/s);
    assert.equal(result.code, 3);
  });

  test(title('exec -i: 50 MB in and out: the same'), async () => {
    const bytes = randomBytes(50_000_000);
    const result = await kubectl(['exec', '-i', 'box', '--', 'cat'], bytes);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(result.stdout.equals(bytes));
    const digest = await kubectl(['exec', '-i', 'box', '--', 'sha256sum'], bytes);
    assert.equal(digest.stdout.toString().split(' ', 1)[0], createHash('sha256').update(bytes).digest('hex'));
  });

  test(title('exec -it in a terminal that is made larger: both sizes, and the exit code'), async () => {
    const inside = 'sleep 1; stty size; sleep 4; stty size; exit 5';
    const words = [program, ...common, 'exec', '-it', 'box', '--', 'sh', '-c', inside];
    const command = `stty rows 33 columns 111; (sleep 3; stty rows 44 columns 99 </dev/tty) & exec ${shellQuoted(words)}`;
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env: environment });
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.match(screen, /33 111\s+44 99/);
    assert.equal(code, 5);
  });

  test(title('attach -it: what is typed reaches the main process, whose answer is seen'), async () => {
    const screen = await typeInTerminal([program, ...common, 'attach', '-it', 'talk'], 'echo $((40+2))\r', /^42\r?$/m);
    assert.match(screen, /^42\r?$/m);
  });

  test(title('attach to a container without input: its output from then on, until it ends'), async () => {
    const name = `ticker-${version}`;
    const script = 'for i in 1 2 3 4 5 6 7 8; do echo tick $i; sleep 1; done';
    await api.post(path.pods, pod(name, { annotations, restartPolicy: 'Never', command: ['sh', '-c', script] }));
    await pods.until(`${name} runs`, () => isRunning(pods.get(name)));
    const { code, stdout, stderr } = await kubectl(['attach', name]);
    assert.equal(code, 0, stderr);
    assert.match(stdout.toString(), /tick 8\n$/);
  });

  test(title('cp of a tree, there and back: the same files'), async () => {
    const tree = join(folder, `tree-${version}`);
    const bytes = randomBytes(300_000);
    mkdirSync(join(tree, 'deep'), { recursive: true });
    writeFileSync(join(tree, 'deep', 'file'), bytes);
    writeFileSync(join(tree, 'text'), 'words\n');
    const there = await kubectl(['cp', tree, `box:/tmp/tree-${version}`]);
    assert.equal(there.code, 0, there.stderr);
    const back = join(folder, `back-${version}`);
    const result = await kubectl(['cp', `box:/tmp/tree-${version}`, back]);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(readFileSync(join(back, 'deep', 'file')).equals(bytes));
    assert.equal(readFileSync(join(back, 'text'), 'utf8'), 'words\n');
  });

  test(title('port-forward: 200 requests at once through one command: all answered'), async () => {
    const child = spawn(program, [...common, 'port-forward', 'pod/web', ':8080'], { env: environment });
    let said = '';
    const local = await new Promise<string>((resolve, reject) => {
      child.on('close', () => reject(new Error(said)));
      const listen = (chunk: Buffer): void => {
        said += chunk.toString();
        const match = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(said);
        if (match?.[1]) resolve(match[1]);
      };
      child.stdout.on('data', listen);
      child.stderr.on('data', listen);
    });
    const statuses = await Promise.all(
      Array.from({ length: 200 }, async () => {
        const answer = await fetch(`http://127.0.0.1:${local}/`, { headers: { Connection: 'close' } });
        await answer.arrayBuffer();
        return answer.status;
      }),
    );
    child.kill();
    assert.deepEqual(new Set(statuses), new Set([200]), said);
  });

  test(title('logs and exec of a capsule on stock Zun: one sentence with the way out'), async () => {
    for (const args of [
      ['logs', 'member'],
      ['exec', 'member', '--', 'id'],
    ]) {
      const { code, stderr } = await kubectl(args);
      assert.notEqual(code, 0);
      assert.match(
        stderr,
        /this cloud does not serve the containers of a capsule; run the pod on the container backend/,
      );
    }
  });
}

test('logs -f of a container that ends: all its lines, and kubectl ends with it', async () => {
  const { kubectl: program } = await kubeTools('v35');
  const command = ['sh', '-c', 'echo first; sleep 6; echo last'];
  await api.post(path.pods, pod('ending', { annotations, restartPolicy: 'Never', command }));
  await pods.until('ending runs', () => isRunning(pods.get('ending')));
  const child = spawn(program, ['--kubeconfig', plane.kubeconfig, 'logs', '-f', 'ending']);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => {
    output += chunk.toString();
  });
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0);
  assert.equal(output, 'first\nlast\n');
});

test('logs of a container that was freed at its deadline: still there', async () => {
  const command = ['sh', '-c', 'echo said; sleep infinity'];
  const spec = { activeDeadlineSeconds: 5, terminationGracePeriodSeconds: 1 };
  await api.post(path.pods, pod('late', { annotations, restartPolicy: 'Never', command, spec }));
  await pods.until('late has failed', () => pods.get('late')?.status?.phase === 'Failed');
  const id = pods.get('late')?.status?.containerStatuses?.[0]?.containerID?.replace('zun://', '') ?? '';
  await until('its container is gone', async () => !(await bed.cloud.uuids()).includes(id));
  assert.equal(await bed.kubectl('logs', 'late'), 'said');
});

test('metrics/resource through the API server: the container, with a counter that grows', async () => {
  const read = async (): Promise<number> => {
    const text = await bed.kubectl('get', '--raw', '/api/v1/nodes/zun-node/proxy/metrics/resource');
    const match =
      /container_cpu_usage_seconds_total\{container="main",namespace="default",pod="box"\} ([\d.]+) \d+/.exec(text);
    return Number(match?.[1] ?? 0);
  };
  let first = 0;
  for (let attempt = 0; attempt < 60 && first === 0; attempt++) {
    first = await read();
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  assert.ok(first > 0);
  let second = first;
  for (let attempt = 0; attempt < 60 && second === first; attempt++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    second = await read();
  }
  assert.ok(second > first);
});
