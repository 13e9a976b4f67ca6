import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { constants, inflateSync } from 'node:zlib';
import { spdyDictionary } from '../../../src/server/streams/spdy-dictionary.ts';
import { createFrameReader, dataHeader, type Frame, synReplyFrame } from '../../../src/server/streams/spdy-frames.ts';
import { createEmptyHeaderWriter, createHeaderReader, parseHeaders } from '../../../src/server/streams/spdy-headers.ts';

/** What the Go framer of client-go writes, one compressor for all, in this order. */
const goFrames = [
  '80030001 00000029 00000001 00000000 0000 78f9e3c6a7c26260606004a7b392a2d4c45c6851c29a0a0a6800000000ffff',
  '80030001 00000017 00000003 00000000 0000 c22e555c92929907000000ffff',
  '80030001 0000002f 00000005 00000000 0000 0225550c295001940829cb8bc0d9c6c2c0c280818181b30812f799a03cc16800000000ffff',
  '80030006 00000004 00000001',
  '00000005 01000002 6869',
  '80030003 00000008 00000005 00000003',
].map((hex) => Buffer.from(hex.replaceAll(' ', ''), 'hex'));

function readAll(bytes: Buffer, pieceBytes: number, maxControlBytes = 65536): Frame[] {
  const frames: Frame[] = [];
  const reader = createFrameReader(maxControlBytes);
  for (let offset = 0; offset < bytes.length; offset += pieceBytes) {
    reader.push(bytes.subarray(offset, offset + pieceBytes), (frame) => frames.push(frame));
  }
  return frames;
}

function headersOf(frames: Frame[]): Record<string, string>[] {
  const reader = createHeaderReader({ maxBytes: 65536, maxHeaders: 64 });
  return frames.flatMap((frame) =>
    frame.type === 'syn-stream' ? [Object.fromEntries(reader.read(frame.headerBlock))] : [],
  );
}

test('dictionary: as built: is the constant of SPDY/3', () => {
  const dictionary = spdyDictionary();
  assert.equal(dictionary.length, 1423);
  assert.equal(
    createHash('sha256').update(dictionary).digest('hex'),
    '51d27341373f923f3cd88e1eb7162aeaa3723d7585ff2399201dc06498407f02',
  );
});

for (const pieceBytes of [1, 7, 1000]) {
  test(`frames: what Go wrote, in pieces of ${pieceBytes}: read back`, () => {
    const frames = readAll(Buffer.concat(goFrames), pieceBytes);
    assert.deepEqual(headersOf(frames), [
      { streamtype: 'error' },
      { streamtype: 'stdin' },
      { port: '8080', streamtype: 'data', requestid: '0' },
    ]);
    assert.deepEqual(
      frames.filter((frame) => frame.type === 'ping' || frame.type === 'rst-stream'),
      [
        { type: 'ping', id: 1 },
        { type: 'rst-stream', streamId: 5, status: 3 },
      ],
    );
    const data = frames.filter((frame) => frame.type === 'data');
    assert.equal(Buffer.concat(data.map((frame) => frame.payload)).toString(), 'hi');
    assert.deepEqual(
      data.map((frame) => frame.fin),
      data.map((_, index) => index === data.length - 1),
    );
  });
}

test('frames: a data frame of 16 MiB: handed out as it comes, FIN on the last piece', () => {
  const bytes = 2 ** 24 - 1;
  const frames = readAll(Buffer.concat([dataHeader(1, bytes, true), Buffer.alloc(bytes)]), 65536);
  assert.equal(
    frames.reduce((sum, frame) => sum + (frame.type === 'data' ? frame.payload.length : 0), 0),
    bytes,
  );
  assert.equal(frames.filter((frame) => frame.type === 'data' && frame.fin).length, 1);
});

for (const [name, hex] of Object.entries({
  'another version': '80020001 0000000a',
  'an unknown type': '80030005 00000000',
  'a short SYN_STREAM': '80030001 00000004 00000001',
  'a long PING': '80030006 00000005 0000000100',
  'a SETTINGS count that does not fit': '80030004 00000004 00000001',
  'a control frame over the limit': '80030001 00010001',
})) {
  test(`frames: ${name}: refused`, () => {
    assert.throws(() => readAll(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 100), { code: 'spdy.protocol' });
  });
}

test('header blocks: the replies of one connection: inflate to the count zero each', () => {
  const block = createEmptyHeaderWriter();
  const stream = Buffer.concat([block(), block(), block()]);
  const plain = inflateSync(stream, { dictionary: spdyDictionary(), finishFlush: constants.Z_SYNC_FLUSH });
  assert.deepEqual(plain, Buffer.alloc(12));
});

test('header blocks: the first reply: as the Go client accepted it', () => {
  const frame = synReplyFrame(1, createEmptyHeaderWriter()());
  assert.equal(frame.toString('hex'), '80030002000000180000000178f9e3c6a7c2000400fbff00000000000000ffff');
});

test('header blocks: inflates over the limit: refused', () => {
  const reader = createHeaderReader({ maxBytes: 8, maxHeaders: 64 });
  const [first] = readAll(goFrames[0] ?? Buffer.alloc(0), 100);
  assert.throws(() => first?.type === 'syn-stream' && reader.read(first.headerBlock), { code: 'spdy.protocol' });
});

for (const [name, hex] of Object.entries({
  'a name that leaves the block': '00000001 000000ff 61',
  'a count without headers': '00000003',
  'an upper-case name': '00000001 00000001 41 00000000',
  'a repeated name': '00000002 00000001 61 00000000 00000001 61 00000000',
  'too many': '00000041',
  'fewer than four bytes': '0000',
})) {
  test(`headers: ${name}: refused`, () => {
    assert.throws(() => parseHeaders(Buffer.from(hex.replaceAll(' ', ''), 'hex'), 64), { code: 'spdy.protocol' });
  });
}
