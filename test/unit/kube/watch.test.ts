import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createLineSplitter, parseWatchEvent } from '../../../src/kube/watch.ts';

const text = '{"a":"héllo wörld 🐋"}\n\n{"b":"\u2028 stays inside"}\r\n{"c":1}\nrest';
const expected = ['{"a":"héllo wörld 🐋"}', '{"b":"\u2028 stays inside"}\r', '{"c":1}'];

test('line splitter: bytes cut at every place: the same lines', () => {
  const bytes = Buffer.from(text);
  for (let size = 1; size <= bytes.length; size++) {
    const splitter = createLineSplitter(1000);
    const lines: string[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      lines.push(...splitter.push(bytes.subarray(at, at + size)).map(String));
    }
    assert.deepEqual(lines, expected, `chunks of ${size} bytes`);
  }
});

test('line splitter: line longer than the limit: refused, however it arrives', () => {
  assert.throws(() => createLineSplitter(10).push(Buffer.from('x'.repeat(11))), { code: 'kube.line-too-long' });
  assert.throws(() => createLineSplitter(10).push(Buffer.from(`${'x'.repeat(11)}\n`)), { code: 'kube.line-too-long' });
  const splitter = createLineSplitter(10);
  splitter.push(Buffer.from('x'.repeat(10)));
  assert.throws(() => splitter.push(Buffer.from('x')), { code: 'kube.line-too-long' });
});

test('line splitter: many lines of the allowed length: pass', () => {
  assert.equal(createLineSplitter(10).push(Buffer.from(`${'x'.repeat(10)}\n`.repeat(5))).length, 5);
});

test('watch event: object with managedFields: comes without them', () => {
  const line = {
    type: 'ADDED',
    object: { metadata: { name: 'a', uid: 'u', managedFields: [{ manager: 'kubectl' }] } },
  };
  const event = parseWatchEvent(Buffer.from(JSON.stringify(line)), 'watching');
  assert.deepEqual(event, { type: 'ADDED', object: { metadata: { name: 'a', uid: 'u' } } });
});

test('watch event: type of a newer server: passed over', () => {
  assert.equal(parseWatchEvent(Buffer.from('{"type":"SYNCED","object":{}}'), 'watching'), undefined);
});

for (const line of [
  '{"type":"ADDED","obj',
  '[]',
  'null',
  '{"type":"ADDED"}',
  '{"type":"ADDED","object":{}}',
  '{"type":"ADDED","object":null}',
]) {
  test(`watch event: ${line}: garbage`, () => {
    assert.throws(() => parseWatchEvent(Buffer.from(line), 'watching'), { kind: 'retryable', code: 'kube.garbage' });
  });
}
