import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../../src/base/clock.ts';
import { createMovableClock } from '../../../src/emulators/clock.ts';
import { createGuest, type Guest } from '../../../src/emulators/zun/guest/guest.ts';
import { bytesSource, createPipe, emptySource, readAll } from '../../../src/emulators/zun/guest/pipe.ts';
import { splitWords } from '../../../src/emulators/zun/guest/split-words.ts';
import { createTerminal } from '../../../src/emulators/zun/guest/terminal.ts';

const clock = createMovableClock({ base: systemClock, manual: true });

function guest(): Guest {
  const injected = [{ destination: '/etc/config/key', file: Buffer.from('value').toString('base64') }];
  return createGuest({ hostname: 'h', environment: { A: '1' }, workdir: '/work', injected }, clock);
}

async function run(inside: Guest, words: string[], input = ''): Promise<{ code: number; out: string; err: string }> {
  const stdout = createPipe();
  const stderr = createPipe();
  const stdin = input === '' ? emptySource : bytesSource(Buffer.from(input));
  const ended = inside.run(words, { stdin, stdout, stderr }, new AbortController().signal).finally(() => {
    stdout.end();
    stderr.end();
  });
  const [out, err, code] = await Promise.all([readAll(stdout), readAll(stderr), ended]);
  return { code, out: out.toString(), err: err.toString() };
}

const scripts: [string, string, string, number][] = [
  ['exit code', 'echo a; exit 3; echo b', 'a\n', 3],
  ['and, or, not', 'true && echo yes || echo no; ! false && echo $?', 'yes\n0\n', 0],
  ['variables and quotes', `X="a  b"; echo $X "$X" '$X' \${Y:-none} $A`, 'a b a  b $X none 1\n', 0],
  ['command substitution', 'echo "<$(echo one; echo two)>" `echo three`', '<one\ntwo> three\n', 0],
  ['arithmetic', 'I=2; echo $((I * 3 + 4 / 2)) $((7 % 4))', '8 3\n', 0],
  ['for with seq', 'for i in $(seq 1 3); do echo line $i; done', 'line 1\nline 2\nline 3\n', 0],
  ['while with a counter', 'i=0; while [ $i -lt 3 ]; do i=$((i+1)); done; echo $i', '3\n', 0],
  ['if, elif, else', 'if false; then echo 1; elif [ a = a ]; then echo 2; else echo 3; fi', '2\n', 0],
  ['pipes', 'printf "b\\na\\n" | grep -v b | cat', 'a\n', 0],
  ['read in a loop', 'printf "1 x\\n2 y\\n" | while read n rest; do echo $rest$n; done', 'x1\ny2\n', 0],
  ['redirects', 'echo one > f; echo two >> f; cat < f; cat nope 2>/dev/null || echo missing', 'one\ntwo\nmissing\n', 0],
  ['stderr to stdout', '{ echo out; echo err >&2; } 2>&1 | wc -l', '2\n', 0],
  ['subshell keeps its folder', '(cd /tmp; pwd); pwd', '/tmp\n/work\n', 0],
  ['injected file', 'cat /etc/config/key', 'value', 0],
  ['descriptors from 3 on', '{ { echo e >&5; echo o; } | { cat; echo end; } >&3 5>&-; } 3>&1 5>&1', 'e\no\nend\n', 0],
  ['exec for all that follows', 'exec 3>&1; { echo a >&3; } > /dev/null; echo b', 'a\nb\n', 0],
  ['exit of a subshell', '(exit 4); echo $?; (exec nothing) 2>/dev/null; echo $?', '4\n127\n', 0],
  ['length and parts of a variable', 'l=abcdef; p=ab; echo ${#l} ${l#"$p"} ${l%ef} ${l#x}', '6 cdef abcd abcdef\n', 0],
  ['parts by pattern', 'h=.0123021; h=${h#?}; echo ${h%???} ${h#????} ${h#*1}', '0123 021 23021\n', 0],
  ['tr with octal escapes', 'printf "a\\\\021b" | tr "\\\\021b" "b\\\\021" | tr "\\\\021" X', 'abX', 0],
  ['read without separators', `printf '  a b \\n' | { IFS= read -r l; echo "[$l]"; }`, '[  a b ]\n', 0],
  ['what there is', 'command -v cat; command -v nothing || echo $?', '/bin/cat\n127\n', 0],
  ['blocks of a stream', 'printf abcdef | { dd bs=2 count=1 iflag=fullblock; echo; cat; }', 'ab\ncdef', 0],
  ['printf with a limit', 'printf "%.2s|%s" abc d', 'ab|d', 0],
  ['unknown program', 'nothing-of-the-kind 2>/dev/null; echo $?', '127\n', 0],
  ['syntax error', 'if true; then', '', 2],
];
for (const [name, script, out, code] of scripts) {
  test(`guest shell: ${name}: ${JSON.stringify(out)}`, async () => {
    const result = await run(guest(), ['sh', '-c', script]);
    assert.deepEqual([result.out, result.code], [out, code]);
  });
}

test('guest tar: a tree is packed and unpacked elsewhere: the same files', async () => {
  const inside = guest();
  const long = `${'d'.repeat(90)}/${'f'.repeat(90)}`;
  const made = await run(inside, [
    'sh',
    '-c',
    `mkdir -p tree/${'d'.repeat(90)}; echo hi > tree/a; echo long > tree/${long}`,
  ]);
  assert.equal(made.code, 0);
  const copied = await run(inside, ['sh', '-c', 'mkdir -p /copy; tar cf - tree | tar xmf - -C /copy']);
  assert.equal(copied.code, 0, copied.err);
  assert.equal((await run(inside, ['cat', '/copy/tree/a', `/copy/tree/${long}`])).out, 'hi\nlong\n');
});

test('guest shell: megabytes through cat and sha256sum: the sum is right and memory is bounded by pipes', async () => {
  const result = await run(guest(), ['sh', '-c', 'dd if=/dev/zero bs=1M count=8 | sha256sum']);
  assert.equal(result.out, '2daeb1f36095b44b318410b3f4e8b5d989dcc7bb023d1426c492dab0a3053e74  -\n');
});

test('splitting words: quotes and backslashes: as shlex', () => {
  assert.deepEqual(splitWords(`sh -c 'echo "a b"' x\\ y "q\\"r"`), ['sh', '-c', 'echo "a b"', 'x y', 'q"r']);
});

test('terminal: cooked then raw: echo and newlines are added, then nothing is touched', async () => {
  const screen = createPipe();
  const terminal = createTerminal(screen);
  await terminal.type(Buffer.from('ab\x7fc\r'));
  assert.equal((await terminal.input.read())?.toString(), 'ac\n');
  assert.equal((await screen.read())?.toString(), 'ab\b \bc\r\n');
  const inside = guest();
  const streams = { stdin: terminal.input, stdout: terminal.output, stderr: terminal.output, terminal };
  await inside.run(['stty', 'raw', '-echo'], streams, new AbortController().signal);
  await terminal.type(Buffer.from([0, 3, 4, 13, 10, 255]));
  assert.deepEqual(await terminal.input.read(), Buffer.from([0, 3, 4, 13, 10, 255]));
  await terminal.output.write(Buffer.from('x\n'));
  assert.equal((await screen.read())?.toString(), 'x\n');
});

test('interactive shell: a line, then exit: prompt, echo, output and the code', async () => {
  const screen = createPipe();
  const terminal = createTerminal(screen, { rows: 40, columns: 120 });
  const streams = { stdin: terminal.input, stdout: terminal.output, stderr: terminal.output, terminal };
  const ended = guest().run(['sh'], streams, new AbortController().signal);
  await terminal.type(Buffer.from('stty size\r'));
  let shown = '';
  while (!shown.endsWith('120\r\n/work # ')) shown += (await screen.read())?.toString() ?? '';
  await terminal.type(Buffer.from('exit 4\r'));
  assert.equal(await ended, 4);
  screen.end();
  shown += (await readAll(screen)).toString();
  assert.equal(shown, '/work # stty size\r\n40 120\r\n/work # exit 4\r\n');
});
