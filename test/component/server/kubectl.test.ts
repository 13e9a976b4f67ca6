import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { AppError } from '../../../src/base/errors.ts';
import { createKubeEmulator, type KubeEmulator } from '../../../src/emulators/kube/emulator.ts';
import { decodeObject } from '../../../src/emulators/kube/registry.ts';
import { resourceNamed } from '../../../src/emulators/kube/resources.ts';
import { createZunRuntime } from '../../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../../src/server/zun-terminal.ts';
import { kubeTools } from '../../lib/kube-tools.ts';
import { type KubeletBed, runningPod, startKubeletBed } from '../../lib/kubelet-bed.ts';
import { startZunStandIn, type ZunStandIn } from '../../lib/zun-proxy.ts';

interface Result {
  code: number;
  stdout: Buffer;
  stderr: string;
}

const folder = mkdtempSync(join(tmpdir(), 'zunlet-streams-'));
const admin = { name: 'kubernetes-admin', groups: ['system:masters'] };
const spdyOnly = { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' };
let zun: ZunStandIn;
let emulator: KubeEmulator;
let bed: KubeletBed;

before(async () => {
  zun = await startZunStandIn();
  emulator = await createKubeEmulator({ tls: true, controllers: [] });
  const connect = createTerminalConnector({ clock: systemClock });
  bed = await startKubeletBed({
    runtime: createZunRuntime({ containers: zun.containers, connect, clock: systemClock }),
    options: { clientCa: { read: () => Promise.resolve(emulator.ca) } },
  });
  register(emulator, bed.port);
  writeFileSync(join(folder, 'kubeconfig'), emulator.kubeconfig());
});

after(async () => {
  await bed.close();
  await emulator.close();
  await zun.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Tells the API server about the node and its Pod. */
function register({ registry }: KubeEmulator, port: number): void {
  const nodes = resourceNamed('nodes');
  const pods = resourceNamed('pods');
  const node = {
    metadata: { name: 'zun-1' },
    status: {
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  };
  registry.create({ resource: nodes, namespace: '', user: admin }, decodeObject(node, nodes));
  const { pod } = runningPod();
  const body = { metadata: { name: 'web', namespace: 'default' }, spec: { ...pod.spec, nodeName: 'zun-1' } };
  registry.create({ resource: pods, namespace: 'default', user: admin }, decodeObject(body, pods));
  const target = { resource: pods, namespace: 'default', name: 'web', user: admin, subresource: 'status' as const };
  registry.update({ ...target, make: (copy) => ({ ...copy, status: pod.status as Record<string, never> }) });
}

function line(second: number, text: string): string {
  return `2026-01-01T00:00:${String(second).padStart(2, '0')}.000000000Z ${text}\n`;
}

for (const version of ['v32', 'v35'] as const) {
  let program = '';
  let missing: string | undefined;

  before(async () => {
    const found = await kubeTools(version).catch((error: Error) => error);
    if (found instanceof Error) missing = found.message;
    else program = found.kubectl;
  });

  const kubectlTest = (title: string, body: () => Promise<void>) => {
    void test(`kubectl ${version}: ${title}`, async (context: TestContext) => {
      if (missing === undefined) await body();
      else context.diagnostic(missing);
    });
  };
  const common = ['--kubeconfig', join(folder, 'kubeconfig'), '--cache-dir', join(folder, `cache-${version}`)];
  const kubectl = (args: string[], input?: Buffer, env: Record<string, string> = spdyOnly): Promise<Result> =>
    new Promise((resolve) => {
      const options = { encoding: 'buffer' as const, maxBuffer: 1 << 28, timeout: 60_000 };
      const child = execFile(
        program,
        [...common, ...args],
        { ...options, env: { ...process.env, ...env } },
        (error, stdout, stderr) => {
          resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr: stderr.toString() });
        },
      );
      child.stdin?.on('error', () => {});
      child.stdin?.end(input ?? '');
    });

  for (const [name, env] of [
    ['SPDY', spdyOnly],
    ['WebSocket first', {}],
  ] as const) {
    kubectlTest(`exec, ${name}: output, errors and exit code`, async () => {
      const result = await kubectl(['exec', 'web', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3'], undefined, env);
      assert.equal(result.stdout.toString(), 'out\n');
      assert.match(result.stderr, /^err\n.*exit code 3/s);
      assert.equal(result.code, 3);
    });
  }

  kubectlTest('exec -i: 8 MB in and out: the same', async () => {
    const bytes = randomBytes(8_000_000);
    const result = await kubectl(['exec', '-i', 'web', '--', 'cat'], bytes);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(result.stdout.equals(bytes));
    const digest = await kubectl(['exec', '-i', 'web', '--', 'sha256sum'], bytes);
    assert.equal(digest.stdout.toString().split(' ', 1)[0], createHash('sha256').update(bytes).digest('hex'));
  });

  kubectlTest('exec -it in a terminal of 33 x 111: the container sees it', async () => {
    zun.sizes.length = 0;
    const words = [
      program,
      ...common,
      'exec',
      '-it',
      'web',
      '--',
      'sh',
      '-c',
      'test -t 0 && test -t 1 && echo yes; exit 5',
    ];
    const { stdout, code } = await inTerminal(words, { rows: 33, columns: 111 });
    assert.match(stdout, /yes/);
    assert.equal(code, 5);
    assert.ok(zun.sizes.includes('111x33'), zun.sizes.join());
  });

  kubectlTest('cp of a tree, there and back: the same files', async () => {
    const tree = join(folder, `tree-${version}`);
    const remote = join(folder, `remote-${version}`);
    mkdirSync(join(tree, 'deep'), { recursive: true });
    mkdirSync(remote);
    const bytes = randomBytes(300_000);
    writeFileSync(join(tree, 'deep', 'file'), bytes);
    writeFileSync(join(tree, 'text'), 'words\n');
    const there = await kubectl(['cp', tree, `web:${remote}`]);
    assert.equal(there.code, 0, there.stderr);
    assert.ok(readFileSync(join(remote, `tree-${version}`, 'deep', 'file')).equals(bytes));
    const back = join(folder, `back-${version}`);
    const result = await kubectl(['cp', `web:${remote}/tree-${version}`, back]);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(readFileSync(join(back, 'deep', 'file')).equals(bytes));
    assert.equal(readFileSync(join(back, 'text'), 'utf8'), 'words\n');
  });

  kubectlTest('port-forward: 100 requests at once through one command: all answered', async () => {
    const server = createServer((request, response) => response.end(`you asked ${request.url}`));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const target = (server.address() as AddressInfo).port; // it listens on TCP
    const child = spawn(program, [...common, 'port-forward', 'pod/web', `:${target}`], {
      env: { ...process.env, ...spdyOnly },
    });
    let said = '';
    const local = await new Promise<string>((resolve) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const match = /Forwarding from 127\.0\.0\.1:(\d+)/.exec(said);
        if (match?.[1]) resolve(match[1]);
      });
    });
    const answers = await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const answer = await fetch(`http://127.0.0.1:${local}/${index}`, { headers: { Connection: 'close' } });
        return answer.text();
      }),
    );
    child.kill();
    server.closeAllConnections();
    server.close();
    assert.deepEqual(
      answers,
      Array.from({ length: 100 }, (_, index) => `you asked /${index}`),
    );
  });

  kubectlTest('logs with each flag: the lines that a kubelet would send', async () => {
    zun.lines = [line(1, 'one'), line(2, 'two'), line(3, 'three')];
    const logs = async (...flags: string[]): Promise<string> =>
      (await kubectl(['logs', 'web', ...flags])).stdout.toString();
    assert.equal(await logs(), 'one\ntwo\nthree\n');
    assert.equal(await logs('--tail=1'), 'three\n');
    assert.equal(await logs('--tail=0'), '');
    assert.equal(await logs('--since-time=2026-01-01T00:00:02Z'), 'two\nthree\n');
    assert.equal(await logs('--limit-bytes=5'), 'one\nt');
    assert.equal(await logs('--timestamps', '--tail=1'), '2026-01-01T00:00:03.000000000Z three\n');
    const previous = await kubectl(['logs', 'web', '--previous']);
    assert.match(previous.stderr, /\(BadRequest\): previous terminated container "app" in pod "web" not found/);
  });

  kubectlTest('logs and exec of a capsule on stock Zun: one sentence with the way out', async () => {
    const [capsule] = bed.capsules;
    assert.ok(capsule);
    const gone = () => Promise.reject(new AppError({ kind: 'not-found', code: 'zun.not-found', message: '404' }));
    const { logs } = zun.containers;
    Object.assign(capsule, { backend: 'capsule' });
    Object.assign(zun.containers, { logs: gone });
    const results = [await kubectl(['logs', 'web']), await kubectl(['exec', 'web', '--', 'id'])];
    Object.assign(capsule, { backend: 'container' });
    Object.assign(zun.containers, { logs });
    for (const { code, stderr } of results) {
      assert.notEqual(code, 0);
      assert.match(
        stderr,
        /this cloud does not serve the containers of a capsule; run the pod on the container backend/,
      );
    }
  });

  kubectlTest('logs -f: comes as it is written, ends with the container', async () => {
    zun.lines = [line(1, 'one')];
    zun.isRunning = true;
    const child = spawn(program, [...common, 'logs', '-f', 'web']);
    let output = '';
    const ended = once(child, 'close');
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (output === 'one\n') zun.lines.push(line(2, 'two'));
      if (output === 'one\ntwo\n') zun.isRunning = false;
    });
    const [code] = await ended;
    zun.isRunning = true;
    assert.equal(output, 'one\ntwo\n');
    assert.equal(code, 0);
  });
}

/** Runs a command under a pseudo terminal of a size. */
function inTerminal(
  words: string[],
  size: { rows: number; columns: number },
): Promise<{ stdout: string; code: number }> {
  const quoted = words.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');
  const command = `stty rows ${size.rows} columns ${size.columns}; exec ${quoted}`;
  return new Promise((resolve) => {
    const child = spawn('script', ['-qefc', command, '/dev/null'], { env: { ...process.env, ...spdyOnly } });
    let stdout = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.on('close', (code) => resolve({ stdout, code: code ?? 255 }));
  });
}
