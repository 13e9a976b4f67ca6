import assert from 'node:assert/strict';
import { test } from 'node:test';
import { main } from '../../../src/cli/main.ts';

interface Happening {
  pod: string;
  state: string;
}

function run(args: string[]) {
  let out = '';
  let err = '';
  const io = {
    stdout: {
      write: (text: string) => {
        out += text;
      },
    },
    stderr: {
      write: (text: string) => {
        err += text;
      },
    },
    stdin: (async function* () {})(),
    env: {},
    signal: new AbortController().signal,
  };
  return main(args, io).then((code) => ({ code, out, err }));
}

test('demo --once: every example goes the way it should and is gone at the end, exit 0', async () => {
  const { code, out, err } = await run(['demo', '--once', '--json', '--timeout', '60']);
  assert.equal(code, 0, err);
  // Our own command wrote them.
  const happenings = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Happening);
  const states = new Map<string, string[]>();
  for (const { pod, state } of happenings) states.set(pod, [...(states.get(pod) ?? []), state]);
  assert.ok(states.size >= 10);
  for (const [pod, seen] of states) {
    assert.equal(seen.at(-1), 'gone', pod);
    assert.ok(seen.includes('Pending'), pod);
  }
  assert.ok([...states.values()].some((seen) => seen.includes('Succeeded')));
  assert.match(err, /all well/);
});

test('demo: a file that is no manifest: says which, exit 1', async () => {
  const { code, err } = await run(['demo', 'package.json', '--once']);
  assert.equal(code, 1);
  assert.match(err, /package\.json/);
});

test('main: unknown command, unknown flag, bad value: usage, exit 2, with the nearest name', async () => {
  const command = await run(['rnu']);
  assert.deepEqual([command.code, /did you mean run\?/.test(command.err)], [2, true]);
  const flag = await run(['run', '--nodename', 'x']);
  assert.deepEqual([flag.code, /did you mean --node-name\?/.test(flag.err)], [2, true]);
  const value = await run(['run', '--backend', 'pod']);
  assert.deepEqual([value.code, /expected capsule, container, auto/.test(value.err)], [2, true]);
});

test('main: every command: has help and exits 0', async () => {
  for (const name of ['run', 'translate', 'demo', 'check', 'capsule']) {
    const { code, out } = await run([name, '--help']);
    assert.equal(code, 0, name);
    assert.match(out, new RegExp(`zunlet ${name}`), name);
  }
});

test('run --print-config: each option with its layer', async () => {
  const { code, out } = await run(['run', '--print-config', '--node-name', 'x', '--json']);
  assert.equal(code, 0);
  assert.deepEqual(
    (JSON.parse(out) as { key: string }[]).find(({ key }) => key === 'nodeName'),
    {
      key: 'nodeName',
      value: 'x',
      from: '--node-name',
    },
  );
});
