/** Commands in real containers: kubectl, the API server, zunlet, zun-api, zun-wsproxy, a Docker engine, a real terminal. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { after, test } from 'node:test';
import { kubeTools } from '../../lib/kube-tools.ts';
import { path } from '../lib/bed.ts';
import { startControlPlane } from '../lib/control-plane.ts';
import { asContainer, pod } from '../lib/manifests.ts';
import { isRunning, observePods } from '../lib/observe.ts';
import { shellQuoted, typeInTerminal } from '../lib/terminal.ts';
import { startZunlet } from '../lib/zunlet.ts';
import { missingForZun } from './install.ts';
import { startRealZun } from './start.ts';

const missing = missingForZun('docker');
if (missing) {
  test('commands in real containers: this machine cannot run any', (context) => context.skip(missing));
} else {
  const [plane, zun, tools] = await Promise.all([
    startControlPlane(),
    startRealZun({ runtime: 'docker' }),
    kubeTools('v35'),
  ]);
  const flags = { settle: '3s', relist: '5s', live: '1s' };
  const zunlet = await startZunlet({ plane, cloud: zun.env, nodeName: 'zun-node', flags });
  const pods = await observePods(plane.api);
  after(async () => {
    // The engine cannot let go of its folder while containers run.
    await plane.api.delete(path.pods);
    await pods.until('all Pods are gone', () => pods.count() === 0, 90_000);
    await pods.stop();
    await zunlet.stop();
    await Promise.all([plane.stop(), zun.stop()]);
  });
  const command = ['sh', '-c', 'echo one; echo two; sleep 3600'];
  await plane.api.post(path.pods, pod('box', { image: 'busybox:latest', command, annotations: asContainer }));
  await pods.until('box runs', () => isRunning(pods.get('box')), 90_000);

  const shell = { image: 'busybox:latest', command: ['sh', '-i'], interactive: true, annotations: asContainer };
  await plane.api.post(path.pods, pod('talk', shell));
  await pods.until('talk runs', () => isRunning(pods.get('talk')), 90_000);

  const common = ['--kubeconfig', plane.kubeconfig];
  const kubectl = (args: string[], input: Buffer | string = '') =>
    new Promise<{ code: number; stdout: Buffer; stderr: string }>((resolve) => {
      const options = { encoding: 'buffer' as const, maxBuffer: 1 << 28, timeout: 120_000 };
      const child = execFile(tools.kubectl, [...common, ...args], options, (error, stdout, stderr) => {
        resolve({ code: error ? Number(error.code ?? 255) : 0, stdout, stderr: stderr.toString() });
      });
      child.stdin?.on('error', () => {});
      child.stdin?.end(input);
    });

  test('real container: logs: its lines', async () => {
    assert.equal((await kubectl(['logs', 'box'])).stdout.toString(), 'one\ntwo\n');
    assert.equal((await kubectl(['logs', 'box', '--tail=1'])).stdout.toString(), 'two\n');
  });

  test('real container: exec: output, errors apart, exit code, awkward words', async () => {
    const result = await kubectl(['exec', 'box', '--', 'sh', '-c', 'echo out; echo err >&2; exit 3']);
    assert.equal(result.stdout.toString(), 'out\n', result.stderr);
    assert.match(result.stderr, /^err\n.*exit code 3/s);
    assert.equal(result.code, 3);
    const words = ["it's", 'a"b', '$HOME', 'x\ny', 'é'];
    const shown = await kubectl(['exec', 'box', '--', 'printf', '<%s>', ...words]);
    assert.equal(shown.stdout.toString(), words.map((word) => `<${word}>`).join(''));
  });

  test('real container: exec that takes longer than five seconds: its exit code', async () => {
    const result = await kubectl(['exec', 'box', '--', 'sh', '-c', 'sleep 7; exit 9']);
    assert.equal(result.code, 9, result.stderr);
  });

  test('real container: exec -i: 20 MB in and out: the same', async () => {
    const bytes = randomBytes(20_000_000);
    const result = await kubectl(['exec', '-i', 'box', '--', 'cat'], bytes);
    assert.equal(result.code, 0, result.stderr);
    assert.ok(result.stdout.equals(bytes), `${result.stdout.length} bytes`);
    const digest = await kubectl(['exec', '-i', 'box', '--', 'sha256sum'], bytes);
    assert.equal(digest.stdout.toString().split(' ', 1)[0], createHash('sha256').update(bytes).digest('hex'));
  });

  test('real container: exec -it: a terminal of the size of the client, and the exit code', async () => {
    const words = [tools.kubectl, ...common, 'exec', '-it', 'box', '--', 'sh', '-c', 'sleep 2; stty size; exit 5'];
    const quoted = shellQuoted(words);
    const child = spawn('script', ['-qefc', `stty rows 33 columns 111; exec ${quoted}`, '/dev/null']);
    let screen = '';
    child.stdout.on('data', (chunk: Buffer) => {
      screen += chunk.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    assert.match(screen, /33 111/);
    assert.equal(code, 5);
  });

  test('real container: attach -it: what is typed reaches the main process, whose answer is seen', async () => {
    const words = [tools.kubectl, ...common, 'attach', '-it', 'talk'];
    assert.match(await typeInTerminal(words, 'echo $((40+2))\r', /^42\r?$/m), /^42\r?$/m);
  });

  test('real container: the client is killed: what it ran ends', async () => {
    const child = spawn(tools.kubectl, [...common, 'exec', 'box', '--', 'sleep', '4242']);
    const isThere = async () => (await kubectl(['exec', 'box', '--', 'ps'])).stdout.toString().includes('sleep 4242');
    for (let attempt = 0; attempt < 40 && !(await isThere()); attempt++);
    child.kill('SIGKILL');
    let isLeft = true;
    for (let attempt = 0; attempt < 40 && isLeft; attempt++) isLeft = await isThere();
    assert.ok(!isLeft);
  });

  test('real container: metrics/resource: processor time that grows', async () => {
    const read = async (): Promise<number> => {
      const raw = ['get', '--raw', '/api/v1/nodes/zun-node/proxy/metrics/resource'];
      const text = (await kubectl(raw)).stdout.toString();
      const match = /container_cpu_usage_seconds_total\{.*pod="box"\} ([\d.e-]+) \d+/.exec(text);
      return Number(match?.[1] ?? 0);
    };
    const busy = kubectl(['exec', 'box', '--', 'sh', '-c', 'i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done']);
    const seen: number[] = [];
    for (let attempt = 0; attempt < 40 && new Set(seen.filter((value) => value > 0.1)).size < 2; attempt++) {
      seen.push(await read());
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    await busy;
    assert.ok(new Set(seen.filter((value) => value > 0.1)).size >= 2, seen.join());
    assert.deepEqual(
      seen,
      seen.toSorted((a, b) => a - b),
    );
  });
}
