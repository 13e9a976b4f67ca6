import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { after, before, test } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { systemClock } from '../../../src/base/clock.ts';
import { createZunRuntime } from '../../../src/server/zun-runtime.ts';
import { createTerminalConnector } from '../../../src/server/zun-terminal.ts';
import { type KubeletBed, startKubeletBed } from '../../lib/kubelet-bed.ts';
import type { ClientStream, SpdyClient } from '../../lib/spdy-client.ts';
import { startZunStandIn, type ZunStandIn } from '../../lib/zun-proxy.ts';

let zun: ZunStandIn;
let bed: KubeletBed;

before(async () => {
  zun = await startZunStandIn();
  const connect = createTerminalConnector({ clock: systemClock });
  bed = await startKubeletBed({
    runtime: createZunRuntime({ containers: zun.containers, connect, clock: systemClock }),
  });
});

after(async () => {
  await bed.close();
  await zun.close();
});

interface Streams {
  client: SpdyClient;
  error: ClientStream;
  stdin?: ClientStream;
  stdout: ClientStream;
  stderr?: ClientStream;
  resize?: ClientStream;
}

async function exec(command: string[], wanted: { stdin?: boolean; tty?: boolean } = {}): Promise<Streams> {
  const query = new URLSearchParams({ output: '1' });
  if (wanted.stdin) query.set('input', '1');
  if (wanted.tty) query.set('tty', '1');
  else query.set('error', '1');
  for (const word of command) query.append('command', word);
  const client = await bed.spdy(`/exec/default/web/app?${query}`, ['v5.channel.k8s.io', 'v4.channel.k8s.io']);
  const open = async (streamtype: string): Promise<ClientStream> => {
    const stream = await client.open({ streamtype });
    await stream.opened;
    return stream;
  };
  const error = await open('error');
  const stdin = wanted.stdin ? await open('stdin') : undefined;
  const stdout = await open('stdout');
  const stderr = wanted.tty ? undefined : await open('stderr');
  const resize = wanted.tty ? await open('resize') : undefined;
  return { client, error, stdout, ...(stdin && { stdin }), ...(stderr && { stderr }), ...(resize && { resize }) };
}

async function statusOf({ error }: Streams): Promise<{ status: string; code?: string; message?: string }> {
  const status = JSON.parse((await error.ended).toString()) as {
    status: string;
    message?: string;
    details?: { causes: { message: string }[] };
  };
  const code = status.details?.causes[0]?.message;
  return {
    status: status.status,
    ...(code !== undefined && { code }),
    ...(status.message !== undefined && { message: status.message }),
  };
}

test('exec: a command with awkward words: arrive as they are', async () => {
  const words = ['hi there', "it's", 'a"b', '$HOME', 'x\ny', '\u0003\u0004', 'é'];
  const streams = await exec(['printf', '<%s>', ...words]);
  assert.equal((await streams.stdout.ended).toString(), words.map((word) => `<${word}>`).join(''));
  assert.deepEqual(await statusOf(streams), { status: 'Success' });
});

test('exec: a command that fails: its output, its errors, its exit code', async () => {
  const streams = await exec(['sh', '-c', 'echo out; echo err >&2; exit 3']);
  assert.equal((await streams.stdout.ended).toString(), 'out\n');
  assert.equal((await streams.stderr?.ended)?.toString(), 'err\n');
  assert.equal((await statusOf(streams)).code, '3');
});

test('exec: end of the command: FIN of the outputs before the status', async () => {
  const streams = await exec(['echo', 'x']);
  await streams.error.ended;
  const order = streams.client.frames.filter((frame) => /^(fin|data)/.test(frame));
  const { error, stdout, stderr } = streams;
  assert.ok(order.indexOf(`fin ${stdout.id}`) < order.indexOf(`data ${error.id}`), order.join(', '));
  assert.ok(order.indexOf(`fin ${stderr?.id}`) < order.indexOf(`data ${error.id}`), order.join(', '));
});

test('exec: 5 MB of random bytes through cat: come back the same', async () => {
  const bytes = randomBytes(5_000_000);
  const streams = await exec(['cat'], { stdin: true });
  await streams.stdin?.send(bytes);
  await streams.stdin?.fin();
  assert.ok((await streams.stdout.ended).equals(bytes));
  assert.deepEqual(await statusOf(streams), { status: 'Success' });
});

test('exec: the command ends while input is open: the status comes at once', async () => {
  const streams = await exec(['sh', '-c', 'exit 4'], { stdin: true });
  assert.equal((await statusOf(streams)).code, '4');
});

test('exec: input line by line: each is answered before the next is sent', async () => {
  const streams = await exec(['sh', '-c', 'while read -r l; do echo "got $l"; done'], { stdin: true });
  const lines: string[] = [];
  for (const word of ['one', 'two']) {
    const answered = Promise.withResolvers<void>();
    streams.stdout.onData = (chunk) => {
      lines.push(chunk.toString());
      answered.resolve();
    };
    await streams.stdin?.send(`${word}\n`);
    await answered.promise;
  }
  await streams.stdin?.fin();
  await streams.error.ended;
  assert.deepEqual(lines, ['got one\n', 'got two\n']);
});

test('exec: a terminal: is one, gets its size, tells the exit code', async () => {
  zun.sizes.length = 0;
  const streams = await exec(['sh', '-c', 'test -t 0 && echo terminal; read -r l; echo "[$l]"; exit 7'], {
    stdin: true,
    tty: true,
  });
  await streams.resize?.send('{"Width":111,"Hei');
  await streams.resize?.send('ght":33}{"Width":80,"Height":24}');
  await streams.stdin?.send('word\r');
  assert.match((await streams.stdout.ended).toString(), /terminal\r\n[\s\S]*\[word\]\r\n/);
  assert.equal((await statusOf(streams)).code, '7');
  assert.equal(zun.sizes.at(-1), '80x24');
});

test('exec: a program that does not exist: exit code 127 and its name on stderr', async () => {
  const streams = await exec(['no-such-program']);
  assert.match((await streams.stderr?.ended)?.toString() ?? '', /no-such-program/);
  assert.equal((await statusOf(streams)).code, '127');
});

test('exec: the client goes: what it started is ended', async () => {
  const streams = await exec(['sh', '-c', 'echo $$; while :; do sleep 0.05; done']);
  const pid = await new Promise<number>((resolve) => {
    streams.stdout.onData = (chunk) => resolve(Number(chunk.toString()));
  });
  assert.ok(isAlive(pid));
  streams.client.transport.destroy();
  for (let attempt = 0; attempt < 200 && isAlive(pid); attempt++) await setTimeout(20);
  assert.ok(!isAlive(pid));
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('exec: an image without a shell: one-shot, output merged, exit code known', async () => {
  await withoutShell(async () => {
    const streams = await exec(['/bin/sh', '-c', 'echo out; exit 6']);
    assert.equal((await streams.stdout.ended).toString(), 'out\n');
    assert.equal((await statusOf(streams)).code, '6');
  });
});

test('exec: an image without a shell, stdin without a terminal: refused with a sentence', async () => {
  await withoutShell(async () => {
    const status = await statusOf(await exec(['cat'], { stdin: true }));
    assert.match(status.message ?? '', /needs sh, stty, dd, tr and cat in the image/);
  });
});

/** Another container of which nothing is known yet, on an image without `sh`. */
async function withoutShell(run: () => Promise<void>): Promise<void> {
  const [capsule] = bed.capsules;
  const member = capsule?.containers[0];
  assert.ok(member);
  const before = member.uuid;
  member.uuid = `${before}-without-shell`;
  zun.shell = '';
  try {
    await run();
  } finally {
    member.uuid = before;
    zun.shell = 'sh';
  }
}
